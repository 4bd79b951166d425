// Small comforts on top of pages that work without them.
"use strict";

// The menu is folded on a telephone and always open beside the page.
const menu = document.querySelector("details.menu");
if (menu) {
  const wide = window.matchMedia("(min-width: 62rem)");
  const fold = () => { menu.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
}

// A form of choices goes off by itself when a choice changes: style.css hides its button.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && form.matches("[data-autosubmit]")) form.requestSubmit();
});

// All the boxes of a table at once.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-check-all]")) return;
  const boxes = event.target.form.querySelectorAll(`input[name="${event.target.dataset.checkAll}"]`);
  for (const box of boxes) box.checked = event.target.checked;
});

// A question swapped into the dialog opens it; «No», Esc and an empty answer close it.
const dialog = document.getElementById("dialog");
let opener = null;
if (dialog) {
  document.addEventListener("htmx:after:swap", () => {
    const full = dialog.childElementCount > 0;
    if (full && !dialog.open) {
      opener = document.activeElement;
      dialog.ariaLabel = (dialog.querySelector("h2, p") ?? dialog).textContent; // its name
      dialog.showModal();
      if (!dialog.querySelector("[autofocus]")) dialog.focus(); // read from its beginning
      dialog.scrollTop = 0; // showModal goes to the first button, which may be the last line
    } else if (!full && dialog.open) {
      dialog.close();
    }
  });
  dialog.addEventListener("click", (event) => {
    const no = event.target.closest("[data-close]");
    if (no || event.target === dialog) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    else document.getElementById("content").focus();
    opener = null;
  });
}

// What came is told to who cannot see it; a list that refreshes by itself stays quiet.
document.addEventListener("htmx:after:swap", (event) => {
  const { target, sourceEvent } = event.detail?.ctx ?? {}; // none: uploads.js sent it
  const came = target?.id && document.getElementById(target.id);
  const words = came && came.querySelector("[data-told], .empty");
  if (words && sourceEvent?.type !== "every") {
    document.getElementById("told").textContent = words.dataset.told || words.textContent;
  }
});

// An htmx request that found nobody: say so, the page stays as it is.
document.addEventListener("htmx:error", () => {
  const alerts = document.getElementById("alerts");
  if (!alerts) return;
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  box.textContent = document.body.dataset.unreachable;
  alerts.replaceChildren(box);
});
document.addEventListener("htmx:before:request", () => {
  document.getElementById("alerts")?.replaceChildren();
});

// A page kept by the browser for «Back» may belong to a session that has ended.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
