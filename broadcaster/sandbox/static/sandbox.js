/* What the public would see, by virtual time: a timeline of what went out, and four devices that look at it.

   Talks to GET /api/timeline and GET /api/shown?at=&language=; the website and the kiosk run the product's own scripts
   on GET /api/document/{banner,kiosk}?at=. Times are UTC milliseconds. */
(() => {
  "use strict";
  const POLL = 2000;
  const MINUTE = 60e3;
  const HOUR = 60 * MINUTE;
  const PAINTS = ["#1457a8", "#07a35a", "#d9480f", "#7a3fb0", "#0b8a99", "#c2255c", "#8a6d00", "#4a5a6a", "#2f9e44", "#5c4bd8", "#b35900", "#0077b6"];
  const KIOSK = { portrait: [1080, 1920], landscape: [1920, 1080] };

  const $ = (selector) => document.querySelector(selector);
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const painted = (node, channel) => { node.style.setProperty("--paint", paintOf(channel)); return node; };

  let timeline = { clock: Date.now(), moments: [], zone: "UTC", totals: {} };
  let at = Number(new URLSearchParams(location.search).get("at")) || 0;
  let live = at === 0;
  let language = "zh-Hans";
  let shown = null; // the newest answer of /api/shown
  let reading = null; // the article that is open
  let asking = null; // the request for /api/shown under way

  const channels = () => [...new Set(timeline.moments.map((moment) => moment.channel))];
  const paintOf = (channel) => PAINTS[Math.max(channels().indexOf(channel), 0) % PAINTS.length];
  const instants = () => [...new Set(timeline.moments.map((moment) => moment.at))].sort((a, b) => a - b);

  /* ---- time as text ---- */

  const local = (instant, options) => {
    const parts = {};
    const format = new Intl.DateTimeFormat("en-CA", {
      timeZone: timeline.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    for (const { type, value } of format.formatToParts(instant)) parts[type] = value;
    const day = `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
    return options?.seconds ? `${day}:${parts.second}` : day;
  };

  /* ---- the scale: weeks without an event shrink, so that ticks of the same day stay apart ---- */

  const scale = () => {
    const points = [...new Set([...instants(), timeline.clock])].sort((a, b) => a - b);
    const sums = [0.5];
    for (let i = 1; i < points.length; i += 1) sums.push(sums[i - 1] + 0.5 + Math.log1p((points[i] - points[i - 1]) / HOUR));
    const whole = sums[sums.length - 1] + 0.5;
    const between = (value, from, to) => {
      const last = from.length - 1;
      if (value <= from[0]) return to[0];
      if (value >= from[last]) return to[last];
      const i = from.findIndex((x) => x > value);
      return to[i - 1] + (to[i] - to[i - 1]) * (value - from[i - 1]) / (from[i] - from[i - 1]);
    };
    const places = sums.map((sum) => sum / whole);
    return { place: (instant) => between(instant, points, places), instant: (place) => Math.round(between(place, places, points)) };
  };

  /* ---- the timeline ---- */

  /* What is known of something; a supplier's own format does not tell the phase. */
  const joined = (...words) => words.filter(Boolean).join(" · ");

  const percent = (place) => `${(place * 100).toFixed(3)}%`;

  const drawLanes = () => {
    const { place } = scale();
    const lanes = channels();
    $("#names").replaceChildren(...lanes.map((channel) => element("div", { textContent: channel, title: channel })));
    $("#rows").replaceChildren(...lanes.map((channel) => {
      const ticks = timeline.moments.filter((moment) => moment.channel === channel).map((moment) => {
        const tick = element("div", {
          className: moment.at > at ? "tick ahead" : "tick",
          title: joined(moment.local, moment.channel, moment.phase, moment.count.toLocaleString()),
        });
        tick.style.left = percent(place(moment.at));
        return painted(tick, channel);
      });
      return element("div", {}, ...ticks);
    }));
    drawLabels(place);
    drawCursor();
    drawOperators();
  };

  /* Two rows of phase names; one that would lie on another is left out: its ticks and the line above still tell it. */
  const drawLabels = (place) => {
    const width = $("#lanes").clientWidth;
    const current = lastBefore(at);
    const free = [-Infinity, -Infinity];
    const labels = [];
    const byInstant = instants().map((instant) => [instant, [...new Set(timeline.moments.filter((one) => one.at === instant).map((one) => one.phase))]]);
    let before = "";
    for (const [instant, phases] of byInstant) {
      const text = joined(...phases);
      if (!text) continue;
      const half = text.length * 3.4 + 6;
      const x = Math.min(Math.max(place(instant) * width, half), width - half);
      const row = free.findIndex((edge) => edge <= x - half);
      if (row < 0 || (text === before && instant !== current)) continue;
      free[row] = x + half;
      before = text;
      const label = element("span", { textContent: text, className: instant === current ? "on" : "" });
      label.style.left = `${x}px`;
      label.style.top = `${(1 - row) * 18}px`;
      labels.push(label);
    }
    $("#labels").replaceChildren(...labels);
  };

  const lastBefore = (instant) => instants().filter((one) => one <= instant).pop();

  const drawCursor = () => {
    $("#cursor").style.left = percent(scale().place(at));
    $("#instant").textContent = at ? local(at, { seconds: true }) : "";
    const current = timeline.moments.filter((moment) => moment.at === lastBefore(at));
    const chip = ({ channel, count, local: when }) =>
      painted(element("span", { className: "chip", textContent: `${channel} ${count.toLocaleString()}`, title: when }), channel);
    $("#happening").replaceChildren(...[...new Set(current.map((moment) => moment.phase))].flatMap((phase) =>
      [...(phase ? [element("b", { textContent: phase })] : []), ...current.filter((moment) => moment.phase === phase).map(chip)]));
    const all = instants();
    $("#previous").disabled = !all.some((one) => one < at);
    $("#next").disabled = !all.some((one) => one > at);
    $("#live").setAttribute("aria-pressed", String(live));
    const slider = $("#lanes");
    slider.setAttribute("aria-valuemin", String(all[0] || 0));
    slider.setAttribute("aria-valuemax", String(Math.max(timeline.clock, all[all.length - 1] || 0)));
    slider.setAttribute("aria-valuenow", String(at));
    slider.setAttribute("aria-valuetext", $("#instant").textContent);
  };

  const drawTotals = () => document.querySelectorAll("[data-total]").forEach((place) => {
    const { total } = place.dataset;
    const value = timeline.totals[total] ?? 0;
    place.textContent = value.toLocaleString();
    place.classList.toggle("alarm", total === "duplicates" && value > 0); // a repeat is a retry under a used key
  });

  /* ---- what the organisation's own operators were told by then, the newest first ---- */

  const drawOperators = () => {
    const told = (timeline.operators || []).filter((one) => one.at <= at).reverse();
    const words = (one) => one.text[language] || Object.values(one.text)[0] || "";
    $("#operators").hidden = !told.length;
    $("#newest").textContent = told.length ? `${told.length} · ${told[0].local} · ${told[0].type} · ${words(told[0])}` : "";
    $("#operators ol").replaceChildren(...told.map((one) =>
      element("li", {}, element("time", { textContent: one.local }), ` · ${one.to} · ${one.type}`, element("br", {}), words(one))));
  };

  /* ---- the phone ---- */

  const empty = () => element("p", { className: "empty", textContent: "尚无消息 nothing yet" });

  const drawPhone = () => {
    const messages = shown.phone?.messages || [];
    $("#number").textContent = shown.phone?.number || "";
    const last = messages.length - 1;
    const bubbles = messages.flatMap((message, index) => [
      element("p", { className: "when", textContent: joined(local(message.at), message.phase) }),
      element("div", { className: index === last ? "bubble now" : "bubble", textContent: message.text, lang: message.language }),
    ]);
    $("#thread").replaceChildren(...(bubbles.length ? bubbles : [empty()]));
    $("#thread").scrollTop = $("#thread").scrollHeight;
  };

  /* ---- WeChat ---- */

  const articleName = (account, article) => `${account.name} ${article.broadcast}`;
  const FATES = { deleted: "已删除 deleted", linked: "已更新 replaced", left: "未处理 left as it was" };

  const drawPosts = () => {
    const accounts = shown.wechat?.accounts || [];
    const posts = accounts.flatMap((account) => account.articles.map((article) => ({ account, article })))
      .sort((a, b) => b.article.at - a.article.at);
    const articles = posts.map(({ account, article }) => ({ at: article.at, nodes: [
      element("p", { className: "when", textContent: joined(local(article.at), accounts.length > 1 && account.name, article.phase) }),
      element("button", { type: "button", className: article.replaced ? "card replaced" : "card", onclick: () => openArticle(articleName(account, article)) },
        element("i", {}), element("b", { textContent: article.title }), element("span", { textContent: article.digest }),
        ...(article.replaced ? [element("em", { textContent: FATES[article.replaced.action] })] : [])),
    ] }));
    const cards = [...articles, ...toldToFollower()].sort((a, b) => b.at - a.at).flatMap(({ nodes }) => nodes);
    $("#posts").replaceChildren(...(cards.length ? cards : [empty()]));
    $("#account").textContent = accounts.length === 1 ? accounts[0].name : "订阅号消息";
    const open = posts.find(({ account, article }) => articleName(account, article) === reading);
    drawArticle(open);
  };

  /* Template messages, as one who follows the account reads them among its articles. */
  const toldToFollower = () => (shown.follower?.messages || []).map((message) => ({ at: message.at, nodes: [
    element("p", { className: "when", textContent: joined(local(message.at), shown.follower.openid, message.phase) }),
    element("div", { className: "card told", textContent: message.text, lang: message.language }),
  ] }));

  const openArticle = (name) => { reading = name; drawPosts(); };

  const ARTICLE_STYLE = `<!doctype html><meta charset="utf-8"><style>body{margin:0 14px 16px;overflow-wrap:anywhere;
font:15px/1.7 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif;color:#222}img,table{max-width:100%}</style>`;

  const drawArticle = (open) => {
    $("#article").hidden = $("#back").hidden = !open;
    $("#posts").hidden = Boolean(open);
    if (!open) { reading = null; return; }
    const { account, article } = open;
    $("#account").textContent = account.name;
    $("#article h3").textContent = article.title;
    $("#article p").textContent = joined(article.author, local(article.at));
    drawReplaced(account, article.replaced);
    const html = ARTICLE_STYLE + (article.replaced?.action === "deleted" ? "<p>该内容已被发布者删除 deleted by its publisher</p>" : article.body);
    if ($("#article iframe").srcdoc !== html) $("#article iframe").srcdoc = html;
  };

  /* An article that was replaced says so, and leads to its successor. */
  const drawReplaced = (account, replaced) => {
    const successor = replaced && account.articles.find(({ broadcast }) => broadcast === replaced.by);
    $("#replaced").hidden = !successor;
    if (!successor) return;
    $("#replaced").replaceChildren(`${FATES[replaced.action]} · `,
      element("button", { type: "button", textContent: successor.title, onclick: () => openArticle(articleName(account, successor)) }));
  };

  /* ---- the website and the kiosk: the product's own pages, given the document of an instant ---- */

  /* What a document makes visible: all of it but its clock, and the phase that holds. */
  const looks = (page) => JSON.stringify(page && {
    announcements: page.announcements,
    phases: page.announcements.map((one) => one.phases.findIndex(({ from, until }) => from <= at && (until === null || at < until))),
  });

  const frames = {};
  const drawFrame = (frame, page, address) => {
    const state = { address: address(0), look: looks(page) };
    const before = frames[frame];
    const drift = before ? Math.abs(at - before.at - (live ? performance.now() - before.since : 0)) : Infinity;
    const same = before && before.address === state.address && before.look === state.look;
    if (same && drift <= (live ? MINUTE : 0)) return;
    frames[frame] = { ...state, at, since: performance.now() };
    $(`${frame} iframe`).contentWindow.location.replace(address(at));
  };

  const drawFrames = () => {
    drawFrame("#site", shown.banner, (instant) => `site?at=${instant}&lang=${encodeURIComponent(language)}`);
    $("#screen").hidden = !shown.kiosk;
    $("#dark").hidden = Boolean(shown.kiosk);
    if (!shown.kiosk) return;
    const base = new URL("api/document/kiosk", location.href).pathname;
    drawFrame("#kiosk", shown.kiosk, (instant) => `surfaces/kiosk?seconds=6&src=${encodeURIComponent(`${base}?at=${instant}`)}`);
    fitKiosk();
  };

  let upright = true;
  const fitKiosk = () => {
    const { clientWidth, clientHeight } = $("#screen");
    const [width, height] = upright ? KIOSK.portrait : KIOSK.landscape;
    const ratio = Math.min(clientWidth / width, clientHeight / height);
    Object.assign($("#screen iframe").style, {
      width: `${width}px`, height: `${height}px`, transform: `scale(${ratio})`,
      left: `${(clientWidth - width * ratio) / 2}px`, top: `${(clientHeight - height * ratio) / 2}px`,
    });
  };

  /* ---- asking ---- */

  const trouble = (error) => { $("#trouble").textContent = error ? `连接中断 no connection: ${error.message}` : ""; };

  const ask = async (path, signal) => {
    const answer = await fetch(path, { signal, cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status} ${path}`);
    return answer.json();
  };

  const show = async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const answer = await ask(`api/shown?at=${at}&language=${encodeURIComponent(language)}`, signal);
      const fresh = JSON.stringify({ ...answer, at: 0, banner: 0, kiosk: 0 });
      const known = shown && JSON.stringify({ ...shown, at: 0, banner: 0, kiosk: 0 });
      shown = answer;
      if (fresh !== known) { drawPhone(); drawPosts(); }
      drawFrames();
      trouble(null);
    } catch (error) { if (!signal.aborted) trouble(error); }
  };

  const follow = async () => {
    try {
      timeline = await ask("api/timeline");
      trouble(null);
      const moved = live && at !== timeline.clock;
      if (moved) at = timeline.clock;
      drawTotals();
      drawLanes();
      if (moved || !shown) await show();
    } catch (error) { trouble(error); }
    setTimeout(follow, POLL);
  };

  /* ---- moving in time ---- */

  let settle;
  const go = (instant, { calm = false } = {}) => {
    if (instant === undefined) return;
    live = false;
    at = instant;
    drawLanes();
    clearTimeout(settle);
    settle = setTimeout(show, calm ? 150 : 0);
  };
  const goLive = () => {
    live = true;
    at = timeline.clock;
    drawLanes();
    show();
  };
  const previous = () => go(instants().filter((one) => one < at).pop());
  const next = () => go(instants().find((one) => one > at));

  $("#previous").onclick = previous;
  $("#next").onclick = next;
  $("#live").onclick = goLive;
  $("#back").onclick = () => openArticle(null);
  $("#turn").onclick = () => { upright = !upright; fitKiosk(); };
  $("#languages").onclick = ({ target }) => {
    if (!target.dataset.language) return;
    language = target.dataset.language;
    document.querySelectorAll("[data-language]").forEach((button) => button.setAttribute("aria-pressed", String(button === target)));
    drawOperators();
    show();
  };

  const KEYS = {
    ArrowLeft: previous, ArrowRight: next, Home: () => go(instants()[0]), End: () => go(instants().pop()), l: goLive, L: goLive,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  const pointed = (event) => {
    const box = $("#lanes").getBoundingClientRect();
    const { place, instant } = scale();
    const x = (event.clientX - box.left) / box.width;
    const near = instants().map((one) => [Math.abs(place(one) - x) * box.width, one]).sort((a, b) => a[0] - b[0])[0];
    go(near && near[0] < 7 ? near[1] : instant(x), { calm: true });
  };
  const lanes = $("#lanes");
  lanes.addEventListener("pointerdown", (event) => { lanes.setPointerCapture(event.pointerId); pointed(event); });
  lanes.addEventListener("pointermove", (event) => { if (lanes.hasPointerCapture(event.pointerId)) pointed(event); });

  new ResizeObserver(() => { fitKiosk(); drawLanes(); }).observe($("main"));
  follow();
})();
