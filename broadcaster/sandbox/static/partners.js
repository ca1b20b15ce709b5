/* What each partner's endpoint received, the newest first, by GET /api/partners. */
(() => {
  "use strict";
  const POLL = 2000;
  const $ = (selector) => document.querySelector(selector);
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  let known = "";

  const item = (event) => element("li", {},
    element("time", { textContent: event.local }), " ", element("code", { textContent: event.type }),
    element("p", { textContent: event.text, lang: event.language }));

  const card = ({ name, label, events }) => element("section", { id: name, ariaLabel: label },
    element("h2", {}, `${label} `, element("span", { textContent: name })),
    events.length ? element("ol", {}, ...[...events].reverse().map(item)) : element("p", { className: "empty", textContent: "尚无消息 nothing yet" }));

  const follow = async () => {
    try {
      const answer = await fetch("api/partners", { cache: "no-store" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const text = await answer.text();
      if (text !== known) $("main").replaceChildren(...JSON.parse(text).partners.map(card));
      known = text;
      $("#trouble").textContent = "";
    } catch (error) { $("#trouble").textContent = `连接中断 no connection: ${error.message}`; }
    setTimeout(follow, POLL);
  };
  follow();
})();
