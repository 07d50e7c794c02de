/* The list of imports: what is live in it waits while somebody is at it, and its ticks work after it was renewed. */
"use strict";

const region = () => document.getElementById("job-results");
const ticks = () => [...region().querySelectorAll("input.action-select")];

const isInUse = () =>
  document.hidden || region().contains(document.activeElement) || ticks().some((tick) => tick.checked);

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === region() && isInUse()) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target === region() && isInUse()) event.preventDefault(); // since the request was sent
});

/* Django's own script holds on to the ticks that the page began with. */
document.addEventListener("change", (event) => {
  if (!region().contains(event.target)) return;
  const all = ticks();
  if (event.target.id === "action-toggle") for (const tick of all) tick.checked = event.target.checked;
  const chosen = all.filter((tick) => tick.checked).length;
  const told = region().querySelector(".action-counter");
  if (told) told.textContent = `${chosen} of ${all.length} selected`;
});
