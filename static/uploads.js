// Files dropped on the form, and how much of them has left. Without this the form works alone.
"use strict";

function comfortUpload(form) {
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const bar = form.querySelector("progress");
  const button = form.querySelector("button");

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });

  // What is too large is told before it is sent.
  input.addEventListener("change", () => {
    const size = [...input.files].reduce((sum, file) => sum + file.size, 0);
    input.setCustomValidity(size > Number(form.dataset.most) ? form.dataset.tooLarge : "");
    input.reportValidity();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (sent) => {
      bar.value = sent.lengthComputable ? (100 * sent.loaded) / sent.total : 0;
    });
    request.addEventListener("load", () => show(request));
    request.addEventListener("error", () => {
      bar.hidden = true;
      button.disabled = false;
      document.dispatchEvent(new Event("htmx:error"));
    });
    bar.hidden = false;
    button.disabled = true;
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

// The page that the answer is, in place of this one: loading it again would lose what it says.
function show(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  history.pushState(null, "", request.responseURL);
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  htmx.process(document.querySelector("main"));
  for (const form of document.querySelectorAll("form[data-upload]")) comfortUpload(form);
  document.dispatchEvent(new Event("htmx:after:swap")); // portal.js looks after what is new
  document.querySelector("main").focus();
}

for (const form of document.querySelectorAll("form[data-upload]")) comfortUpload(form);
