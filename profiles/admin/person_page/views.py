"""The views of one person in the admin: show, add, change and delete. ``ProfileAdmin`` holds the permissions.

``profiles.writing.edit`` decides what is written, and by which rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.labels import person_label
from profiles.admin.person_page import form_fields
from profiles.admin.person_page.consent import with_groups
from profiles.admin.person_page.form_fields import Field
from profiles.admin.person_page.pages import PersonForm, delete_page, person_page, value_label
from profiles.models import Profile, load_schema
from profiles.schema import Schema
from profiles.writing import edit, retry, store
from profiles.writing.edit import SeenVersion
from profiles.writing.errors import GONE, EditRefused, ErrorKind, FormError


def add(request: HttpRequest, admin: ExtensibleAdmin) -> HttpResponse:
    """Show the form of a new person, and create the person on POST. Raises ``PermissionDenied``."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    if request.method != "POST":
        schema = with_groups(load_schema(), None)
        return person_page(request, admin, None, schema, PersonForm(form_fields.person_fields(None, schema)))
    try:
        with retry.shared_schema() as held:
            schema = with_groups(held, None)
            fields = form_fields.submitted_fields(request.POST, None, schema)
            return _reshaped(request, admin, None, schema, fields) or _create(request, admin, schema, fields)
    except EditRefused as busy:
        return _resubmit_page(request, admin, None, busy)


def change(request: HttpRequest, admin: ExtensibleAdmin, number: str) -> HttpResponse:
    """Show a person, and save the submitted form. Raises ``PermissionDenied`` and ``Http404``."""
    person = _person(number)
    if not admin.has_view_or_change_permission(request, person):
        raise PermissionDenied
    if request.method != "POST":
        if person is None:
            raise Http404(f"Person {number} does not exist. Somebody may have deleted them.")
        schema = with_groups(load_schema(), person)
        return person_page(
            request, admin, person, schema, PersonForm(form_fields.person_fields(person, schema), _version(person))
        )
    if not admin.has_change_permission(request, person):
        raise PermissionDenied
    try:
        with retry.shared_schema() as held:
            schema = with_groups(held, person)
            fields = form_fields.submitted_fields(request.POST, person, schema)
            return _reshaped(request, admin, person, schema, fields) or _save(request, admin, person, schema, fields)
    except EditRefused as busy:
        return _resubmit_page(request, admin, person, busy)


def delete(request: HttpRequest, admin: ExtensibleAdmin, number: str) -> HttpResponse:
    """Show what will be deleted with a person, and delete them on POST. Raises ``PermissionDenied`` and ``Http404``."""
    person = _person(number)
    if not admin.has_delete_permission(request, person):
        raise PermissionDenied
    faults: tuple[FormError, ...] = ()
    if request.method == "POST":
        faults = _delete(request, admin, person)
        if not faults:
            return HttpResponseRedirect(reverse("admin:profiles_profile_changelist"))
    if person is None:
        raise Http404(f"Person {number} does not exist. Somebody may have deleted them.")
    return delete_page(request, admin, person, load_schema(), faults)


def _resubmit_page(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, refused: EditRefused
) -> HttpResponse:
    """Return the form as submitted, with the reason why it could not be processed."""
    schema, seen = with_groups(load_schema(), person), _seen(request, person)
    fields = form_fields.submitted_fields(request.POST, person, schema)
    return person_page(
        request,
        admin,
        person,
        schema,
        PersonForm(fields, seen.version, refused.faults, was=request.POST.get("was", "")),
    )


def _person(number: str) -> Profile | None:
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    return Profile.objects.filter(pk=int(number)).first() if is_number else None


def _reshaped(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, fields: list[Field]
) -> HttpResponse | None:
    """Return the form with an added field, or with a list in another order; None if it was submitted to be saved."""
    command, _, argument = request.POST.get("do", "").partition(":")
    if command == "add":
        focus = _add_field(request, person, schema, fields)
    elif command == "up":
        focus = _swap_up(argument, fields)
    else:
        return None
    version, was = _seen(request, person).version, request.POST.get("was", "")
    return person_page(request, admin, person, schema, PersonForm(fields, version, focus=focus, was=was))


def _add_field(request: HttpRequest, person: Profile | None, schema: Schema, fields: list[Field]) -> str:
    """Add the chosen field, or the two of an alias, if possible; return the HTML id to focus."""
    added = form_fields.empty_fields(request.POST.get("attribute", ""), schema)
    existing = {each.key for each in fields} | (person.attributes.keys() if person else set())
    if not added or any(each.key in existing for each in added):
        return "id_attribute"
    fields.extend(added)
    return added[0].first_box.id


def _swap_up(argument: str, fields: Iterable[Field]) -> str:
    """Swap a value of a list with the one before it; return the HTML id of its box, empty if there is none."""
    name, _, at = argument.partition(":")
    for each in fields:
        if each.name == name and at in {str(place) for place in range(1, len(each.texts))}:
            each.swap_up(int(at))
            return each.boxes()[int(at) - 1].id
    return ""


def _create(request: HttpRequest, admin: ExtensibleAdmin, schema: Schema, fields: list[Field]) -> HttpResponse:
    values = form_fields.submitted_values(fields)
    if any(each.problems for each in fields):
        return person_page(request, admin, None, schema, PersonForm(fields))
    try:
        with transaction.atomic():
            person = Profile.objects.get(pk=edit.create(values, _actor(request), shared="shared" in request.POST))
            admin.log_addition(request, person, [{"added": {}}])
    except EditRefused as refused:
        return person_page(request, admin, None, schema, PersonForm(fields, faults=refused.faults))
    messages.success(request, format_html("{} was added.", _link(person)))
    return _next(request, admin, person)


def _save(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, fields: list[Field]
) -> HttpResponse:
    values, seen = form_fields.submitted_values(fields), _seen(request, person)
    try:
        if person is None:
            raise EditRefused(GONE)
        if any(each.problems for each in fields):
            return person_page(
                request, admin, person, schema, PersonForm(fields, seen.version, was=request.POST.get("was", ""))
            )
        with transaction.atomic():
            changed = [value_label(key, schema) for key in edit.save(seen, values, _actor(request))]
            if changed:
                admin.log_change(request, person, [{"changed": {"fields": changed}}])
    except EditRefused as refused:
        return _refused(
            request,
            admin,
            person,
            schema,
            PersonForm(fields, seen.version, refused.faults, was=request.POST.get("was", "")),
        )
    if changed:
        messages.success(request, format_html("{}: {} saved.", _link(person), ", ".join(changed)))
    else:
        messages.success(request, format_html("{}: nothing was changed, so nothing was saved.", _link(person)))
    return _next(request, admin, person)


def _refused(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, form: PersonForm
) -> HttpResponse:
    """Return the page with the entries and the reasons why they were not saved."""
    person = Profile.objects.filter(pk=person.pk).first() if person else None
    if form.has(ErrorKind.CHANGED) and person is not None:
        # The page shows the values that somebody else saved next to each field that the user changed, and gets the new
        # version, so that the user can submit the form again.
        fields = form_fields.submitted_fields(request.POST, person, schema)
        form_fields.refresh_untyped(fields, form.was)
        if fields and all(each.texts == each.shown for each in fields):
            messages.success(request, format_html("{}: your entries are saved already.", _link(person)))
            return _next(request, admin, person)
        for each in fields:
            if each.texts != each.shown:
                each.stored_now = form_fields.display_texts(each.stored, each.definition)
        form = PersonForm(fields, _version(person), form.faults)
    return person_page(request, admin, person, schema, form)


def _delete(request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None) -> tuple[FormError, ...]:
    """Delete a person, or return why not; no fault if the person was deleted already."""
    if person is None:
        messages.warning(request, "Somebody else has already deleted this person.")
        return ()
    try:
        with transaction.atomic():
            admin.log_deletions(request, Profile.objects.filter(pk=person.pk))
            edit.delete(_seen(request, person), _actor(request))
    except EditRefused as refused:
        return refused.faults
    messages.success(request, format_html('<bdi dir="auto">{}</bdi> was deleted.', person_label(person)))
    return ()


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)


def _version(person: Profile) -> int:
    return store.to_microseconds(person.updated)


def _seen(request: HttpRequest, person: Profile | None) -> SeenVersion:
    """Return the person and version that the submitted page showed."""
    version = request.POST.get("version", "")
    is_number = version.isascii() and version.isdecimal() and len(version) < 19
    return SeenVersion(person.pk if person else 0, int(version) if is_number else 0)


def _next(request: HttpRequest, admin: ExtensibleAdmin, person: Profile) -> HttpResponse:
    if "_continue" in request.POST:
        return HttpResponseRedirect(_address(person))
    return admin.response_post_save_change(request, person)


def _link(person: Profile) -> SafeString:
    return format_html('<a href="{}"><bdi dir="auto">{}</bdi></a>', _address(person), person_label(person))


def _address(person: Profile) -> str:
    return reverse("admin:profiles_profile_change", args=[person.pk])
