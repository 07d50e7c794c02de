/* Search the targets of a column by typing: the editable combobox with a listbox of the ARIA Authoring Practices, in
   front of a native select, whose value is what the form sends. Touch screens keep the native list of the device. */
"use strict";

{
  const MOST_SHOWN = 300;
  const form = document.getElementById("configure-form");
  const list = Object.assign(document.createElement("div"), { id: "target-list", className: "target-list", hidden: true });
  const status = Object.assign(document.createElement("span"), { className: "visually-hidden" });
  let open = null; // the combobox whose list is shown
  let active = -1;

  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Target of the column");
  status.setAttribute("role", "status");
  form.append(list, status);

  const label = (select) => select.selectedOptions[0]?.textContent.trim() ?? "";

  /** Return the choices of a select, each once, with the name of its group. */
  const choices = (select) => {
    const found = [...select.options].map((option) => ({
      value: option.value,
      text: option.textContent.trim(),
      group: option.parentElement.label ?? "",
    }));
    for (const { value, textContent } of document.querySelectorAll("#own-attributes option")) {
      found.push({ value: `attribute:${value}`, text: textContent.trim() || value, group: "Custom attributes" });
    }
    const seen = new Set();
    return found.filter(({ value }) => !seen.has(value) && seen.add(value));
  };

  const options = () => [...list.querySelectorAll("[role=option]")];

  const place = () => {
    const box = open.getBoundingClientRect();
    const below = innerHeight - box.bottom - 8;
    const height = Math.min(320, Math.max(below, box.top - 8));
    list.style.insetInlineStart = `${box.left}px`;
    list.style.minWidth = `${box.width}px`;
    list.style.maxHeight = `${height}px`;
    list.style.top = below >= Math.min(height, list.scrollHeight) ? `${box.bottom}px` : "auto";
    list.style.bottom = list.style.top === "auto" ? `${innerHeight - box.top}px` : "auto";
  };

  const point = (index) => {
    const shown = options();
    shown[active]?.classList.remove("active");
    active = shown.length ? (index + shown.length) % shown.length : -1;
    if (active < 0) {
      open.removeAttribute("aria-activedescendant");
      return;
    }
    shown[active].classList.add("active");
    shown[active].scrollIntoView({ block: "nearest" });
    open.setAttribute("aria-activedescendant", shown[active].id);
  };

  const fill = (words) => {
    list.replaceChildren();
    const matches = choices(open.target).filter(({ text, value }) => {
      const name = `${text} ${value.slice(value.indexOf(":") + 1)}`.toLowerCase();
      return words.every((word) => name.includes(word));
    });
    let group = null;
    for (const [number, choice] of matches.slice(0, MOST_SHOWN).entries()) {
      if (!group || group.getAttribute("aria-label") !== choice.group) {
        group = document.createElement("div");
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", choice.group);
        if (choice.group) {
          const name = Object.assign(document.createElement("div"), { className: "group", textContent: choice.group });
          name.setAttribute("role", "presentation");
          group.append(name);
        }
        list.append(group);
      }
      const option = Object.assign(document.createElement("div"), { id: `target-option-${number}`, dir: "auto" });
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(choice.value === open.target.value));
      option.textContent = choice.text;
      option.dataset.value = choice.value;
      group.append(option);
    }
    if (!matches.length) {
      list.append(Object.assign(document.createElement("div"), { className: "group", textContent: "No match." }));
    }
    status.textContent = `${matches.length} choice${matches.length === 1 ? "" : "s"}`;
  };

  const show = (input, words = []) => {
    open = input;
    active = -1;
    fill(words);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    place();
    point(words.length ? 0 : Math.max(0, options().findIndex((o) => o.getAttribute("aria-selected") === "true")));
  };

  const close = () => {
    if (!open) return;
    open.value = label(open.target);
    open.setAttribute("aria-expanded", "false");
    open.removeAttribute("aria-activedescendant");
    open = null;
    list.hidden = true;
    status.textContent = "";
  };

  const take = (option) => {
    const { target } = open;
    const { value } = option.dataset;
    if (![...target.options].some((each) => each.value === value)) target.append(new Option(option.textContent, value));
    const changed = target.value !== value;
    target.value = value;
    close();
    if (changed) target.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const KEYS = {
    ArrowDown: (input) => (open ? point(active + 1) : show(input)),
    ArrowUp: (input) => (open ? point(active - 1) : show(input)),
    Enter: () => open && active >= 0 && take(options()[active]),
    Escape: () => close(),
  };

  const enhance = (select) => {
    const input = Object.assign(document.createElement("input"), { type: "text", className: "combobox", value: label(select) });
    const { id } = select;
    select.removeAttribute("id"); // links to the column lead to the visible control
    input.id = id;
    for (const [name, value] of Object.entries({
      role: "combobox", autocomplete: "off", spellcheck: "false", dir: "auto",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    })) input.setAttribute(name, value);
    for (const name of ["aria-label", "aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
    input.target = select;
    const frame = Object.assign(document.createElement("span"), { className: "typed" });
    frame.append(input);
    select.hidden = true;
    select.after(frame);

    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => open !== input && show(input));
    input.addEventListener("blur", close);
    input.addEventListener("input", () => show(input, input.value.toLowerCase().split(/\s+/).filter(Boolean)));
    input.addEventListener("change", (event) => event.stopPropagation()); // the select reports the choice
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape" ? open : event.key in KEYS) event.preventDefault();
      KEYS[event.key]?.(input);
    });
    select.addEventListener("change", () => (input.value = label(select)));
    select.addEventListener("shown", () => (input.value = label(select)));
  };

  list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the text field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  document.addEventListener("scroll", (event) => open && event.target !== list && place(), { capture: true, passive: true });
  addEventListener("resize", () => open && place());

  if (!matchMedia("(pointer: coarse)").matches) {
    for (const select of form.querySelectorAll("select.target")) enhance(select);
    document.getElementById("own-help")?.remove(); // instructions for pages without this script
  }
}
