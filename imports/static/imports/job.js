/* Report the progress of a running import outside the part of the page that is fetched again: the title, the status
   for screen readers, a lost connection. */
"use strict";

const title = document.title;
let announced = "";

/* Announce a new stage, and each quarter of a stage, to screen readers; not every second. */
const announce = () => {
  const live = document.getElementById("live");
  if (!live) return;
  const { state, told: stage, percent } = live.dataset;
  document.getElementById("state").textContent = state;
  const quarter = percent ? Math.floor(percent / 25) * 25 : 0;
  const text = quarter ? `${stage}, ${quarter}%` : stage;
  document.title = percent ? `${percent}% ${title}` : title;
  if (text !== announced) document.getElementById("told").textContent = announced = text;
};

document.addEventListener("htmx:afterSwap", announce);
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, () => { document.getElementById("lost").hidden = false; });
}
document.addEventListener("htmx:afterOnLoad", () => { document.getElementById("lost").hidden = true; });

/* Ignore further clicks until the answer arrives: the server would refuse a second request as out of date. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.transitions")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "true";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.transitions")) delete form.dataset.sent;
});

/* The page has at most one invalid field; screen readers read its error with it. */
document.querySelector("[aria-invalid=true]")?.focus();
announce();
