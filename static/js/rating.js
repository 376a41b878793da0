// The rating desk in the browser: keys, saving with retries, drafts, folding, differences. Without it every form still works.
"use strict";

(() => {
  const FORM = "#pair, #guess"; // a pair to judge, or the question that may follow one
  if (!document.querySelector(FORM)) return; // the last page of the practice has none
  const QUIET_AFTER_SWAP = 400; // ms in which no key acts, so that a key meant for the last pair cannot judge the next
  const FOLD_AT = 1600; // px; a response beyond this folds, and then both do, at the same height
  const FOLD_TO = 1200;
  const FOLD_REQUEST_AT = 420;
  const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
  const narrow = matchMedia("(max-width: 48rem)");
  const root = document.documentElement;
  const status = document.getElementById("status");
  const askline = document.getElementById("askline");
  const desk = { busy: false, quietUntil: 0, pressed: null, held: null, tries: 0, timer: 0 };

  const pair = () => document.querySelector(FORM);
  const one = (selector) => pair().querySelector(selector);
  const all = (selector) => [...pair().querySelectorAll(selector)];
  const field = (name) => pair().querySelector(`input[type=hidden][name="${name}"]`);
  const locked = () => desk.busy || performance.now() < desk.quietUntil;

  function say(text, tone = "quiet") {
    status.dataset.tone = tone;
    status.textContent = text;
  }

  // --- what stays in the browser until it is saved -------------------------------------------------------------------
  const draftKey = () => `draft:${field("assignment").value}`;

  function restoreDraft() {
    const box = one("textarea[name=comment]");
    if (!box) return;
    const kept = localStorage.getItem(draftKey());
    if (kept === null) return;
    box.value = kept;
    one("#comment").open = true;
  }

  document.addEventListener("input", (event) => {
    if (event.target.name === "comment") localStorage.setItem(draftKey(), event.target.value);
  });

  // --- the lines beside the verdict ----------------------------------------------------------------------------------
  const answered = (line) => Boolean(line.querySelector(":checked"));
  const prefers = (verdict) => verdict === "left" || verdict === "right";

  // Criteria are always asked; "good enough" and strength only once a side is preferred.
  function missing(verdict) {
    return all("[data-line]").filter((line) => !answered(line) && (!("after" in line.dataset) || prefers(verdict)));
  }

  function markCurrent() {
    const current = missing(desk.held?.value)[0] ?? null;
    for (const line of all("[data-line]")) line.toggleAttribute("data-current", line === current);
    return current;
  }

  function labelLines() {
    for (const line of all("[data-line]")) {
      line.querySelectorAll("label > span").forEach((label, index) => {
        const cap = document.createElement("kbd");
        cap.textContent = String(index + 1);
        cap.setAttribute("aria-hidden", "true");
        label.append(cap);
      });
    }
    markCurrent();
  }

  function press(button) {
    for (const other of all("button[name]")) other.removeAttribute("aria-pressed");
    button.setAttribute("aria-pressed", "true");
  }

  // A verdict whose questions are not all answered is held, pressed, until they are; then it goes by itself.
  function hold(button) {
    desk.held = button;
    press(button);
    const line = markCurrent();
    line.querySelector("input").focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
    say(`${status.dataset.missing} ${line.querySelector("legend b").textContent}`, "plain");
  }

  document.addEventListener("change", (event) => {
    if (!event.target.closest("[data-line]")) return;
    const next = markCurrent();
    if (!desk.held) return;
    if (next) hold(desk.held);
    else desk.held.click();
  });

  // --- saving --------------------------------------------------------------------------------------------------------
  function layout() {
    const cards = all(".card").map((card) => card.getBoundingClientRect());
    if (narrow.matches || (cards[1].width && cards[1].top >= cards[0].bottom)) return "stacked";
    return getComputedStyle(pair()).direction;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(":is(#pair, #guess) button[name]");
    if (!button) return;
    // The second half of a double click falls on the next pair: it was not meant for it.
    const again = desk.busy || event.detail > 1;
    const asks = button.name === "verdict" && missing(button.value).length > 0;
    if (again || asks) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (!again && asks) hold(button);
  }, true);

  document.addEventListener("submit", (event) => {
    if (event.target !== pair()) return;
    if (field("layout")) field("layout").value = layout();
    desk.pressed = event.submitter ?? desk.pressed;
    if (!pair().hasAttribute("hx-post")) desk.busy = true;
  }, true);

  function busy(on) {
    desk.busy = on;
    pair().setAttribute("aria-busy", String(on));
  }

  function retry() {
    clearTimeout(desk.timer);
    if (!desk.pressed?.isConnected || !desk.tries) return;
    desk.busy = false; // the same button, the same key: saved at most once
    desk.pressed.click();
  }

  function failed() {
    busy(true);
    say(navigator.onLine ? status.dataset.retrying : status.dataset.offline, "warn");
    const wait = RETRY_MS[Math.min(desk.tries, RETRY_MS.length - 1)];
    desk.tries += 1;
    clearTimeout(desk.timer);
    desk.timer = setTimeout(retry, wait);
  }

  addEventListener("online", retry);
  addEventListener("offline", () => { if (desk.tries) say(status.dataset.offline, "warn"); });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== pair()) return;
    busy(true);
    if (desk.pressed) press(desk.pressed);
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) document.addEventListener(name, failed);
  document.addEventListener("htmx:responseError", (event) => {
    const code = event.detail.xhr.status;
    if (code >= 500 || code === 429 || code === 408) failed();
    else location.assign("/rate/"); // refused for good (link withdrawn, experiment closed): that page says why
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.elt !== pair() || event.detail.xhr.status >= 400) return;
    if (event.detail.pathInfo.requestPath !== "/rate/undo/") localStorage.removeItem(draftKey());
  });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.matches?.(FORM)) arrive(true); });

  // --- reading -------------------------------------------------------------------------------------------------------
  function foldButton(text, open) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "unfold";
    button.textContent = text;
    button.addEventListener("click", open);
    return button;
  }

  function fold(boxes, height, text) {
    const unfold = () => {
      for (const box of boxes) box.classList.remove("folded");
      buttons.forEach((button) => button.remove());
    };
    const buttons = boxes.map((box) => {
      box.style.setProperty("--fold", `${height}px`);
      box.classList.add("folded");
      const button = foldButton(text, unfold);
      if (box.scrollHeight > box.clientHeight) box.after(button);
      box.addEventListener("focusin", unfold, { once: true });
      return button;
    });
  }

  function foldLong() {
    const outputs = all(".card > .prose");
    if (outputs.some((box) => box.scrollHeight > FOLD_AT)) fold(outputs, FOLD_TO, status.dataset.fold);
    const request = one("#request > .prose");
    if (request?.scrollHeight > FOLD_REQUEST_AT) fold([request], FOLD_REQUEST_AT * 0.6, status.dataset.foldRequest);
  }

  // What scrolls sideways must be reachable by keyboard.
  function reachScrollers() {
    for (const box of all(".prose :is(pre, table)")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }

  function watchRequest() {
    const request = one("#request");
    if (!askline || !request) return;
    const text = [...request.children].findLast((child) => child.matches(".prose"))?.textContent ?? "";
    askline.textContent = text.replace(/\s+/g, " ").trim().slice(0, 300);
    askline.dir = "auto";
    new IntersectionObserver(([entry], observer) => {
      if (!request.isConnected) return observer.disconnect();
      const gone = !entry.isIntersecting && entry.boundingClientRect.bottom < 1;
      askline.hidden = !gone;
      pair().toggleAttribute("data-scrolled", gone);
      return undefined;
    }).observe(request);
  }

  askline?.addEventListener("click", () => scrollTo({ top: 0 }));

  // The phone's A | B switch: each side comes back where it was left, the other starts at the same depth.
  function switchSides() {
    const places = {};
    let shown = "both";
    for (const button of all("[data-show]")) {
      button.addEventListener("click", () => {
        places[shown] = scrollY;
        const from = scrollY;
        shown = button.dataset.show;
        pair().dataset.side = shown;
        for (const other of all("[data-show]")) other.setAttribute("aria-pressed", String(other === button));
        scrollTo({ top: places[shown] ?? from, behavior: "instant" });
      });
    }
  }

  function differ() {
    const button = one("#differences");
    const [a, b] = all(".card > .prose");
    const on = button.getAttribute("aria-pressed") !== "true";
    const shown = on && window.differences.show(a, b);
    if (!shown) window.differences.hide();
    else if (field("differences_used")) field("differences_used").value = "1";
    button.setAttribute("aria-pressed", String(shown));
    if (on && !shown) say(status.dataset.long, "plain");
    else say(shown ? status.dataset.differences : status.dataset.plain);
  }

  // --- panels --------------------------------------------------------------------------------------------------------
  const dialog = (id) => document.getElementById(id);

  function open(id) {
    const sheet = dialog(id);
    if (sheet) sheet.showModal();
    else if (id === "instructions") location.assign("/rate/instructions/");
  }

  function comment() {
    const box = one("#comment");
    if (!box) return;
    box.open = true;
    box.querySelector("textarea").focus();
  }

  function cannot() {
    const panel = one("#cant");
    if (!panel) return;
    panel.open = !panel.open;
    if (panel.open) panel.querySelector("button").focus();
  }

  function closePanels() {
    const cant = one("#cant");
    if (cant?.open) {
      cant.open = false;
      cant.querySelector("summary").focus();
    } else if (document.activeElement?.name === "comment") {
      one("#comment").open = one("textarea[name=comment]").required;
      one("#comment summary").focus();
    }
    if (status.dataset.tone === "plain") say("");
  }

  document.addEventListener("click", (event) => {
    const cant = one("#cant");
    if (cant?.open && !cant.contains(event.target)) cant.open = false;
    if (event.target.closest("#show-keys")) open("keys");
    if (event.target.closest("#differences")) differ();
    if (event.target.closest("#instructions-link") && dialog("instructions")) {
      event.preventDefault();
      open("instructions");
    }
  });

  // --- keys ----------------------------------------------------------------------------------------------------------
  // ArrowLeft is always the card on the left of the screen; where they stand one above the other, the first is "left" in reading order.
  function point(key) {
    const first = getComputedStyle(pair()).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
    one(`.verdict[value=${key === first ? "left" : "right"}]`)?.focus();
  }

  function choose(digit) {
    const line = markCurrent();
    // Criteria come before the verdict, the other lines after it: they have nothing to say until a side is preferred.
    if (line) line.querySelectorAll("input")[digit - 1]?.click();
    else all("button.verdict[name]")[digit - 1]?.click();
    if (line && !desk.held) (markCurrent() ?? one("#verdict")).scrollIntoView({ block: "nearest" });
  }

  const actions = {
    1: () => choose(1), 2: () => choose(2), 3: () => choose(3), 4: () => choose(4), 0: cannot,
    z: () => one("#undo")?.click(), c: comment, d: () => one("#differences:not([hidden])")?.click(),
    i: () => open("instructions"), "?": () => open("keys"),
    ArrowLeft: () => point("ArrowLeft"), ArrowRight: () => point("ArrowRight"),
  };

  function typing(target) {
    return target.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  }

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const sends = (key === "Enter" || key === " ") && target.closest?.(FORM);
    // A held Enter presses a focused button again and again, and in a radio it would send the form.
    if (sends && !typing(target) && (event.repeat || locked() || target.matches("input"))) {
      if (key === "Enter" || event.repeat || locked()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || target.closest?.("#comfort[open]")) return;
    if (key === "Escape") return void closePanels();
    if (typing(target) || event.repeat || root.dataset.keys === "off") return;
    if (key.startsWith("Arrow") && (target.matches("input, [tabindex='0']") || event.shiftKey)) return;
    const act = Object.hasOwn(actions, key) ? actions[key] : actions[key.toLowerCase()];
    if (!act || (event.shiftKey && key !== "?" && !/\d/.test(key))) return;
    event.preventDefault();
    if (!locked()) act();
  });

  // Set only when it changes: a custom property of the root makes the browser look at every element again.
  const barHeight = new ResizeObserver(([entry]) => {
    const height = `${entry.target.offsetHeight}px`;
    if (root.style.getPropertyValue("--dock") !== height) root.style.setProperty("--dock", height);
  });

  // --- a pair arrives ------------------------------------------------------------------------------------------------
  function arrive(swapped) {
    clearTimeout(desk.timer);
    Object.assign(desk, { busy: false, pressed: null, held: null, tries: 0 });
    window.differences.hide();
    if (askline) askline.hidden = true;
    const button = one("#differences");
    if (button) button.hidden = !window.differences.supported;
    restoreDraft();
    labelLines();
    foldLong();
    reachScrollers();
    switchSides();
    watchRequest();
    barHeight.disconnect();
    barHeight.observe(one("#verdict"));
    if (!swapped) return;
    desk.quietUntil = performance.now() + QUIET_AFTER_SWAP;
    scrollTo({ top: 0, behavior: "instant" });
    one("#request").focus({ preventScroll: true });
    const place = document.querySelector("#progress > span")?.textContent ?? "";
    say(`${status.dataset.saved ?? ""} ${place}`);
  }

  // A page that comes back out of the browser's own cache is not to be believed.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  arrive(false);
})();
