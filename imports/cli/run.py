"""Run an import for a user at a command line: from the file to its end, or as far as the user may take it.

The work is done by the queue's workers, or with ``inline`` by this process with the same code. In both cases other
processes may work on the job too.
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
from imports.jobs.progress import ProgressDisplay
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import Bucket, ImportJob
from imports.states import Status, Step

POLL_SECONDS = 0.1
IDLE_NOTICE_SECONDS = 8.0
"""How long work may wait before a message says that no worker takes it up."""
MAX_WAIT_SECONDS = 10.0
"""How long the command waits for a started import without ``--wait``: a small one ends within this time."""
MAX_END_TRIES = 3
"""How often to try to stop or cancel a job while workers change its status."""
MAX_START_TRIES = 3
"""How often to start an import if the schema is changed each time between its check and its start."""


class ImportRunner:
    """Run one job for one actor, and show its progress on one display."""

    def __init__(self, actor: Actor, display: ProgressDisplay, *, inline: bool, wait: bool) -> None:
        self.actor = actor
        self.display = display
        self.inline = inline
        self.max_wait = None if wait or inline else MAX_WAIT_SECONDS
        self.ctrl_c = InterruptGuard()

    def import_file(self, request: ImportRequest) -> ImportJob:
        """Store and check a file and, unless it is a dry run, start or submit the import.

        Raises ``Refused``, ``Interrupted``, or ``CommandLineError`` if the file cannot be stored.
        """
        with self._mode():
            job = self._store(request)
            return self._interruptible(job, lambda: self._import(job, request))

    def resume(self, job: ImportJob) -> ImportJob:
        """Resume a job that was stopped or failed, or follow one that is running.

        Raises ``Refused`` or ``Interrupted``.
        """
        with self._mode():
            transitions.check_role(job, Transition.RESUME, self.actor)
            if job.status == Status.COMPLETED and self.max_wait is None:
                return job  # to wait for the end of a completed job is no error
            if not is_active(job):
                if job.status not in transitions.TRANSITIONS[Transition.RESUME].sources:
                    state = job.get_status_display().lower()
                    raise Refused("state", f"Import {job.pk} is {state}; only a stopped or failed one can be resumed.")
                lifecycle.transition(job, Transition.RESUME, self.actor)
            return self._interruptible(job, lambda: self._follow(job, self.max_wait))

    def _mode(self) -> AbstractContextManager[None]:
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
        """Request the check of the whole file; an invalid mapping fails the job. Return whether the check begins."""
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
        """Wait or work until the job has no more work to do, for at most ``max_wait`` seconds."""
        until = None if max_wait is None else time.monotonic() + max_wait
        notifier = IdleNotifier(self.display, self.inline)
        self.display.show(job)
        while is_active(job) and (until is None or time.monotonic() < until):
            if not (self.inline and driver.run_units(job.pk, 0)):
                time.sleep(POLL_SECONDS)
                notifier.notify_if_idle(job)
            self.ctrl_c.check()
            job.refresh_from_db()
            self.display.show(job)

    def _interruptible(self, job: ImportJob, action: Callable[[], None]) -> ImportJob:
        try:
            with self.ctrl_c:
                action()
            return job
        except BaseException:
            if not self.ctrl_c.pressed:
                raise
        reconnect()
        job.refresh_from_db()
        raise Interrupted(self._end_early(job) if self.inline else _remaining_state(job))

    def _end_early(self, job: ImportJob) -> str:
        """Stop or cancel a job that its user no longer waits for; return the message."""
        for _ in range(MAX_END_TRIES):
            try:
                return self._stop_or_cancel(job)
            except Refused as refused:
                if refused.code != "state":
                    raise
                job.refresh_from_db()
        return _remaining_state(job)

    def _stop_or_cancel(self, job: ImportJob) -> str:
        if job.status in (Status.PENDING, Status.IN_PROGRESS):
            lifecycle.stop(job, self.actor)
            done = job.total - job.not_run
            return (
                f"Import {job.pk} is stopped: {done:,} of {job.total:,} rows are done. "
                f"Resume it with: manage.py resume_import {job.pk} --inline"
            )
        if job.status in transitions.TRANSITIONS[Transition.CANCEL].sources:
            configure.cancel(job, self.actor)
            return f"Import {job.pk} was not started; nobody was changed."
        return _remaining_state(job)


class IdleNotifier:
    """Print a message once if no worker takes up waiting work, with the remedy."""

    def __init__(self, display: ProgressDisplay, inline: bool) -> None:
        self._display = display
        self._inline = inline
        self._since = time.monotonic()
        self._last_message = ""

    def notify_if_idle(self, job: ImportJob) -> None:
        """Print the message if the job's work waits; to be called repeatedly."""
        if time.monotonic() - self._since < IDLE_NOTICE_SECONDS:
            return
        self._since = time.monotonic()
        text = self._text(job)
        if text and text != self._last_message:
            self._last_message = text
            self._display.say(text)

    def _text(self, job: ImportJob) -> str:
        now = timezone.now()
        leased = Bucket.objects.filter(done=None, lease_until__gt=now)
        recent = Bucket.objects.filter(done__gt=now - timedelta(seconds=IDLE_NOTICE_SECONDS))
        if leased.filter(job=job).exists() or recent.filter(job=job).exists():
            return f"Another process is working on import {job.pk}; waiting for it." if self._inline else ""
        if leased.exists() or recent.exists():
            return "The workers are busy with other imports; waiting for one of them."
        started = job.status in (Status.PENDING, Status.IN_PROGRESS)
        inline_command = f"manage.py resume_import {job.pk} --inline" if started else "the same command with --inline"
        return (
            f"No worker has taken up import {job.pk} for {IDLE_NOTICE_SECONDS:.0f} seconds. Start a worker with: "
            f"manage.py work\nOr stop waiting with Ctrl-C and run {inline_command}, which needs no worker."
        )


def is_active(job: ImportJob) -> bool:
    """Return whether the engine has work to do for the job."""
    return job.status in leases.ACTIVE_STATUSES and job.step != Step.IDLE


def approver_names(job: ImportJob) -> list[str]:
    """Return the user names of those who may approve the job (D-09)."""
    return [person.get_username() for person in transitions.approvers(job)]


def _remaining_state(job: ImportJob) -> str:
    """Return the message about a job that continues or remains when the command stops waiting."""
    if job.status in (Status.PENDING, Status.IN_PROGRESS) and is_active(job):
        return f"Import {job.pk} continues in the background. Follow it with: manage.py resume_import {job.pk} --wait"
    if is_active(job) or job.status in (Status.DRAFT, Status.READY):
        return f"Import {job.pk} was not started; nobody was changed. You find it in the list of imports."
    return f"Import {job.pk} is {job.get_status_display()}."
