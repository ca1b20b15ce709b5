/* A screen in a hall: shows each announcement's present phase page by page, language by language, for weeks on end.

   What was last shown is kept, so that neither a failed refresh nor a restart without a server leaves the screen blank.
   The clock is the document's (`clock`), not the machine's. Texts are put in as text nodes only. */
(() => {
  "use strict";
  const options = new URLSearchParams(location.search);
  const pinned = options.get("lang");
  const stay = Math.min(Math.max(Number(options.get("seconds")) || 12, 2), 600) * 1000;
  const MINUTE = 60e3;
  const TARGET = 6.67; // vmin of an em: see kiosk.css
  const LARGEST = 9;
  const SMALLEST = 2;

  const $ = (id) => document.getElementById(id);
  const isChinese = (language) => /^zh/i.test(language || "");

  /* ---- where the document comes from, and where it is kept ---- */

  /* Another document of this server (`?src=/…`); anything else is ignored. */
  const otherSource = () => {
    const path = options.get("src") || "";
    if (!path.startsWith("/")) return null;
    const address = new URL(path, location.href);
    return address.origin === location.origin ? address : null;
  };
  const other = otherSource();
  const source = other || new URL("kiosk.json", location.href);
  if (options.get("screen")) source.searchParams.set("screen", options.get("screen")); // so that it is known what we show

  const kept = {
    key: "broadcaster:kiosk",
    read() {
      try { return other ? null : JSON.parse(localStorage.getItem(this.key)); } catch { return null; }
    },
    write(value) {
      try { if (!other) localStorage.setItem(this.key, JSON.stringify(value)); } catch { /* shown until the next restart */ }
    },
  };

  const isDocument = (value) => value?.surface === "kiosk" && value.seq >= 0 && value.clock > 0
    && Array.isArray(value.announcements) && value.announcements.every((one) => Array.isArray(one.phases));

  /* ---- state ---- */

  let page = null; // the document in force
  let zone; // of the announcement shown last; until there is one, the machine's
  let offset = 0; // campaign time minus the machine's
  let due = 0, failures = 0;
  let slides = [], slide = 0, round = 0, turnAt = 0, shown = "", timer;

  /* A machine that lost its clock wakes in the past; the newest document is a lower bound. */
  const machineNow = () => Date.now() + offset;
  const now = () => Math.max(machineNow(), page ? page.clock : 0);
  const clockIsDoubtful = () => page !== null && machineNow() < page.clock - MINUTE;

  /* ---- what is to be shown ---- */

  /* The clock never says that an outage is over: such a phase counts only if it had begun when the document was made. */
  const unconfirmed = ({ phase, from }) => /^(restored|cancelled)$/.test(phase) && from > page.issued_at;

  const present = (phases) => phases.filter((one) => one.from <= now() && !unconfirmed(one)
    && (one.until === null || one.until > now() || phases.some((x) => unconfirmed(x) && x.from === one.until))).pop();

  const nearest = (languages, wanted) => languages.find((x) => x.toLowerCase() === wanted.toLowerCase())
    || languages.find((x) => x.split("-")[0] === wanted.split("-")[0].toLowerCase()) || languages[0];

  /* One screenful each, of every announcement that has something to say now. */
  const slidesOf = (announcement) => {
    try {
      const phase = present(announcement.phases);
      if (!phase) return [];
      const { severity, qr, languages } = announcement;
      const paint = phase.phase === "restored" ? "restored" : phase.phase === "cancelled" ? "info" : severity;
      const spoken = languages.filter((language) => phase.text[language]);
      return (pinned ? [nearest(spoken, pinned)] : spoken).flatMap((language) => {
        const { title, pages, contact } = phase.text[language];
        return pages.map((text) => ({ language, title, text, contact, paint, zone: announcement.zone, qr: qr || "" }));
      });
    } catch { return []; }
  };

  const RANK = ["critical", "major", "minor", "info"];
  const presentSlides = () => (page ? page.announcements : [])
    .slice().sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity)).flatMap(slidesOf);

  const languagesOf = (all) => [...new Set(all.map((one) => one.language))];
  const inRound = (all) => {
    const languages = languagesOf(all);
    return all.filter((one) => pinned || one.language === languages[round % languages.length]);
  };

  /* ---- putting it on the screen ---- */

  const largest = (low, high, fits) => {
    for (let step = 0; step < 8; step += 1) {
      const middle = (low + high) / 2;
      if (fits(middle)) low = middle; else high = middle;
    }
    return low;
  };

  /* Puts a page on the screen as large as it fits: with its lines as written if that is readable at two metres, else
     with its lines wrapped. */
  const showPage = (text) => {
    const area = $("page");
    const box = document.createElement("div");
    box.append(...text.split("\n").map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    area.replaceChildren(box);
    const style = getComputedStyle(area);
    const width = area.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = area.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const fits = (em) => {
      box.style.fontSize = `${em}vmin`;
      return box.offsetHeight <= height && box.offsetWidth <= width && box.scrollWidth <= width;
    };
    box.className = "still";
    const asWritten = largest(SMALLEST, LARGEST, fits);
    box.className = "wrapped";
    const wrapped = largest(SMALLEST, TARGET, fits);
    const still = asWritten > wrapped * 0.88; // a little smaller is better than a line cut in two
    box.className = still ? "still" : "wrapped";
    box.style.fontSize = `${still ? asWritten : wrapped}vmin`;
  };

  const fitTitle = () => {
    const title = $("title");
    title.style.fontSize = "";
    title.style.whiteSpace = "";
    const ratio = title.clientWidth / title.scrollWidth;
    if (ratio >= 1) return;
    const em = parseFloat(getComputedStyle(title).fontSize) * 100 / Math.min(innerWidth, innerHeight);
    if (ratio > 0.75) title.style.fontSize = `${em * ratio - 0.02}vmin`;
    else title.style.whiteSpace = "normal";
  };

  const show = () => {
    const current = slides[slide];
    $("screen").className = current ? current.paint : "idle";
    if (!current) return;
    document.documentElement.lang = current.language;
    $("title").textContent = current.title;
    $("contact").textContent = current.contact;
    $("code").hidden = !current.qr.startsWith("data:image/");
    if (!$("code").hidden) $("qr").src = current.qr;
    $("caption").textContent = $("qr").alt = isChinese(current.language) ? "扫码" : "Scan";
    $("dots").replaceChildren(...(slides.length > 1 ? slides : []).map((_, index) =>
      Object.assign(document.createElement("li"), { className: index === slide ? "on" : "" })));
    fitTitle();
    showPage(current.text);
  };

  const start = (all) => {
    slides = inRound(all);
    slide = 0;
    turnAt = performance.now() + stay;
    show();
  };

  const turn = (all) => {
    if (slide + 1 < slides.length) {
      slide += 1;
      turnAt = performance.now() + stay;
      show();
    } else {
      round += 1;
      if (all.length > 1) start(all); else turnAt = performance.now() + stay;
    }
  };

  /* ---- the clock in the corner, and how old the news is ---- */

  const format = (instant, language, how) => {
    try {
      return new Intl.DateTimeFormat(language, { ...how, timeZone: zone }).format(instant);
    } catch { return new Intl.DateTimeFormat(undefined, how).format(instant); }
  };
  const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const put = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

  const showTime = () => {
    zone = slides[slide]?.zone || page?.announcements[0]?.zone || zone;
    const language = slides[slide]?.language || pinned || navigator.language;
    const known = !clockIsDoubtful();
    put("time", known ? format(now(), language, CLOCK) : "");
    put("date", known ? format(now(), language, { month: "short", day: "numeric", weekday: "short" }) : "");
    $("stale").hidden = !page || (known && now() - page.clock <= 5 * MINUTE);
    if ($("stale").hidden) return;
    const day = now() - page.clock > 12 * 60 * MINUTE || !known ? { month: "2-digit", day: "2-digit" } : {};
    put("stale", `最后更新 / last update ${format(page.clock, "zh-Hans", { ...day, ...CLOCK })}`);
  };

  /* ---- the loop ---- */

  const load = async () => {
    due = Infinity;
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), 8000);
    try {
      const answer = await fetch(source, { signal: abort.signal, cache: "no-store", credentials: "omit" });
      if (!answer.ok) throw new TypeError(`answered ${answer.status}`);
      const next = await answer.json();
      if (!isDocument(next)) throw new TypeError("not a kiosk document");
      if (!page || next.seq >= page.seq) {
        const measured = next.clock + 1000 * answer.headers.get("Age") - Date.now();
        offset = page && Math.abs(measured - offset) < MINUTE ? Math.max(measured, offset) : measured; // caches only make it late
        page = next;
        kept.write({ page, offset, zone });
      }
      failures = 0;
    } catch { failures += 1; }
    clearTimeout(limit);
    const seconds = Math.min(Math.max(page?.refresh_after || 30, 5) * 2 ** failures, 300);
    due = performance.now() + seconds * (800 + 400 * Math.random());
    tick();
  };

  /* Once a second, on the second: boundaries lie on whole seconds, and no timer is ever long enough to overflow. */
  const tick = () => {
    clearTimeout(timer);
    timer = setTimeout(tick, 1000 - (Math.floor(now()) % 1000));
    if (performance.now() >= due) load();
    const all = presentSlides();
    const content = JSON.stringify(all);
    if (content !== shown) {
      shown = content;
      start(all);
    } else if (slides.length && performance.now() >= turnAt) turn(all);
    showTime();
  };

  const stored = kept.read();
  if (stored && isDocument(stored.page) && Number.isFinite(stored.offset)) ({ page, offset, zone } = stored);
  addEventListener("resize", show);
  document.addEventListener("visibilitychange", tick);
  tick();
})();
