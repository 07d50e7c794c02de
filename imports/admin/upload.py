"""The first screen: a file comes in (MP-05, PS-01)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from imports import engine, queue, upload
from imports.admin import sample
from imports.admin.pages import SMALL_BYTES, actor, address, may_upload, page
from imports.models import ImportJob, Status
from imports.moves import Refused
from imports.presets import PRESETS, STANDARD

LONGEST_NAME = 255


class UploadForm(forms.Form):
    """A file and what to call its import."""

    file = forms.FileField(
        allow_empty_file=True,  # told in the same words as everything else that is wrong with a file
        max_length=None,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.gz,.zip,.xlsx"}),
        error_messages={"required": "Choose a file to upload."},
    )
    name = forms.CharField(
        label="Name of the import",
        required=False,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="People find what it brought by this name later. Left blank, it is the file's name.",
    )
    preset = forms.ChoiceField(initial=STANDARD.key, help_text="A bundle of options, for files of one system.")
    record_type = forms.ChoiceField(
        label="Record type",
        choices=ImportJob.RecordType.choices,
        initial=ImportJob.RecordType.PROFILES.value,
        help_text="A file of events has a row for each thing that somebody did: who, what, when, and its properties.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["preset"].choices = [(key, preset.label) for key, preset in PRESETS.items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse events under a preset whose files hold none (EV-02)."""
        sent = super().clean() or {}
        if sent.get("record_type") == ImportJob.RecordType.EVENTS and not PRESETS[sent["preset"]].events:
            self.add_error("record_type", PRESETS[sent["preset"]].no_events)
        return sent

    def job(self) -> ImportJob:
        """The job to be, without its file."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        name = (file.name or "file").replace("\0", "")
        return ImportJob(
            name=(self.cleaned_data["name"] or name)[:LONGEST_NAME],
            file_name=name[-LONGEST_NAME:],
            file_size=file.size or 0,
            source=ImportJob.Source.ADMIN,
            preset=self.cleaned_data["preset"],
            record_type=self.cleaned_data["record_type"],
        )


def view(request: HttpRequest) -> HttpResponse:
    """Take a file; a small one is read at once, so that its person goes on without waiting for a worker."""
    if not may_upload(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        job = _taken(request, form)
        if job is not None:
            return HttpResponseRedirect(address("configure", job))
    context = {
        "megabytes": settings.IMPORTS_MAX_MB,
        "event_megabytes": min(settings.IMPORTS_MAX_MB, STANDARD.options.max_event_megabytes),
        **sample.offered(),
    }
    return page(request, "upload", None, form=form, title="Upload a file of people", **context)


def _taken(request: HttpRequest, form: UploadForm) -> ImportJob | None:
    """The job, unless the file is refused; then the form says why."""
    job, file = form.job(), form.cleaned_data["file"].file
    try:
        upload.look(job, file)
        if job.file_size > SMALL_BYTES:
            return upload.receive(job, file, actor(request))
        with queue.in_this_process():
            upload.receive(job, file, actor(request))
            engine.run_here(job)
    except Refused as refused:
        form.add_error("file", refused.message)
        return None
    except OSError:
        form.add_error("file", "The file cannot be stored now. Tell an administrator, and try again later.")
        return None
    if job.status == Status.FAILED:
        form.add_error("file", job.reason)
        return None
    return job
