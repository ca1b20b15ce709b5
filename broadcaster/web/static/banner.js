/* Shows the present phase of planned outages on any web page; it never throws into its host and never blocks it.
   <script async src="https://…/surfaces/banner.js" data-lang="zh-Hans" data-src="…/banner.json" data-target="#top"
   data-screen="bureau-site"></script> */
(() => {
  "use strict";
  const script = document.currentScript;
  const { lang, src, target, screen } = script.dataset;
  const wanted = (lang || document.documentElement.lang).toLowerCase();
  const levels = ["critical", "major", "minor", "info", "restored"];
  const css = `:host{all:initial!important;display:block!important}
div div{display:flex;gap:12px;padding:10px max(16px,50% - 600px);border-bottom:1px solid #0003;
font:16px/1.5 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif}
.info{background:#e8f1fb;color:#0a2c50}.minor{background:#fff4cc;color:#3a2d00}.major{background:#f9a825;color:#1f1400}
.critical{background:#b00020;color:#fff}.restored{background:#e4f4e8;color:#0c3a1d}
i{flex:none;width:22px;height:22px;margin-top:2px;border:2px solid;border-radius:50%;font:700 14px/22px system-ui;text-align:center}
p{flex:1;margin:2px 0;overflow-wrap:anywhere}a{color:inherit;font-weight:600;margin-inline-start:12px;white-space:nowrap}
button{all:unset;flex:none;width:32px;height:32px;text-align:center;font-size:22px;line-height:32px;cursor:pointer}
:focus-visible{outline:3px solid}`;
  const dismissed = new Set();
  let bars = {}, edges = [], due = 0, failures = 0, offset = 0, page, region, timer;

  const now = () => Date.now() + offset;

  const isDismissed = (key) => {
    try { return localStorage.getItem(key) || dismissed.has(key); } catch { return dismissed.has(key); }
  };
  const dismiss = (key) => {
    dismissed.add(key);
    try { localStorage.setItem(key, 1); } catch { /* for this page only, then */ }
    draw();
  };

  /* The clock never says that an outage is over: such a phase counts only if it had begun when the document was made. */
  const unconfirmed = ({ phase, from }) => /^(restored|cancelled)$/.test(phase) && from > page.issued_at;
  const present = (phases) => phases.filter((one) => one.from <= now() && !unconfirmed(one)
    && (one.until === null || one.until > now() || phases.some((x) => unconfirmed(x) && x.from === one.until))).pop();

  const nearest = (languages) => languages.find((x) => x.toLowerCase() === wanted)
    || languages.find((x) => x.split("-")[0] === wanted.split("-")[0]) || languages[0];

  const secure = (link) => {
    try { return new URL(link).protocol === "https:" && link; } catch { return false; }
  };

  /* What an announcement shows now, as plain values; nothing if it has nothing to show. */
  const view = ({ id, revision, severity, link, languages, phases }) => {
    const { phase, text, dismissible } = present(phases) || {};
    const key = `broadcaster:${id}:${revision}:${phase}`;
    if (!phase || (dismissible && isDismissed(key))) return [];
    const language = nearest(languages.filter((x) => text[x]));
    const look = { restored: phase, cancelled: "info" }[phase] || (levels.includes(severity) ? severity : "info");
    return language ? [{ key, look, language, ...text[language], link: secure(link), dismissible }] : [];
  };
  const viewOrNothing = (announcement) => {
    try { return view(announcement); } catch { return []; }
  };

  const add = (parent, name, properties) => parent.appendChild(Object.assign(document.createElement(name), properties));

  const bar = ({ key, look, language, text, link_text, link, dismissible }) => {
    const box = add(region, "div", { className: look, lang: language });
    add(box, "i", { ariaHidden: true, textContent: { restored: "✓", info: "i" }[look] || "!" });
    const line = add(box, "p", { textContent: text });
    if (link) add(line, "a", { textContent: link_text || link, href: link, target: "_blank", rel: "noopener" });
    const label = /^zh/.test(language) ? "关闭" : "Close";
    if (dismissible) add(box, "button", { textContent: "×", ariaLabel: label, title: label, onclick: () => dismiss(key) });
    return box;
  };

  /* Only what differs is touched, so that a screen reader says each text once. */
  const draw = () => {
    if (!region || !page) return;
    const rank = ({ look }) => levels.indexOf(look);
    const old = bars;
    bars = {};
    for (const one of page.announcements.flatMap(viewOrNothing).sort((a, b) => rank(a) - rank(b))) {
      const name = JSON.stringify(one);
      bars[name] = old[name] || bar(one);
      delete old[name];
    }
    Object.values(old).forEach((box) => box.remove());
    Object.values(bars).forEach((box, index) => {
      if (region.children[index] !== box) region.insertBefore(box, region.children[index]);
    });
  };

  const accept = (next, age) => {
    if (next.surface !== "banner" || !(next.seq >= 0 && next.clock > 0)) throw next;
    const all = next.announcements.flatMap(({ phases }) => phases.flatMap(({ from, until }) => [from, until]));
    if (page && next.seq < page.seq) return;
    const measured = next.clock + age * 1000 - Date.now();
    offset = page && Math.abs(measured - offset) < 6e4 ? Math.max(measured, offset) : measured; // caches only make it late
    [page, edges] = [next, all];
  };

  const load = async () => {
    due = Infinity;
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), 8000);
    try {
      const source = new URL(src || new URL("banner.json", script.src), document.baseURI);
      if (screen) source.searchParams.set("screen", screen); // so that it is known what this site shows
      const answer = await fetch(source, { signal: abort.signal, cache: "no-store", credentials: "omit" });
      if (!answer.ok) throw answer;
      accept(await answer.json(), answer.headers.get("Age"));
      failures = 0;
    } catch { failures += 1; }
    clearTimeout(limit);
    const seconds = Math.min(Math.max(page?.refresh_after || 30, 5) * 2 ** failures, 900);
    due = performance.now() + seconds * (800 + 400 * Math.random());
    tick();
  };

  /* Wakes for the next boundary or refresh, and never sleeps over 2^31-1 ms: such a timer would fire at once. */
  const tick = () => {
    clearTimeout(timer);
    draw();
    if (performance.now() >= due) load();
    const waits = edges.map((edge) => edge - now()).filter((wait) => wait > 0);
    timer = setTimeout(tick, Math.max(document.hidden ? 6e4 : 1, Math.min(due - performance.now(), 36e5, ...waits)));
  };

  const start = () => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    region = add(root, "div", { role: "status" });
    try { document.querySelector(target || "body").prepend(host); } catch { document.body.prepend(host); }
    document.addEventListener("visibilitychange", tick);
    tick();
  };

  load();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
