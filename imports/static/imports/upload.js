/* Upload the file with a progress bar. Without scripts, the browser submits the form itself. */
"use strict";

const form = document.getElementById("upload-form");
const field = form.elements.file;
const zone = document.getElementById("drop-zone");

for (const name of ["dragover", "dragleave", "drop"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.toggle("over", name === "dragover");
  });
}

zone.addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length) {
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

field.addEventListener("change", () => {
  const name = form.elements.name;
  if (field.files.length && (!name.value || name.dataset.prefilled === name.value)) {
    name.value = name.dataset.prefilled = field.files[0].name;
  }
});

const megabytes = (bytes) => (bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0);

form.addEventListener("submit", (event) => {
  const file = field.files[0];
  if (!file) return;
  event.preventDefault();
  const bar = document.getElementById("upload-bar");
  const progress = document.getElementById("upload-told");
  const button = form.querySelector("input[type=submit]");
  const began = performance.now();
  const sending = new XMLHttpRequest();
  document.getElementById("upload-progress").hidden = false;
  button.disabled = true;

  sending.upload.addEventListener("progress", ({ loaded, total }) => {
    const seconds = (performance.now() - began) / 1000;
    const rate = loaded / seconds;
    bar.value = (100 * loaded) / total;
    progress.textContent = loaded < total
      ? `${megabytes(loaded)} of ${megabytes(total)} MB · ${megabytes(rate)} MB/s · ${Math.ceil((total - loaded) / rate)} s left`
      : "Reading the file…";
  });
  sending.addEventListener("load", () => {
    const requested = location.href.split("#")[0]; // the URL of a response has no fragment
    if (sending.status >= 400 || sending.responseURL !== requested) {
      if (sending.status < 400) location.assign(sending.responseURL);
      else progress.textContent = "The upload failed. Reload this page and try again.";
      return;
    }
    const answer = new DOMParser().parseFromString(sending.responseText, "text/html");
    document.title = answer.title;
    for (const old of form.querySelectorAll(".form-row.errors")) {
      old.classList.remove("errors");
      old.querySelector(".errorlist").remove();
    }
    for (const row of answer.querySelectorAll(".form-row.errors .errorlist")) {
      const here = document.getElementById(row.parentElement.id);
      here.classList.add("errors");
      here.prepend(document.adoptNode(row));
    }
    document.getElementById("errornote")?.remove();
    const note = answer.getElementById("errornote");
    if (note) {
      form.prepend(document.adoptNode(note));
      document.getElementById("errornote").focus();
    }
    document.getElementById("upload-progress").hidden = true;
    button.disabled = false;
  });
  sending.addEventListener("error", () => {
    progress.textContent = "The connection was lost. The file and the name are still here: press Upload to try again.";
    button.disabled = false;
  });
  sending.addEventListener("abort", () => {
    document.getElementById("upload-progress").hidden = true;
    button.disabled = false;
    button.focus();
  });
  document.getElementById("upload-cancel").onclick = () => sending.abort();
  sending.open("POST", location.href);
  sending.send(new FormData(form));
});
