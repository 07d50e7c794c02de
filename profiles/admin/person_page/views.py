"""One person in the admin: shown, made, changed, deleted. ``ProfileAdmin`` says who may do what and sends us its views.

What is written, and under which rules, is for ``profiles.writing.edit`` to say.
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
    """Make a person of what is sent, or show the form for it."""
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
        return _as_typed(request, admin, None, busy)


def change(request: HttpRequest, admin: ExtensibleAdmin, number: str) -> HttpResponse:
    """Show a person, and save what is sent about them."""
    person = _person(number)
    if not admin.has_view_or_change_permission(request, person):
        raise PermissionDenied
    if request.method != "POST":
        if person is None:
            raise Http404(f"There is no person {number}; somebody may have deleted them.")
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
        return _as_typed(request, admin, person, busy)


def delete(request: HttpRequest, admin: ExtensibleAdmin, number: str) -> HttpResponse:
    """Say what goes with a person, and delete them when that is confirmed."""
    person = _person(number)
    if not admin.has_delete_permission(request, person):
        raise PermissionDenied
    faults: tuple[FormError, ...] = ()
    if request.method == "POST":
        faults = _delete(request, admin, person)
        if not faults:
            return HttpResponseRedirect(reverse("admin:profiles_profile_changelist"))
    if person is None:
        raise Http404(f"There is no person {number}; somebody may have deleted them.")
    return delete_page(request, admin, person, load_schema(), faults)


def _as_typed(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, refused: EditRefused
) -> HttpResponse:
    """The form as it was sent, and why nothing could be done with it yet."""
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
    sound = number.isascii() and number.isdecimal() and len(number) < 19
    return Profile.objects.filter(pk=int(number)).first() if sound else None


def _reshaped(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, fields: list[Field]
) -> HttpResponse | None:
    """The same form with one more field, or with a list in another order; None where it is to be saved."""
    what, _, which = request.POST.get("do", "").partition(":")
    if what == "add":
        focus = _add_field(request, person, schema, fields)
    elif what == "up":
        focus = _move_up(which, fields)
    else:
        return None
    version, was = _seen(request, person).version, request.POST.get("was", "")
    return person_page(request, admin, person, schema, PersonForm(fields, version, focus=focus, was=was))


def _add_field(request: HttpRequest, person: Profile | None, schema: Schema, fields: list[Field]) -> str:
    """Add the field that was chosen, if it was, or the two of an alias; the id of its box."""
    added = form_fields.empty_fields(request.POST.get("attribute", ""), schema)
    taken = {each.key for each in fields} | (person.attributes.keys() if person else set())
    if not added or any(each.key in taken for each in added):
        return "id_attribute"
    fields.extend(added)
    return added[0].first_box.id


def _move_up(which: str, fields: Iterable[Field]) -> str:
    """Move a value of a list up by one place; the id of its box."""
    name, _, at = which.partition(":")
    for each in fields:
        if each.name == name and at in {str(place) for place in range(1, len(each.texts))}:
            each.move_up(int(at))
            return each.boxes()[int(at) - 1].id
    return ""


def _create(request: HttpRequest, admin: ExtensibleAdmin, schema: Schema, fields: list[Field]) -> HttpResponse:
    wanted = form_fields.submitted_values(fields)
    if any(each.problems for each in fields):
        return person_page(request, admin, None, schema, PersonForm(fields))
    try:
        with transaction.atomic():
            made = Profile.objects.get(pk=edit.create(wanted, _actor(request), shared="shared" in request.POST))
            admin.log_addition(request, made, [{"added": {}}])
    except EditRefused as refused:
        return person_page(request, admin, None, schema, PersonForm(fields, faults=refused.faults))
    messages.success(request, format_html("{} was added.", _link(made)))
    return _next(request, admin, made)


def _save(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, fields: list[Field]
) -> HttpResponse:
    wanted, seen = form_fields.submitted_values(fields), _seen(request, person)
    try:
        if person is None:
            raise EditRefused(GONE)
        if any(each.problems for each in fields):
            return person_page(
                request, admin, person, schema, PersonForm(fields, seen.version, was=request.POST.get("was", ""))
            )
        with transaction.atomic():
            changed = [value_label(key, schema) for key in edit.save(seen, wanted, _actor(request))]
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
        messages.success(request, format_html("{}: nothing was changed, so nothing was written.", _link(person)))
    return _next(request, admin, person)


def _refused(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, form: PersonForm
) -> HttpResponse:
    """The page with what was typed and why it is not saved."""
    person = Profile.objects.filter(pk=person.pk).first() if person else None
    if form.has(ErrorKind.CHANGED) and person is not None:
        # Whoever sends the form again has seen what was saved meanwhile: it stands beside each field that they changed.
        fields = form_fields.submitted_fields(request.POST, person, schema)
        form_fields.refresh_untyped(fields, form.was)
        if fields and all(each.texts == each.shown for each in fields):
            messages.success(request, format_html("{}: all that you typed is saved.", _link(person)))
            return _next(request, admin, person)
        for each in fields:
            if each.texts != each.shown:
                each.meanwhile = form_fields.display_texts(each.stored, each.definition)
        form = PersonForm(fields, _version(person), form.faults)
    return person_page(request, admin, person, schema, form)


def _delete(request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None) -> tuple[FormError, ...]:
    """Delete somebody, or say why not; who is gone already is as gone as was asked for."""
    if person is None:
        messages.warning(request, "Somebody had deleted this person already.")
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
    """Whom the page showed that was sent."""
    version = request.POST.get("version", "")
    sound = version.isascii() and version.isdecimal() and len(version) < 19
    return SeenVersion(person.pk if person else 0, int(version) if sound else 0)


def _next(request: HttpRequest, admin: ExtensibleAdmin, person: Profile) -> HttpResponse:
    if "_continue" in request.POST:
        return HttpResponseRedirect(_address(person))
    return admin.response_post_save_change(request, person)


def _link(person: Profile) -> SafeString:
    return format_html('<a href="{}"><bdi dir="auto">{}</bdi></a>', _address(person), person_label(person))


def _address(person: Profile) -> str:
    return reverse("admin:profiles_profile_change", args=[person.pk])
