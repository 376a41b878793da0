// A link in an answer leads out of here: ask first, say where to, and open it beside the page. Without scripts the
// host is written behind each link.
"use strict";

(() => {
  const sheet = document.getElementById("leaving");
  if (!sheet) return;
  const place = document.getElementById("leaving-place");
  const go = document.getElementById("leaving-go");

  function ask(event) {
    const link = event.target.closest?.(".prose a[href]");
    if (!link) return;
    event.preventDefault();
    place.textContent = link.protocol === "mailto:" ? link.pathname : link.host;
    go.href = link.href;
    sheet.showModal();
  }

  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, ask);
  go.addEventListener("click", () => sheet.close());
})();
