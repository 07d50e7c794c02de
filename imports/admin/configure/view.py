"""The screen *Configure*: how people are matched, what happens to them, the target of each column (section 9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from imports.admin.configure import context, form, option_settings
from imports.admin.pages import (
    SMALL_BYTES,
    get_actor,
    get_editable_job,
    get_job,
    import_url,
    is_fragment,
    is_small,
    render_page,
)
from imports.drafts import change_preset, configure, mapping_file, reread, saved_mappings
from imports.drafts.configure import DraftChanges
from imports.drafts.mapping_file import InvalidManifest
from imports.engine import driver
from imports.jobs import queue, transitions
from imports.jobs.transitions import Refused
from imports.mapping.validation import Fault
from imports.models import ImportJob
from imports.presets import PRESETS
from imports.states import Status, Step


def configure_view(request: HttpRequest, number: int) -> HttpResponse:
    """Show the settings, store those that are sent, and check the whole file on request."""
    job = get_editable_job(request, number)
    if job.status == Status.DRAFT and job.step == Step.SCAN:
        return _being_read(request, job)
    if job.status not in transitions.EDITABLE_STATUSES:
        state = job.get_status_display()
        return _not_saved(request, job, f"This import is {state}; its settings can no longer be changed.")
    if is_fragment(request):  # from the page that waited for the file
        return HttpResponse(headers={"HX-Refresh": "true"})
    if request.method != "POST":
        return _render(request, job, [])
    try:
        return _take(request, job)
    except Refused as refused:
        if refused.code == "role":
            raise PermissionDenied(refused.message) from refused
        if refused.code == "gone":
            raise Http404(refused.message) from refused
        return _not_saved(request, job, refused.message)


def _take(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Store what was chosen, do what was requested, and answer. Raises ``Refused``."""
    if "fill_in" in request.POST:
        return _apply_mapping_file(request, job)
    sent = form.parse_submission(request.POST, job)
    if sent.changes:
        configure.apply_changes(job, get_actor(request), sent.changes)
    if "quiet" in request.POST:
        return _render_update(request, job, sent.faults)
    if sent.preset_change is not None or sent.reading is not None:
        _read_again(request, job, sent)
        return HttpResponseRedirect(import_url("configure", job))
    if sent.faults:
        return _render(request, job, sent.faults)
    return _press(request, job)


def _apply_mapping_file(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Map columns as the uploaded manifest says (MP-09). Raises ``Refused``."""
    file = request.FILES.get("mapping")
    try:
        if file is None:
            raise InvalidManifest(["Choose a JSON mapping file first"])
        mapping_file.check_size(file.size or 0)
        choices = mapping_file.resolve_choices(job, mapping_file.parse(file.read()))
    except InvalidManifest as wrong:
        return _render(request, job, [Fault("mapping", reason) for reason in wrong.reasons])
    except configure.InvalidMapping as problem:
        return _render(request, job, problem.faults)
    configure.apply_changes(job, get_actor(request), DraftChanges(columns=choices))
    messages.success(request, f"{len(choices):,} column{'s' * (len(choices) != 1)} mapped by the mapping file.")
    return HttpResponseRedirect(import_url("configure", job))


@require_safe
def download_mapping(request: HttpRequest, number: int) -> HttpResponse:
    """Return the mapping of an import as a manifest that other imports can use (MP-09)."""
    job = get_job(request, number)
    name = f"{slugify(job.name)[:60] or 'import'}-{job.pk}-mapping.json"
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        mapping_file.serialize(job), content_type="application/json", headers={"Content-Disposition": disposition}
    )


def _press(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Do what the pressed button is for, and answer. Raises ``Refused``."""
    if "remembered" in request.POST:
        _answer_saved_mapping(request, job)
    elif "keep_preset" in request.POST:
        configure.dismiss_preset_suggestion(job, get_actor(request))
    elif "preset_options" in request.POST:
        messages.success(request, f"Options reset to those of the preset {PRESETS[job.preset].label}.")
    elif "skip_undecided" in request.POST:
        skipped = configure.skip_undecided(job, get_actor(request))
        messages.success(request, f"{skipped:,} column{'s' * (skipped != 1)} skipped.")
    elif "check" in request.POST:
        if _is_outdated(request, job):
            text = f"The preset has been changed to {PRESETS[job.preset].label} since you opened this page"
            return _render(request, job, [Fault("record_type", f"{text}. Review the columns, then check the file")])
        try:
            _check(request, job)
        except configure.InvalidMapping as problem:
            return _render(request, job, problem.faults)
        return HttpResponseRedirect(import_url("change", job))
    elif "leave" in request.POST:
        return HttpResponseRedirect(import_url("changelist"))
    else:
        messages.success(request, "Your choices are saved.")
    return HttpResponseRedirect(_same_page(request, job))


def _is_outdated(request: HttpRequest, job: ImportJob) -> bool:
    """Return whether preset or record type were changed after the page was rendered, perhaps in another tab."""
    now = {"was-preset": job.preset, "was-record_type": job.record_type}
    return any(request.POST.get(name, value) != value for name, value in now.items())


def _check(request: HttpRequest, job: ImportJob) -> None:
    """Have the file checked; a small one during the request. Raises ``InvalidMapping`` or ``Refused``."""
    if not is_small(job):
        configure.check(job, get_actor(request))
        return
    with queue.run_inline():
        configure.check(job, get_actor(request))
        driver.run_until_idle(job)


def _read_again(request: HttpRequest, job: ImportJob, sent: form.Submission) -> None:
    """Have the file read under another preset or format; a small one during the request. Raises ``Refused``."""
    with _reading(job):
        if sent.preset_change is not None:
            preset, record_type = sent.preset_change
            change_preset.apply(job, get_actor(request), PRESETS[preset], record_type)
        elif sent.reading is not None:
            reread.request_reread(job, get_actor(request), sent.reading)
    if job.step or "refused" in job.format:
        return
    preset = f" with the preset {PRESETS[job.preset].label}" if sent.preset_change else ""
    kept = (
        ", ".join(setting.label for setting in option_settings.overridden_settings(job)) if sent.preset_change else ""
    )
    text = f"The file was read again{preset}. Review its columns."
    messages.success(request, text + (f" Options still changed from the preset: {kept}." if kept else ""))


@contextmanager
def _reading(job: ImportJob) -> Iterator[None]:
    """Read a small file during the request."""
    if job.file_size > SMALL_BYTES:
        yield
        return
    with queue.run_inline():
        yield
        driver.run_until_idle(job)


def _answer_saved_mapping(request: HttpRequest, job: ImportJob) -> None:
    """Use the mapping of an earlier import, or decline it. Raises ``Refused``."""
    number = request.POST["remembered"]
    if number.isascii() and number.isdigit() and len(number) < 19:
        name = saved_mappings.apply(job, get_actor(request), int(number))
        messages.success(request, f"The mapping and settings of “{name}” were applied.")
    else:
        saved_mappings.decline(job, get_actor(request))


def _render(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> HttpResponse:
    return render_page(request, "configure", job, **context.build_context(request, job, faults))


def _render_update(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> HttpResponse:
    """Return the parts of the page that change after its script has sent a choice."""
    positions = form.parse_positions(request.POST.get("here", "").split(","))
    return render_page(request, "configure_saved", job, **context.build_update_context(request, job, positions, faults))


def _being_read(request: HttpRequest, job: ImportJob) -> HttpResponse:
    if request.method != "POST":
        return render_page(request, "reading", job, title=job.name, step="Configure")
    text = "The file is being read, so your choice was not saved. Choose again when the file has been read."
    return _not_saved(request, job, text, to="configure")


def _not_saved(request: HttpRequest, job: ImportJob, text: str, to: str = "change") -> HttpResponse:
    """Tell the user that nothing was saved, with a link or a redirect to the page ``to`` of the job."""
    if "quiet" in request.POST:
        answer = render_page(request, "configure_moved", job, text=text, link=import_url(to, job))
        answer.status_code = 409
        return answer
    if is_fragment(request):
        return HttpResponse(headers={"HX-Redirect": import_url(to, job)})
    messages.warning(request, text)
    return HttpResponseRedirect(import_url(to, job))


def _same_page(request: HttpRequest, job: ImportJob) -> str:
    """Return the URL of the page with the same filter and page of columns."""
    parameters = {name: request.GET[name] for name in ("show", "columns") if name in request.GET}
    return f"{import_url('configure', job)}?{urlencode(parameters)}" if parameters else import_url("configure", job)
