/* What a person hears and sees of work that goes on, beside the part of the page that is fetched again. */
"use strict";

const title = document.title;
let said = "";

/* A reader is told of a new stage, and of each quarter of one; not of every second. */
const tell = () => {
  const live = document.getElementById("live");
  if (!live) return;
  const { state, told: stage, percent } = live.dataset;
  document.getElementById("state").textContent = state;
  const quarter = percent ? Math.floor(percent / 25) * 25 : 0;
  const text = quarter ? `${stage}, ${quarter}%` : stage;
  document.title = percent ? `${percent}% ${title}` : title;
  if (text !== said) document.getElementById("told").textContent = said = text;
};

document.addEventListener("htmx:afterSwap", tell);
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, () => { document.getElementById("lost").hidden = false; });
}
document.addEventListener("htmx:afterOnLoad", () => { document.getElementById("lost").hidden = true; });

/* Pressed once is pressed: a second click before the answer comes would only be told that it came too late. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.transitions")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "true";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.transitions")) delete form.dataset.sent;
});

/* There is only ever one thing to mend here: what is wrong with it is read out with the field. */
document.querySelector("[aria-invalid=true]")?.focus();
tell();
