/* Show times in the user's own time zone, and name the zone with each. */
"use strict";

const shown = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const minutes = new Intl.DateTimeFormat("en-GB", shown);
const seconds = new Intl.DateTimeFormat("en-GB", { ...shown, second: "2-digit" });

const localise = (part) => {
  for (const time of part.querySelectorAll("time.when")) {
    time.title ||= time.textContent;
    time.textContent = (time.dataset.precision === "seconds" ? seconds : minutes).format(new Date(time.dateTime));
  }
};

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.detail.elt));
