"""The screen *Upload*: take a file and create its import (MP-05, PS-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from imports.admin import samples
from imports.admin.pages import SMALL_BYTES, get_actor, import_url, may_upload, render_page
from imports.drafts import upload
from imports.engine import driver
from imports.jobs import queue
from imports.jobs.transitions import Refused
from imports.mapping import preset_choices
from imports.models import ImportJob
from imports.presets import PRESETS, STANDARD, Preset
from imports.states import Status

MAX_NAME_LENGTH = 255

RECORD_TYPES = ImportJob.RecordType.choices
_HOLDS = {
    ImportJob.RecordType.PROFILES.value: "each row is a person with their attributes",
    ImportJob.RecordType.EVENTS.value: "each row is something that a person did, with a name and a time",
}


@dataclass(frozen=True, slots=True)
class Option:
    """A radio button: the value that is sent, its label, and a hint on when to choose it."""

    value: str
    label: str
    hint: str
    chosen: bool


class UploadForm(forms.Form):
    """A file with the name, the preset and the record type of its import."""

    file = forms.FileField(
        allow_empty_file=True,  # refused later, with the message that all ways of importing share
        max_length=None,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.gz,.zip,.xlsx"}),
        error_messages={"required": "Choose a file to upload."},
    )
    name = forms.CharField(
        label="Name of the import",
        required=False,
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Use this name later to find the people this import added or changed. "
        "If you leave it blank, the file's name is used.",
    )
    preset = forms.ChoiceField(
        choices=[(key, preset.label) for key, preset in PRESETS.items()],
        initial=STANDARD.key,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a preset."},
    )
    record_type = forms.ChoiceField(
        label="Record type",
        choices=RECORD_TYPES,
        initial=ImportJob.RecordType.PROFILES.value,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the file holds."},
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a record type that the preset does not support (EV-02)."""
        preset, record_type = self.cleaned_data.get("preset"), self.cleaned_data.get("record_type", "")
        if preset and (reason := preset_choices.unsupported_reason(PRESETS[preset], record_type)):
            self.add_error("record_type", reason)
        return self.cleaned_data

    @property
    def presets(self) -> list[Option]:
        """The presets, each with a hint on when to choose it."""
        chosen = self["preset"].value()
        return [Option(key, each.label, _preset_hint(each), chosen == key) for key, each in PRESETS.items()]

    @property
    def record_types(self) -> list[Option]:
        chosen = self["record_type"].value()
        return [Option(value, label, _HOLDS[value], chosen == value) for value, label in RECORD_TYPES]

    def job(self) -> ImportJob:
        """Return the new job, not saved yet and without its file."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        name = (file.name or "file").replace("\0", "")
        return ImportJob(
            # Stripped, since forms strip the name that a user enters to filter by this import (SG-03).
            name=self.cleaned_data["name"] or name.strip()[:MAX_NAME_LENGTH].strip() or "file",
            file_name=name[-MAX_NAME_LENGTH:],
            file_size=file.size or 0,
            source=ImportJob.Source.ADMIN,
            preset=self.cleaned_data["preset"],
            action=preset_choices.default_action(PRESETS[self.cleaned_data["preset"]]),
            record_type=self.cleaned_data["record_type"],
        )


def upload_view(request: HttpRequest) -> HttpResponse:
    """Receive a file; read a small one during the request, so that its user does not wait for a worker."""
    if not may_upload(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        job = _receive(request, form)
        if job is not None:
            return HttpResponseRedirect(import_url("configure", job))
    return render_page(request, "upload", None, form=form, title="Upload a file", **samples.sample_choices())


def _preset_hint(preset: Preset) -> str:
    """Return when to choose a preset, and how large its files may be (FF-09 to FF-11)."""
    most = [preset.options.max_megabytes, preset.options.max_event_megabytes]
    people, events = (f"{min(number, settings.IMPORTS_MAX_MB):,} MB" for number in most)
    if not preset.events:
        return f"{preset.says} Up to {people}; no events."
    return f"{preset.says} Up to {people}, events up to {events}."


def _receive(request: HttpRequest, form: UploadForm) -> ImportJob | None:
    """Return the job; None if the file is refused, with the reason as an error of the form."""
    job, file = form.job(), form.cleaned_data["file"].file
    try:
        upload.check_first_bytes(job, file)
        if job.file_size > SMALL_BYTES:
            return upload.receive(job, file, get_actor(request))
        with queue.run_inline():
            upload.receive(job, file, get_actor(request))
            driver.run_until_idle(job)
    except Refused as refused:
        form.add_error("record_type" if refused.code == "record_type" else "file", refused.message)
        return None
    except OSError:
        form.add_error("file", "The file cannot be stored at the moment. Tell an administrator, and try again later.")
        return None
    if job.status == Status.FAILED:
        form.add_error("file", job.reason)
        return None
    return job
