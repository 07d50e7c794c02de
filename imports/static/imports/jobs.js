/* The list of imports: do not refresh it while it is in use, and keep its checkboxes working after a refresh. */
"use strict";

const region = () => document.getElementById("job-results");
const ticks = () => [...region().querySelectorAll("input.action-select")];

const isInUse = () =>
  document.hidden || region().contains(document.activeElement) || ticks().some((tick) => tick.checked);

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === region() && isInUse()) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target === region() && isInUse()) event.preventDefault(); // in use since the request was sent
});

/* Django's own script only knows the checkboxes that the page was loaded with. */
document.addEventListener("change", (event) => {
  if (!region().contains(event.target)) return;
  const all = ticks();
  if (event.target.id === "action-toggle") for (const tick of all) tick.checked = event.target.checked;
  const chosen = all.filter((tick) => tick.checked).length;
  const counter = region().querySelector(".action-counter");
  if (counter) counter.textContent = `${chosen} of ${all.length} selected`;
});
