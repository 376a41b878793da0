// The Aa menu: a change shows at once and is remembered by the server; without scripts the form has its own button.
"use strict";

(() => {
  const menu = document.getElementById("comfort");
  if (!menu) return;
  const form = menu.querySelector("form");

  form.addEventListener("change", async (event) => {
    const { name, value } = event.target;
    document.documentElement.dataset[name] = value;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => null);
    // Plain or formatted text comes from the server; the same pair comes back, as on any reload.
    if (answer && name === "text") location.assign(location.pathname);
  });

  const close = () => { menu.open = false; };
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) close(); });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
})();
