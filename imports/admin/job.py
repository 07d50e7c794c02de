"""The page of one import: what it would do, what it does, what it did, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from imports import configure, lifecycle, outcome, preview, progress
from imports.admin.pages import actor, address, is_fragment, job_to_see, page, tell
from imports.errand import is_at_work
from imports.lifecycle import Move, Refused
from imports.models import ImportJob, Status

PROBLEMS_SHOWN = 50
CELLS_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one outcome, for the bar and the table below it."""

    name: str
    label: str
    rows: int
    of: int

    @property
    def width(self) -> float:
        """Per cent of all rows."""
        return 100 * self.rows / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Button:
    """A move that its person may make now, in words that say what comes of it."""

    move: Move
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value before and after, or a value of the file and what is wrong with it."""

    old: Any
    new: Any
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file, by attribute."""

    number: int
    line: int
    outcome: str
    cells: dict[str, Cell]
    problems: list[str]

    def shown(self, keys: Iterable[str]) -> list[Cell | None]:
        return [self.cells.get(key) for key in keys]


@dataclass(frozen=True, slots=True)
class FirstRows:
    """A few rows with the attributes to show, and how many more attributes there are."""

    keys: list[str]
    more: int
    rows: list[Row]

    def __iter__(self) -> Iterator[tuple[Row, list[Cell | None]]]:
        return ((row, row.shown(self.keys)) for row in self.rows)


def view(request: HttpRequest, number: int) -> HttpResponse:
    """The whole page, or, for htmx, the part that changes while work goes on; when that is over, the page once more."""
    job = job_to_see(request, number)
    state = _state(request, job)
    if is_fragment(request) and state["working"]:
        return page(request, "live", job, **state)
    response = page(request, "job", job, title=job.name, **state, **_details(request, job))
    if is_fragment(request):
        for name, value in _WHOLE_PAGE.items():
            response[name] = value
    return response


_WHOLE_PAGE = {"HX-Retarget": "#content-main", "HX-Reselect": "#content-main", "HX-Reswap": "outerHTML"}
"""Have htmx put in what a person would see after loading the page anew."""


def move(request: HttpRequest, number: int) -> HttpResponse:
    """Make the move that was asked for, unless the import has changed since its page was made."""
    job = job_to_see(request, number)
    if request.method == "POST":
        try:
            _move(request, job)
        except Refused as refused:
            tell(request, refused)
    return HttpResponseRedirect(address("change", job))


def _move(request: HttpRequest, job: ImportJob) -> None:
    asked = request.POST.get("move", "")
    if asked not in {*_DONE, Move.STOP}:  # the others are not made by a button
        raise Refused("state", "Nothing was done: this page did not say what to do. Load it again.")
    name, who = Move(asked), actor(request)
    if name is Move.STOP:
        lifecycle.stop(job, who)
        return
    with transaction.atomic():
        locked = get_object_or_404(ImportJob.objects.select_for_update(of=("self",)), pk=job.pk)
        if request.POST.get("seen") != _version(locked):
            raise Refused("state", "This import changed since you opened its page. Look again.")
        if name is Move.CANCEL:
            configure.cancel(locked, who)
        else:
            lifecycle.move(locked, name, who, request.POST.get("comment", ""))
    messages.success(request, _DONE[name])


_DONE = {
    Move.START: "The import is started.",
    Move.SUBMIT: "The import waits for approval now.",
    Move.APPROVE: "The import is approved and started.",
    Move.REJECT: "The import is rejected; its uploader sees your comment.",
    Move.CANCEL: "The import is cancelled; nobody was changed.",
    Move.RESUME: "The import goes on.",
    Move.EDIT: "The settings can be changed again.",
}


def _version(job: ImportJob) -> str:
    """Another one after each move."""
    last = job.moves.last()
    return str(last.pk if last else 0)


def _state(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    """What changes while work goes on."""
    found = outcome.figures(job)
    stage = progress.stage_of(job)
    return {
        "figures": found,
        "parts": list(_parts(found)),
        "working": is_at_work(job),
        "stage": stage,
        "moment": progress.moment(job, stage) if stage else None,
        "buttons": list(_buttons(job, lifecycle.open_moves(job, actor(request)), found)),
        "seen": _version(job),
        "own": actor(request).owns(job),
    }


def _details(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    problems = outcome.problems(job)
    return {
        "changed_since": preview.changed_since(job) if job.status in _WAITING else 0,
        "first": _first_rows(job) if job.status in (*_WAITING, Status.REJECTED) else None,
        "problems": Paginator(problems, PROBLEMS_SHOWN).get_page(request.GET.get("problems")),
        "groups": outcome.groups(problems),
        "moves": job.moves.select_related("actor"),
    }


def _first_rows(job: ImportJob) -> FirstRows:
    """The first rows as a table: a column per attribute, those in which something happens first."""
    rows, columns = job.preview.get("rows", []), [column for column in job.columns.all() if column.target]
    targets = {column.header: column.target for column in columns}
    found: list[Row] = []
    for row in rows:
        cells = {key: Cell(*change) for key, change in row["changes"].items()}
        loose = []
        for problem in row["problems"]:
            key = targets.get(problem["column"])
            if key is None:
                loose.append(problem["reason"])
            else:
                cells[key] = Cell(None, problem["value"], problem["reason"])
        found.append(Row(row["row"], row["line"], row["outcome"], cells, loose))
    busy = {key for row in found for key in row.cells}
    keys = sorted(dict.fromkeys(targets.values()), key=lambda key: key not in busy)
    return FirstRows(keys[:CELLS_SHOWN], max(0, len(keys) - CELLS_SHOWN), found)


_WAITING = (Status.READY, Status.AWAITING_APPROVAL)


def _parts(found: outcome.Figures) -> Iterator[Part]:
    counts = found.counts
    for name in ("imported", "updated", "ignored", "failed", "not_run"):
        rows = getattr(counts, name)
        if rows or name != "not_run":
            yield Part(name, name.replace("_", " "), rows, counts.total)


def _buttons(job: ImportJob, moves: Iterable[Move], found: outcome.Figures) -> Iterator[Button]:
    """The main one first."""
    counts = found.counts
    what = f"add {counts.imported:,}, update {counts.updated:,}"
    texts = {
        Move.START: (f"Start: {what}", "default"),
        Move.APPROVE: (f"Approve and start: {what}", "default"),
        Move.SUBMIT: ("Submit for approval", "default"),
        Move.RESUME: ("Resume", "default"),
        Move.REJECT: ("Reject", ""),
        Move.STOP: ("Stop", "deletelink"),
        Move.CANCEL: ("Cancel import", "deletelink"),
    }
    if not counts.imported + counts.updated + counts.ignored:  # nothing would come of it
        del texts[Move.START], texts[Move.SUBMIT]
    for name, (text, kind) in texts.items():
        if name in moves:
            yield Button(name, text, kind)
