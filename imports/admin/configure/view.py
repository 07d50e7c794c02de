"""The second screen: whom rows find, what happens to them, where each column goes (section 9)."""

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
    """Show the choices, keep those that are sent, and have the whole file checked when that is asked for."""
    job = get_editable_job(request, number)
    if job.status == Status.DRAFT and job.step == Step.SCAN:
        return _being_read(request, job)
    if job.status not in transitions.EDITABLE_STATUSES:
        state = job.get_status_display()
        return _moved_on(request, job, f"This import is {state} now; its settings cannot change.")
    if is_fragment(request):  # from the page that waited for the file
        return HttpResponse(headers={"HX-Refresh": "true"})
    if request.method != "POST":
        return _shown(request, job, [])
    try:
        return _take(request, job)
    except Refused as refused:
        if refused.code == "role":
            raise PermissionDenied(refused.message) from refused
        if refused.code == "gone":
            raise Http404(refused.message) from refused
        return _moved_on(request, job, refused.message)


def _take(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Keep what was chosen, do what was asked for, and answer. Raises ``Refused``."""
    if "fill_in" in request.POST:
        return _filled_in(request, job)
    sent = form.parse_submission(request.POST, job)
    if sent.changes:
        configure.apply_changes(job, get_actor(request), sent.changes)
    if "quiet" in request.POST:
        return _saved(request, job, sent.faults)
    if sent.preset_change is not None or sent.reading is not None:
        _read_anew(request, job, sent)
        return HttpResponseRedirect(import_url("configure", job))
    if sent.faults:
        return _shown(request, job, sent.faults)
    return _pressed(request, job)


def _filled_in(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Send columns where the manifest that was uploaded says (MP-09). Raises ``Refused``."""
    file = request.FILES.get("mapping")
    try:
        if file is None:
            raise InvalidManifest(["Choose the JSON file of a mapping first"])
        mapping_file.check_size(file.size or 0)
        found = mapping_file.resolve_choices(job, mapping_file.parse(file.read()))
    except InvalidManifest as wrong:
        return _shown(request, job, [Fault("mapping", reason) for reason in wrong.reasons])
    except configure.InvalidMapping as problem:
        return _shown(request, job, problem.faults)
    configure.apply_changes(job, get_actor(request), DraftChanges(columns=found))
    messages.success(request, f"{len(found):,} column{'s are' if len(found) != 1 else ' is'} mapped as the file says.")
    return HttpResponseRedirect(import_url("configure", job))


@require_safe
def download_mapping(request: HttpRequest, number: int) -> HttpResponse:
    """Where the columns of an import go, as a manifest to be used again (MP-09)."""
    job = get_job(request, number)
    name = f"{slugify(job.name)[:60] or 'import'}-{job.pk}-mapping.json"
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        mapping_file.serialize(job), content_type="application/json", headers={"Content-Disposition": disposition}
    )


def _pressed(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Do what a button is for, and answer. Raises ``Refused``."""
    if "remembered" in request.POST:
        _answer_offer(request, job)
    elif "keep_preset" in request.POST:
        configure.dismiss_preset_suggestion(job, get_actor(request))
    elif "preset_options" in request.POST:
        messages.success(request, f"The options are those of the preset {PRESETS[job.preset].label} now.")
    elif "skip_undecided" in request.POST:
        skipped = configure.skip_undecided(job, get_actor(request))
        messages.success(request, f"{skipped:,} column{'s are' if skipped != 1 else ' is'} skipped now.")
    elif "check" in request.POST:
        if _is_outdated(request, job):
            text = f"The preset was changed meanwhile, and is {PRESETS[job.preset].label} now"
            return _shown(request, job, [Fault("record_type", f"{text}. Look at the columns, then check the file")])
        try:
            _check(request, job)
        except configure.InvalidMapping as problem:
            return _shown(request, job, problem.faults)
        return HttpResponseRedirect(import_url("change", job))
    elif "leave" in request.POST:
        return HttpResponseRedirect(import_url("changelist"))
    else:
        messages.success(request, "Your choices are saved.")
    return HttpResponseRedirect(_same_page(request, job))


def _is_outdated(request: HttpRequest, job: ImportJob) -> bool:
    """Whether the page was made before somebody took the file for something else, perhaps in another tab."""
    now = {"was-preset": job.preset, "was-record_type": job.record_type}
    return any(request.POST.get(name, value) != value for name, value in now.items())


def _check(request: HttpRequest, job: ImportJob) -> None:
    """Have the file checked; a small one at once. Raises ``NotReady`` or ``Refused``."""
    if not is_small(job):
        configure.check(job, get_actor(request))
        return
    with queue.run_inline():
        configure.check(job, get_actor(request))
        driver.run_until_idle(job)


def _read_anew(request: HttpRequest, job: ImportJob, sent: form.Submission) -> None:
    """Have the file read under another preset or in another form; a small one at once. Raises ``Refused``."""
    with _reading(job):
        if sent.preset_change is not None:
            preset, record_type = sent.preset_change
            change_preset.apply(job, get_actor(request), PRESETS[preset], record_type)
        elif sent.reading is not None:
            reread.request_reread(job, get_actor(request), sent.reading)
    if job.step or "refused" in job.format:
        return
    now = f"The preset is {PRESETS[job.preset].label} now." if sent.preset_change else "The file was read again."
    kept = (
        ", ".join(setting.label for setting in option_settings.overridden_settings(job)) if sent.preset_change else ""
    )
    messages.success(request, f"{now} Look at its columns." + (f" Kept as chosen by hand: {kept}." if kept else ""))


@contextmanager
def _reading(job: ImportJob) -> Iterator[None]:
    """A small file is read at once."""
    if job.file_size > SMALL_BYTES:
        yield
        return
    with queue.run_inline():
        yield
        driver.run_until_idle(job)


def _answer_offer(request: HttpRequest, job: ImportJob) -> None:
    """Use the mapping of an earlier import, or put it away. Raises ``Refused``."""
    number = request.POST["remembered"]
    if number.isascii() and number.isdigit() and len(number) < 19:
        name = saved_mappings.apply(job, get_actor(request), int(number))
        messages.success(request, f"The mapping and the settings of “{name}” are used.")
    else:
        saved_mappings.decline(job, get_actor(request))


def _shown(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> HttpResponse:
    return render_page(request, "configure", job, **context.build_context(request, job, faults))


def _saved(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> HttpResponse:
    """What has changed on a page whose script has sent one choice."""
    positions = form.parse_positions(request.POST.get("here", "").split(","))
    return render_page(request, "configure_saved", job, **context.build_update_context(request, job, positions, faults))


def _being_read(request: HttpRequest, job: ImportJob) -> HttpResponse:
    if request.method != "POST":
        return render_page(request, "reading", job, title=job.name, step="Configure")
    text = "The file is being read just now. What you chose here was not saved; choose again when it is read."
    return _moved_on(request, job, text, to="configure")


def _moved_on(request: HttpRequest, job: ImportJob, text: str, to: str = "change") -> HttpResponse:
    """Say that nothing was kept, where the person looks, with the way on."""
    if "quiet" in request.POST:
        answer = render_page(request, "configure_moved", job, text=text, link=import_url(to, job))
        answer.status_code = 409
        return answer
    if is_fragment(request):
        return HttpResponse(headers={"HX-Redirect": import_url(to, job)})
    messages.warning(request, text)
    return HttpResponseRedirect(import_url(to, job))


def _same_page(request: HttpRequest, job: ImportJob) -> str:
    """The columns that were shown, as far as the address says."""
    asked = {name: request.GET[name] for name in ("show", "columns") if name in request.GET}
    return f"{import_url('configure', job)}?{urlencode(asked)}" if asked else import_url("configure", job)
