/* The name and type of a new attribute show only where one is chosen. */
"use strict";

document.querySelector(".import").classList.add("scripted");

const show = (select) => {
  select.closest("td").querySelector(".new-attribute").classList.toggle("open", select.value === "new");
};

for (const select of document.querySelectorAll("select[name^=target-]")) {
  show(select);
  select.addEventListener("change", () => show(select));
}
