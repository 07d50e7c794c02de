"""The second screen: whom rows find, what happens to them, where each column goes (section 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from imports import configure, engine, guidance, lifecycle, mapping, queue
from imports.admin.pages import SMALL_ROWS, actor, address, job_to_work_on, page, tell
from imports.lifecycle import Move, Refused
from imports.mapping import Choice, Fault, Target
from imports.models import ImportColumn, ImportJob, Status, Step
from imports.presets import PRESETS
from profiles.merge import Action
from profiles.models import load_schema
from profiles.schema import EXTERNAL_ID, OBJECT_ID, OWN_FIELDS, Schema
from profiles.values import ValueType

COLUMNS_SHOWN = 50
SAMPLES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of several: what is sent, what it is called, and what a person should know of it."""

    value: str
    label: str
    hint: str = ""
    chosen: bool = False
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One column of the file as the mapping shows it."""

    column: ImportColumn
    value: str
    key: str
    problems: list[str]

    @property
    def samples(self) -> list[str]:
        return list(self.column.statistics.get("samples", []))[:SAMPLES_SHOWN]

    @property
    def type(self) -> str:
        return self._found.replace("_", " ")

    @property
    def new_type(self) -> str:
        """The type of the attribute that the column would make."""
        return self.column.type if self.column.target_kind == Target.NEW else self._found

    @property
    def _found(self) -> str:
        return str(self.column.statistics.get("type", ValueType.TEXT.value))


def view(request: HttpRequest, number: int) -> HttpResponse:
    """Show the choices, keep those that are sent, and have the whole file checked when that is asked for."""
    job = job_to_work_on(request, number)
    if job.status == Status.DRAFT and job.step == Step.SCAN:
        return page(request, "reading", job, title=job.name, step="Configure")
    if job.status not in (Status.DRAFT, Status.READY, Status.REJECTED):
        messages.warning(request, f"This import is {job.get_status_display()} now; its settings cannot change.")
        return HttpResponseRedirect(address("change", job))
    faults: list[Fault] = []
    if request.method == "POST":
        try:
            faults = _take(request, job)
            if not faults:
                return HttpResponseRedirect(_next(request, job))
        except Refused as refused:
            tell(request, refused)
            return HttpResponseRedirect(address("change", job))
    return _page(request, job, faults)


def _take(request: HttpRequest, job: ImportJob) -> list[Fault]:
    """Keep what was chosen, and check the file if that is asked for; returns what is in the way."""
    if job.status != Status.DRAFT:
        lifecycle.move(job, Move.EDIT, actor(request))
    _save(job, request.POST)
    if "check" not in request.POST:
        return []
    try:
        _check(request, job)
    except configure.NotReady as problem:
        return problem.faults
    return []


def _check(request: HttpRequest, job: ImportJob) -> None:
    """Have the file checked; a small one at once. Raises ``NotReady`` or ``Refused``."""
    if job.total > SMALL_ROWS:
        configure.check(job, actor(request))
        return
    with queue.in_this_process():
        configure.check(job, actor(request))
        engine.run_here(job)


def _save(job: ImportJob, sent: QueryDict) -> None:
    """Keep the choices of the page that was sent."""
    known = load_schema()
    job.identifier = _one_of(sent.get("identifier", ""), guidance.identifiers(known), job.identifier)
    job.action = _one_of(sent.get("action", ""), Action, job.action)
    job.save(update_fields=["identifier", "action"])
    shown = set(sent.getlist("column"))
    positions = job.columns.values_list("position", flat=True)
    configure.decide(job, {position: _choice(sent, position) for position in positions if str(position) in shown})


def _one_of(text: str, allowed: Iterable[str], otherwise: str) -> str:
    return text if text in set(allowed) else otherwise


def _choice(sent: QueryDict, position: int) -> Choice | None:
    """Where one column is to go; None where nothing is chosen."""
    kind, _, key = sent.get(f"target-{position}", "").partition(":")
    if kind not in set(Target):
        return None
    if kind == Target.NEW:
        found = sent.get(f"type-{position}", "")
        return Choice(Target.NEW, sent.get(f"key-{position}", "").strip(), found if found in set(ValueType) else "")
    return Choice(Target(kind), key)


def _next(request: HttpRequest, job: ImportJob) -> str:
    if "check" in request.POST:
        return address("change", job)
    if "leave" in request.POST:
        return address("changelist")
    return f"{address('configure', job)}?columns={request.POST.get('page', '1')}"


def _page(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> HttpResponse:
    known = load_schema()
    columns = list(job.columns.all())
    standing = mapping.column_faults(columns, known)
    shown = _which(request, columns, standing)
    pages = Paginator(shown, COLUMNS_SHOWN)
    this = pages.get_page(request.POST.get("page") or request.GET.get("columns"))
    context: dict[str, Any] = {
        "title": job.name,
        "step": "Configure",
        "identifiers": list(_identifiers(job, known)),
        "actions": list(_actions(job)),
        "lines": _lines(this, standing, known),
        "targets": _targets(known),
        "types": [(kind.value, kind.replace("_", " ")) for kind in ValueType],
        "columns": this,
        "shown": request.GET.get("show", "all"),
        "mapped": sum(c.target_kind not in (Target.UNDECIDED, Target.SKIP) for c in columns),
        "undecided": sum(c.target_kind == Target.UNDECIDED for c in columns),
        "skipped": sum(c.target_kind == Target.SKIP for c in columns),
        "faults": faults,
        "troubled": len({fault.column for fault in standing}),
    }
    return page(request, "configure", job, **context)


def _which(request: HttpRequest, columns: list[ImportColumn], faults: list[Fault]) -> list[ImportColumn]:
    """The columns to show: all of them, undecided first where there are many, or only those with something to do."""
    bad = {fault.column for fault in faults}
    match request.GET.get("show"):
        case "undecided":
            return [column for column in columns if column.target_kind == Target.UNDECIDED]
        case "problems":
            return [column for column in columns if column.header in bad]
    if len(columns) > 2 * COLUMNS_SHOWN:
        return sorted(columns, key=lambda column: column.target_kind != Target.UNDECIDED)
    return columns


def _identifiers(job: ImportJob, known: Schema) -> Iterator[Option]:
    mapped = {column.target for column in job.columns.all()}
    names = {mapping.AUTOMATIC: "Automatic", **OWN_FIELDS}
    for key, hint in guidance.identifiers(known).items():
        label = names.get(key) or known.definitions[key].label
        in_file = key in mapped or (key == mapping.AUTOMATIC and not mapped.isdisjoint(mapping.AUTOMATIC_ORDER))
        if in_file or key == job.identifier or key in (EXTERNAL_ID, OBJECT_ID, "email", "phone"):
            missing = "" if in_file else "; no column of the file goes there"
            yield Option(key, label, hint + missing, key == job.identifier)


def _actions(job: ImportJob) -> Iterator[Option]:
    for action in PRESETS[job.preset].actions:
        yield Option(
            action, action.label, guidance.ACTIONS[action], action == job.action, careful=action is Action.REPLACE
        )


def _lines(columns: Page[ImportColumn], faults: list[Fault], known: Schema) -> list[Line]:
    problems: dict[str, list[str]] = {}
    for fault in faults:
        problems.setdefault(fault.column, []).append(fault.reason)
    return [Line(column, _value(column), _key(column), problems.get(column.header, [])) for column in columns]


def _key(column: ImportColumn) -> str:
    """What a new attribute from the column is, or would be, called."""
    return column.target if column.target_kind == Target.NEW else column.name


def _value(column: ImportColumn) -> str:
    """What the choice of the column is sent as."""
    if column.target_kind in (Target.FIELD, Target.ATTRIBUTE):
        return f"{column.target_kind}:{column.target}"
    return str(column.target_kind)


def _targets(known: Schema) -> Mapping[str, list[tuple[str, str]]]:
    """All places that a column can go to, by group."""
    groups: dict[str, list[tuple[str, str]]] = {
        "Identifiers": [(f"{Target.FIELD}:{key}", label) for key, label in OWN_FIELDS.items()],
        "Standard attributes": [],
        "Own attributes": [],
    }
    for definition in known.definitions.values():
        group = "Standard attributes" if definition.built_in else "Own attributes"
        value = f"{Target.ATTRIBUTE}:{definition.key}"
        groups["Identifiers" if definition.identifier else group].append((value, definition.label))
    return {name: choices for name, choices in groups.items() if choices}
