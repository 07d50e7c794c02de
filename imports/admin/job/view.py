"""The page of one import: what it would do, what it does, what it did, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone

from imports.admin import events, people_filter
from imports.admin.job import downloads, sections
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
"""New ones that are named; as many as the template takes."""


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
    """A transition that its person may make now, in words that say what comes of it."""

    transition: Transition
    text: str
    kind: str = ""


def job_view(request: HttpRequest, number: int) -> HttpResponse:
    """The whole page, or, for htmx, the part that changes while work goes on; when that is over, the page once more."""
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
"""Have htmx put in what a person would see after loading the page anew."""


def transition_view(request: HttpRequest, number: int) -> HttpResponse:
    """Make the transition that was asked for, unless the import has changed since its page was made."""
    job = get_job(request, number)
    if request.method == "POST":
        try:
            _transition(request, job)
        except Refused as refused:
            if refused.code in _MENDED_HERE:
                return _page(request, job, _state(request, job), fault=refused)
            show_refusal(request, refused)
        except configure.InvalidMapping as problem:
            messages.error(request, f"{problem}. Change the settings and check the file again.")
    return HttpResponseRedirect(import_url("change", job))


_MENDED_HERE = {"comment", "clears"}
"""What a person mends on the page itself, where what they typed must stay."""


def _transition(request: HttpRequest, job: ImportJob) -> None:
    asked = request.POST.get("transition", "")
    if asked not in {*_DONE, Transition.STOP, Transition.REFRESH}:  # the others are not made by a button
        raise Refused("state", "Nothing was done: this page did not say what to do. Load it again.")
    name, who = Transition(asked), get_actor(request)
    if name is Transition.STOP:
        lifecycle.stop(job, who)
        return
    with transaction.atomic():
        locked = get_object_or_404(ImportJob.objects.select_for_update(of=("self",)), pk=job.pk)
        if request.POST.get("seen") != state_version(locked):
            raise Refused("state", "This import changed since you opened its page. Look again.")
        if name in _WRITING and locked.preview.get("cleared") and "understood" not in request.POST:
            raise Refused("clears", f"Tick that {locked.preview['cleared']:,} values are to be cleared, or cancel.")
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
    Transition.START: "The import is started.",
    Transition.SUBMIT: "The import waits for approval now.",
    Transition.APPROVE: "The import is approved and started.",
    Transition.REJECT: "The import is rejected; its uploader sees your comment.",
    Transition.CANCEL: "The import is cancelled; nobody was changed.",
    Transition.RESUME: "The import goes on.",
    Transition.EDIT: "The settings can be changed again.",
}


def state_version(job: ImportJob) -> str:
    """Another one after each transition."""
    return str(max((transition.pk for transition in job.transitions.all()), default=0))


def _page(request: HttpRequest, job: ImportJob, state: dict[str, Any], fault: Refused | None = None) -> HttpResponse:
    waiting = job.status in (Status.READY, Status.AWAITING_APPROVAL)
    changed_since = preview.count_foreign_changes(job) if waiting else 0
    if not changed_since:  # the check stands
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
    """What changes while work goes on."""
    found = summary.figures(job)
    stage = progress.stage_of(job)
    working = is_active(job)
    return {
        "figures": found,
        "data_points": summary.data_points(job),
        "parts": list(_parts(found, "still to do" if working else "not run")),
        "working": working,
        "stage": stage,
        "moment": progress.stage_progress(job, stage) if stage else None,
        "silent": progress.idle_seconds(job) if working else 0,
        "buttons": list(_buttons(job, transitions.open_transitions(job, get_actor(request)), found)),
        "seen": state_version(job),
        "now": timezone.now(),
        "own": get_actor(request).owns(job),
    }


def _parts(found: summary.JobFigures, rest: str) -> Iterator[OutcomeShare]:
    counts = found.counts
    for name in ("imported", "updated", "ignored", "failed", "not_run"):
        rows = getattr(counts, name)
        if rows or name != "not_run":
            yield OutcomeShare(name, rest if name == "not_run" else name, rows, counts.total)


def _buttons(job: ImportJob, transitions: Iterable[Transition], found: summary.JobFigures) -> Iterator[Button]:
    """The main one first."""
    counts = found.counts
    what = f"add {counts.imported:,}, update {counts.updated:,}"
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
    if not counts.imported + counts.updated + counts.ignored:  # nothing would come of it
        del texts[Transition.START], texts[Transition.SUBMIT]
    for name, (text, kind) in texts.items():
        if name in transitions:
            yield Button(name, text, kind)
