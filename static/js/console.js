/* Small conveniences of the owners' pages; each page works without them. */
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the clipboard (plain http on another host) the text is selected, to be copied by hand.
    if ("select" in source) source.select();
    else getSelection().selectAllChildren(source);
    return;
  }
  const before = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = before; }, 2000);
});

document.addEventListener("change", (event) => {
  const form = event.target.dataset.checkAll;
  if (!form) return;
  for (const box of document.querySelectorAll(`#${CSS.escape(form)} input[type=checkbox][name]`)) box.checked = event.target.checked;
});

// On a narrow screen the row of places scrolls: the current one should be seen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// A file may be dropped on the frame around its field.
for (const frame of document.querySelectorAll("[data-drop]")) {
  const field = document.getElementById(frame.dataset.drop);
  frame.addEventListener("dragover", (event) => { event.preventDefault(); frame.classList.add("over"); });
  frame.addEventListener("dragleave", () => frame.classList.remove("over"));
  frame.addEventListener("drop", (event) => {
    event.preventDefault();
    frame.classList.remove("over");
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
  });
}
