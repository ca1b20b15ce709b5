/* A website as any other that embeds the banner; only the document it is given is the one of an instant (`?at=` in ms). */
(() => {
  "use strict";
  const options = new URLSearchParams(location.search);
  const script = document.createElement("script");
  script.async = true;
  script.src = "surfaces/banner.js";
  script.dataset.lang = options.get("lang") || "zh-Hans";
  script.dataset.src = `api/document/banner?at=${encodeURIComponent(options.get("at") || "")}`;
  document.head.append(script);
})();
