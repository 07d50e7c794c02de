/* Save each choice when it is made. Without scripts, the buttons at the end of the form save them. */
"use strict";

{
  const form = document.getElementById("configure-form");
  const status = document.getElementById("save-told");
  const check = document.getElementById("check");
  let queue = Promise.resolve(); // requests are sent one after another, so that the last choice wins
  let waiting = 0;
  const unsaved = new Set(); // names of controls whose value was changed here and is not saved yet

  document.querySelector(".import").classList.add("scripted");

  const field = (name) => form.elements[name];
  const row = (position) => field(`target-${position}`)?.closest("tr");

  const unfold = (position) => {
    row(position).querySelector(".new-attribute").classList.toggle("open", field(`target-${position}`).value === "new");
  };

  /* --- answers of the server ---------------------------------------------------------------------- */

  /** Update a column's line from its marks, except for a text that is being typed. */
  const follow = (marks) => {
    const position = marks.id.slice("marks-".length);
    const { state, was, value, label, key, type } = marks.dataset;
    const target = field(`target-${position}`);
    if (!target) return;
    row(position).className = state;
    const visible = document.getElementById(`place-${position}`);
    for (const control of new Set([target, visible])) {
      if (state === "problem" || state === "undecided") control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    if (waiting || document.activeElement === field(`key-${position}`)) return;
    field(`was-${position}`).value = was;
    if (target.value !== value) {
      if (![...target.options].some((option) => option.value === value)) target.append(new Option(label, value));
      target.value = value;
      target.dispatchEvent(new Event("shown"));
    }
    field(`key-${position}`).value = key;
    field(`type-${position}`).value = type;
    unfold(position);
  };

  /** Update an option to the stored value, which may have been chosen on another page. */
  const show = ({ dataset: { option, value } }) => {
    const control = field(option);
    if (!control || waiting || unsaved.has(option) || document.activeElement === control) return;
    control.value = field(`was-${option}`).value = value;
  };

  const put = (part) => {
    const here = document.getElementById(part.id);
    if (!here || here.contains(document.activeElement) || (here.id === "identifiers" && waiting)) return;
    const others = part.querySelector("details");
    if (here.id === "identifiers" && others && here.querySelector("details")?.open) others.open = true;
    here.replaceWith(document.adoptNode(part));
  };

  const refresh = (text) => {
    const answer = new DOMParser().parseFromString(text, "text/html");
    const parts = [...answer.body.children].filter((part) => part.id);
    for (const part of parts) put(part);
    for (const part of parts) if (part.matches(".marks")) follow(part);
    for (const part of parts) if (part.matches(".told")) show(part);
    check.toggleAttribute("aria-disabled", false);
    if (undecided() || "lacking" in document.getElementById("check-note").dataset) check.setAttribute("aria-disabled", "true");
  };

  const undecided = () => Number(document.getElementById("check-note").dataset.undecided);

  const complain = (text, link = "", name = "") => {
    const note = Object.assign(document.createElement("p"), { className: "errornote", textContent: `${text} ` });
    if (name) note.append(Object.assign(document.createElement("a"), { href: link, textContent: name }));
    document.getElementById("save-problem").replaceChildren(note);
    status.textContent = "Not saved";
  };

  const LOST = {
    403: ["This was not saved: your role or your session has changed.", "", "Load this page again"],
    404: ["This was not saved: the import has been deleted.", "../../", "Go to the list of imports"],
  };

  const answered = async (response) => {
    if (response.type === "opaqueredirect") {
      complain("This was not saved: your session has ended.", "", "Log in again");
    } else if (response.status === 409) {
      refresh(await response.text());
      status.textContent = "Not saved";
    } else if (!response.ok) {
      complain(...(LOST[response.status] ?? ["This was not saved, because of an error of the site. It will be sent again with your next choice, or when you press Save."]));
    } else {
      refresh(await response.text());
      const failed = document.querySelector("#save-problem .errornote");
      status.textContent = failed ? "Not saved" : `Saved ${new Date().toLocaleTimeString("en-GB")}`;
      return !failed;
    }
    return false;
  };

  /* --- requests ------------------------------------------------------------------------ */

  /** Send all that is not saved yet, including what earlier requests failed to save. */
  const send = async () => {
    if (leaving.signal.aborted) return;
    const names = [...unsaved];
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "here", ...names]) body.set(name, field(name).value);
    for (const name of names) if (name.startsWith("target-")) body.append("column", name.slice("target-".length));
    body.set("quiet", "1");
    status.textContent = "Saving…";
    let response = null;
    try {
      const { signal } = leaving;
      response = await fetch(location.pathname + location.search, { method: "POST", body, redirect: "manual", signal });
    } catch {
      if (leaving.signal.aborted) return; // the whole form is being sent
      complain("This was not saved: the connection was lost. It will be sent again with your next choice, or when you press Save.");
    }
    waiting -= 1;
    if (!response || !(await answered(response))) return;
    for (const name of names) {
      if (field(`was-${name}`)) field(`was-${name}`).value = body.get(name);
      if (field(name).value === body.get(name)) unsaved.delete(name);
    }
  };

  const save = (...names) => {
    for (const name of names) unsaved.add(name);
    waiting += 1;
    queue = queue.then(send).catch((error) => { if (!leaving.signal.aborted) throw error; });
  };

  /* Submitting the form sends all choices, so requests that are under way are aborted. */
  let leaving = new AbortController();
  form.addEventListener("submit", () => leaving.abort());
  window.addEventListener("pageshow", () => { leaving = new AbortController(); });

  const NEEDS_READING = ["encoding", "delimiter", "sheet", "preset", "record_type"];

  form.addEventListener("change", ({ target: { name } }) => {
    if (!name || NEEDS_READING.includes(name)) return;
    const position = name.match(/^(?:target|key|type)-(\d+)$/)?.[1];
    if (position) {
      unfold(position);
      save(`target-${position}`, `key-${position}`, `type-${position}`);
    } else {
      save(name);
    }
  });

  check.addEventListener("click", (event) => {
    if (!undecided()) return; // the server reports a mandatory attribute without a column
    event.preventDefault();
    const first = form.querySelector("tr.undecided");
    if (first) (first.querySelector(".combobox") ?? first.querySelector("select.target")).focus();
    else location.assign("?show=undecided#columns");
  });

  /* A link to an option unfolds the sections around it. */
  document.querySelector(".import").addEventListener("click", ({ target }) => {
    const link = target.closest('a[href^="#id_"]');
    let folded = link && document.getElementById(link.hash.slice(1))?.closest("details");
    for (; folded; folded = folded.parentElement.closest("details")) folded.open = true;
  });

  const errors = document.getElementById("errornote");
  for (const { name } of form.querySelectorAll("select.target")) unfold(name.slice("target-".length));
  errors?.focus();
}
