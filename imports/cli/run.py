"""An import on behalf of somebody who waits at a command line: from the file to the end, or as far as they may go.

The work is done by the queue's workers, or with ``inline`` by this process with the same code. Other processes may
work on the job too, either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

from django.utils import timezone

from imports.cli.arguments import ImportRequest
from imports.cli.terminal import CommandLineError, Interrupted, InterruptGuard, reconnect
from imports.drafts import configure, mapping_file, upload
from imports.engine import driver
from imports.jobs import leases, lifecycle, queue, transitions
from imports.jobs.progress import Display
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import Bucket, ImportJob
from imports.states import Status, Step

POLL_SECONDS = 0.1
IDLE_NOTICE_SECONDS = 8.0
"""How long work may lie about before people are told that nobody takes it up."""
MAX_WAIT_SECONDS = 10.0
"""How long an import that was started is waited for, also without ``--wait``: a small one ends in this time."""
MAX_END_TRIES = 3
"""How often a job is given up that workers bring from one state to the next meanwhile."""
MAX_START_TRIES = 3
"""How often an import is started whose schema was changed by somebody else between its check and its start."""


class ImportRunner:
    """One job, for one person, with one display."""

    def __init__(self, actor: Actor, display: Display, *, inline: bool, wait: bool) -> None:
        self.actor = actor
        self.display = display
        self.inline = inline
        self.max_wait = None if wait or inline else MAX_WAIT_SECONDS
        self.ctrl_c = InterruptGuard()

    def import_file(self, request: ImportRequest) -> ImportJob:
        """Store, check and, unless it is a dry run, start or submit. Raises ``Refused`` or ``Interrupted``."""
        with self._place():
            job = self._store(request)
            return self._interruptible(job, lambda: self._import(job, request))

    def resume(self, job: ImportJob) -> ImportJob:
        """Go on with a job that ended early, or with one that is at work. Raises ``Refused`` or ``Interrupted``."""
        with self._place():
            transitions.check_role(job, Transition.RESUME, self.actor)
            if job.status == Status.COMPLETED and self.max_wait is None:
                return job  # whoever wants to see it end is as well served when it has ended
            if not is_active(job):
                if job.status not in transitions.TRANSITIONS[Transition.RESUME].sources:
                    state = job.get_status_display().lower()
                    raise Refused("state", f"Import {job.pk} is {state}; only a stopped or failed one can be resumed.")
                lifecycle.transition(job, Transition.RESUME, self.actor)
            return self._interruptible(job, lambda: self._follow(job, self.max_wait))

    def _place(self) -> AbstractContextManager[None]:
        return queue.run_inline() if self.inline else nullcontext()

    def _store(self, request: ImportRequest) -> ImportJob:
        job = ImportJob(
            name=request.name,
            file_name=request.file_name,
            file_size=request.path.stat().st_size,
            format=request.format,
            source=ImportJob.Source.COMMAND,
            preset=request.preset.key,
            record_type=request.record_type,
            identifier=request.identifier,
            action=request.action or "",
            targeting=request.targeting,
            options=dict(request.options),
        )
        try:
            with request.path.open("rb") as stream:
                return upload.receive(job, stream, self.actor)
        except OSError as error:
            raise CommandLineError(f"The file cannot be stored: {error.strerror or type(error).__name__}.") from error

    def _import(self, job: ImportJob, request: ImportRequest) -> None:
        self._follow(job)
        if job.status != Status.DRAFT or not self._check(job, request):
            return
        self._follow(job)
        for _ in range(0 if request.dry_run else MAX_START_TRIES):
            if job.status == Status.READY:
                self._start(job)
                self._follow(job, self.max_wait)

    def _check(self, job: ImportJob, request: ImportRequest) -> bool:
        """Have the whole file checked; a mapping that cannot be imported fails the job."""
        try:
            configure.apply_choices(job, mapping_file.resolve_choices(job, request.mapping))
            configure.map_columns(job, request.targets, request.skipped)
            configure.check(job, self.actor)
        except configure.InvalidMapping as problem:
            reasons = dict.fromkeys(f"{fault.reason.rstrip('.')}." for fault in problem.faults)
            configure.refuse(job, problem.faults[0].code, "\n".join(reasons))
            return False
        return True

    def _start(self, job: ImportJob) -> None:
        lifecycle.transition(
            job,
            Transition.START if transitions.may_start_without_approval(self.actor) else Transition.SUBMIT,
            self.actor,
        )

    def _follow(self, job: ImportJob, max_wait: float | None = None) -> None:
        """Wait, or work, until nothing is left to be done, at most so many seconds."""
        until = None if max_wait is None else time.monotonic() + max_wait
        silence = IdleNotifier(self.display, self.inline)
        self.display.show(job)
        while is_active(job) and (until is None or time.monotonic() < until):
            if not (self.inline and driver.run_units(job.pk, 0)):
                time.sleep(POLL_SECONDS)
                silence.notify_if_idle(job)
            self.ctrl_c.check()
            job.refresh_from_db()
            self.display.show(job)

    def _interruptible(self, job: ImportJob, walk: Callable[[], None]) -> ImportJob:
        try:
            with self.ctrl_c:
                walk()
            return job
        except BaseException:
            if not self.ctrl_c.pressed:
                raise
        reconnect()
        job.refresh_from_db()
        raise Interrupted(self._end_early(job) if self.inline else _left_alone(job))

    def _end_early(self, job: ImportJob) -> str:
        """What its person does not wait for ends here, as long as nobody else has brought it further."""
        for _ in range(MAX_END_TRIES):
            try:
                return self._given_up(job)
            except Refused as refused:
                if refused.code != "state":
                    raise
                job.refresh_from_db()
        return _left_alone(job)

    def _given_up(self, job: ImportJob) -> str:
        if job.status in (Status.PENDING, Status.IN_PROGRESS):
            lifecycle.stop(job, self.actor)
            done = job.total - job.not_run
            return (
                f"Import {job.pk} is stopped: {done:,} of {job.total:,} rows are done. "
                f"Go on with: manage.py resume_import {job.pk} --inline"
            )
        if job.status in transitions.TRANSITIONS[Transition.CANCEL].sources:
            configure.cancel(job, self.actor)
            return f"Import {job.pk} was not started; nobody was changed."
        return _left_alone(job)


class IdleNotifier:
    """Tells once when work lies about and nobody takes it up, and what helps."""

    def __init__(self, display: Display, inline: bool) -> None:
        self._display = display
        self._inline = inline
        self._since = time.monotonic()
        self._told = ""

    def notify_if_idle(self, job: ImportJob) -> None:
        """Call this now and then."""
        if time.monotonic() - self._since < IDLE_NOTICE_SECONDS:
            return
        self._since = time.monotonic()
        text = self._text(job)
        if text and text != self._told:
            self._told = text
            self._display.say(text)

    def _text(self, job: ImportJob) -> str:
        now = timezone.now()
        leased = Bucket.objects.filter(done=None, lease_until__gt=now)
        recent = Bucket.objects.filter(done__gt=now - timedelta(seconds=IDLE_NOTICE_SECONDS))
        if leased.filter(job=job).exists() or recent.filter(job=job).exists():
            return f"Another process works on import {job.pk}; waiting for it." if self._inline else ""
        if leased.exists() or recent.exists():
            return "The workers are busy with other imports; waiting for one of them."
        started = job.status in (Status.PENDING, Status.IN_PROGRESS)
        here = f"manage.py resume_import {job.pk} --inline" if started else "the same command with --inline"
        return (
            f"Nobody has taken up import {job.pk} for {IDLE_NOTICE_SECONDS:.0f} seconds. "
            f"Start a worker with: manage.py work\nOr stop waiting with Ctrl-C and run {here}, which needs no worker."
        )


def is_active(job: ImportJob) -> bool:
    """Whether the engine has something to do for the job."""
    return job.status in leases.ACTIVE_STATUSES and job.step != Step.IDLE


def approver_names(job: ImportJob) -> list[str]:
    """The names of those who may approve the job (D-09)."""
    return [person.get_username() for person in transitions.approvers(job)]


def _left_alone(job: ImportJob) -> str:
    """What becomes of a job that the workers have, when nobody waits for it."""
    if job.status in (Status.PENDING, Status.IN_PROGRESS) and is_active(job):
        return f"Import {job.pk} is left to the workers. Follow it with: manage.py resume_import {job.pk} --wait"
    if is_active(job) or job.status in (Status.DRAFT, Status.READY):
        return f"Import {job.pk} was not started; nobody was changed. The list of imports keeps it."
    return f"Import {job.pk} is {job.get_status_display()}."
