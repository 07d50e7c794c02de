"""The page of one import: its preview, progress and results, and the transitions open to the user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone

from imports.admin import events, people_filter
from imports.admin.job import downloads, rows, sections
from imports.admin.pages import (
    get_actor,
    get_job,
    get_text,
    import_url,
    is_fragment,
    is_small,
    render_page,
    show_refusal,
)
from imports.cli import summary
from imports.cli.run import is_active
from imports.drafts import configure
from imports.engine import driver, preview
from imports.jobs import lifecycle, progress, queue, transitions
from imports.jobs.transitions import Refused, Transition
from imports.models import ImportJob
from imports.presets import PRESETS
from imports.states import Status

MAX_ATTRIBUTES = 20
"""New attributes that the page lists; the template has the same limit."""


@dataclass(frozen=True, slots=True)
class OutcomeShare:
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
    """A transition open to the user, with a label that says what it will do."""

    transition: Transition
    text: str
    kind: str = ""


def job_view(request: HttpRequest, number: int) -> HttpResponse:
    """Return the whole page or, for htmx, the part that changes while the job is active, then the whole page once."""
    job = get_job(request, number)
    state = _state(request, job)
    if is_fragment(request) and state["working"]:
        return render_page(request, "live", job, fragment=True, **state)
    response = _page(request, job, state)
    if is_fragment(request):
        for name, value in _WHOLE_PAGE.items():
            response[name] = value
    return response


_WHOLE_PAGE = {"HX-Retarget": "#content-main", "HX-Reselect": "#content-main", "HX-Reswap": "outerHTML"}
"""Let htmx replace the content of the page with that of the page as loaded again."""


def transition_view(request: HttpRequest, number: int) -> HttpResponse:
    """Make the requested transition, unless the import has changed since the page was loaded."""
    job = get_job(request, number)
    if request.method == "POST":
        try:
            _transition(request, job)
        except Refused as refused:
            if refused.code in _FIELD_ERRORS:
                return _page(request, job, _state(request, job), fault=refused)
            show_refusal(request, refused)
        except configure.InvalidMapping as problem:
            messages.error(request, f"{problem}. Change the settings and check the file again.")
    return HttpResponseRedirect(import_url("change", job))


_FIELD_ERRORS = {"comment", "clears"}
"""Refusals that are shown at a field of the page, which keeps what was entered."""


def _transition(request: HttpRequest, job: ImportJob) -> None:
    requested = request.POST.get("transition", "")
    if requested not in {*_DONE, Transition.STOP, Transition.REFRESH}:  # no button makes the others
        raise Refused("state", "Nothing was done: the page did not name an action. Load it again.")
    name, who = Transition(requested), get_actor(request)
    if name is Transition.STOP:
        lifecycle.stop(job, who)
        return
    with transaction.atomic():
        locked = get_object_or_404(ImportJob.objects.select_for_update(of=("self",)), pk=job.pk)
        if request.POST.get("seen") != state_version(locked):
            text = "Nothing was done: this import has changed since you opened the page. Look at it again."
            raise Refused("state", text)
        if name in _WRITING and locked.preview.get("cleared") and "understood" not in request.POST:
            raise Refused("clears", f"Tick the box to confirm that {locked.preview['cleared']:,} values are cleared.")
        _make(locked, name, request)
    if name in _DONE:
        messages.success(request, _DONE[name])


def _make(job: ImportJob, name: Transition, request: HttpRequest) -> None:
    who = get_actor(request)
    if name is Transition.CANCEL:
        configure.cancel(job, who)
    elif name is not Transition.REFRESH:
        lifecycle.transition(job, name, who, get_text(request.POST, "comment"))
    elif not is_small(job):
        configure.refresh(job, who)
    else:
        with queue.run_inline():
            configure.refresh(job, who)
            transaction.on_commit(lambda: driver.run_until_idle(job))


_WRITING = (Transition.START, Transition.SUBMIT, Transition.APPROVE)

_DONE = {
    Transition.START: "Import started.",
    Transition.SUBMIT: "Import submitted for approval.",
    Transition.APPROVE: "Import approved.",
    Transition.REJECT: "Import rejected. Its uploader can read your comment.",
    Transition.CANCEL: "Import cancelled. Nobody was changed.",
    Transition.RESUME: "Import resumed.",
    Transition.EDIT: "You can change the settings of this import again.",
}
"""Messages, which stay true whatever status the page below them shows."""


def state_version(job: ImportJob) -> str:
    """Return a value that differs after each transition."""
    return str(max((transition.pk for transition in job.transitions.all()), default=0))


def _page(request: HttpRequest, job: ImportJob, state: dict[str, Any], fault: Refused | None = None) -> HttpResponse:
    waiting = job.status in (Status.READY, Status.AWAITING_APPROVAL)
    changed_since = preview.count_foreign_changes(job) if waiting else 0
    if not changed_since:  # the check is still valid
        state["buttons"] = [button for button in state["buttons"] if button.transition is not Transition.REFRESH]
    details = {
        "title": job.name,
        "preset": PRESETS[job.preset],
        "fault": fault,
        "comment": request.POST.get("comment", ""),
        "waiting": waiting,
        "ended": job.status in summary.ENDED_STATUSES,
        "downloads": list(downloads.download_links(job, state["figures"], working=state["working"])),
        "people_address": people_filter.people_url(job),
        "events_address": events.events_url(job),
        "segment": people_filter.get_segment(job),
        "changed_since": changed_since,
        "who_approves": summary.approvers_message(job) if job.status == Status.AWAITING_APPROVAL else "",
        "transitions": sections.transition_history(job),
        "clears": job.preview.get("cleared", 0),
        "more_attributes": len(job.preview.get("new_attributes", ())) - MAX_ATTRIBUTES,
        "must_understand": any(button.transition in _WRITING for button in state["buttons"]),
    }
    shown = sections.tab_context(request, job, state["figures"], state["seen"])
    return render_page(request, "job", job, **state, **details, **shown)


def _state(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    """Return the part of the context that changes while the job is active."""
    found = summary.figures(job)
    stage = progress.current_stage(job)
    working = is_active(job)
    return {
        "figures": found,
        "data_points": summary.data_points(job),
        "parts": list(_parts(found, _labels(job, working=working))),
        "working": working,
        "stage": stage,
        "moment": progress.stage_progress(job, stage) if stage else None,
        "silent": progress.idle_seconds(job) if working else 0,
        "buttons": list(_buttons(job, transitions.open_transitions(job, get_actor(request)), found)),
        "seen": state_version(job),
        "now": timezone.now(),
        "own": get_actor(request).owns(job),
    }


def _labels(job: ImportJob, *, working: bool) -> Mapping[str, str]:
    """Return labels for the counts of outcomes: in a preview what will happen, later what happened."""
    labels = {"not_run": "still to do" if working else "not run"}
    if job.status not in (Status.CHECKING, *rows.PREVIEW_STATUSES):
        return labels
    people = {"imported": "for new people", "updated": "for existing people"} if job.holds_events else {}
    return {**rows.OUTCOME_LABELS, **people, **labels}


def _parts(found: summary.JobFigures, labels: Mapping[str, str]) -> Iterator[OutcomeShare]:
    counts = found.counts
    for name in ("imported", "updated", "ignored", "failed", "not_run"):
        number = getattr(counts, name)
        if number or name != "not_run":
            yield OutcomeShare(name, labels.get(name, name), number, counts.total)


def _buttons(job: ImportJob, transitions: Iterable[Transition], found: summary.JobFigures) -> Iterator[Button]:
    """Yield the buttons of the transitions, the main one first."""
    counts = found.counts
    what = f"create {counts.imported:,}, update {counts.updated:,}"
    if job.holds_events:
        what = f"write {counts.imported + counts.updated:,} event{'s' * (counts.imported + counts.updated != 1)}"
    texts = {
        Transition.START: (f"Start: {what}", "default"),
        Transition.APPROVE: (f"Approve and start: {what}", "default"),
        Transition.SUBMIT: (f"Submit for approval: {what}", "default"),
        Transition.RESUME: ("Resume", "default"),
        Transition.REFRESH: ("Check again", ""),
        Transition.REJECT: ("Reject", ""),
        Transition.STOP: ("Stop", "deletelink"),
        Transition.CANCEL: ("Cancel import", "deletelink"),
    }
    if not counts.imported + counts.updated + counts.ignored:  # starting would have no effect
        del texts[Transition.START], texts[Transition.SUBMIT]
    for name, (text, kind) in texts.items():
        if name in transitions:
            yield Button(name, text, kind)
