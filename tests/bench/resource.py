"""People as a resource of django-import-export, written as its documentation shows, once for each way to use it."""

# mypy: disable-error-code="misc"
# django-import-export has no types, so its classes are of the type Any.

import uuid
from typing import Any

from django.utils import timezone
from import_export import fields, resources, widgets
from import_export.instance_loaders import BaseInstanceLoader

from profiles.models import Identifier, Profile

TEXTS = ("first_name", "last_name", "country", "language", "home_city", "dob", "gender", "plan")
KEPT = ("first_name", "last_name", "home_city", "plan")
"""Columns whose white space is part of the value."""


class AttributeField(fields.Field):
    """A column that goes into ``Profile.attributes`` under its own name; a blank leaves what is known."""

    def __init__(self, name: str, widget: widgets.Widget | None = None, *, is_list: bool = False) -> None:
        super().__init__(attribute=name, column_name=name, widget=widget)
        self.is_list = is_list

    def get_value(self, instance: Profile) -> Any:
        value = instance.attributes.get(self.attribute)
        return value[0] if self.is_list and value else value

    def save(self, instance: Profile, row: dict[str, str], is_m2m: bool = False, **kwargs: Any) -> None:
        value = self.clean(row, **kwargs)
        if value not in (None, ""):
            instance.attributes[self.attribute] = [value] if self.is_list else value


class TrimmedWidget(widgets.CharWidget):
    """A text without white space at its ends."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return super().clean(value, row, **kwargs).strip()


class PhoneWidget(widgets.CharWidget):
    """A phone number without separators."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        digits = "".join(filter(str.isdecimal, value or ""))
        return f"+{digits}" if digits else ""


class ByEmail(BaseInstanceLoader):
    """Finds a person by e-mail, with one query for each."""

    def get_instance(self, row: dict[str, str]) -> Profile | None:
        people = Identifier.objects.filter(kind="email", value=email_of(row)).select_related("profile")
        found = people.first()
        return found.profile if found else None


class ByEmailAtOnce(BaseInstanceLoader):
    """Finds everybody of the file with one query, before the first row."""

    def __init__(self, resource: resources.Resource, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        values = [email.strip().casefold() for email in dataset["email"]]
        people = Identifier.objects.filter(kind="email", value__in=values).select_related("profile")
        self.known = {identifier.value: identifier.profile for identifier in people}

    def get_instance(self, row: dict[str, str]) -> Profile | None:
        return self.known.get(email_of(row))


def email_of(row: dict[str, str]) -> str:
    return row["email"].strip().casefold()


def identifiers(profile: Profile) -> list[Identifier]:
    """What a person is found by."""
    emails, phones = profile.attributes["email"], profile.attributes.get("phone", [])
    return [
        *(Identifier(kind="email", value=email.casefold(), profile=profile) for email in emails),
        *(Identifier(kind="phone", value=phone[1:], profile=profile) for phone in phones),
    ]


class AdminResource(resources.ModelResource):
    """Row by row, with the library's defaults."""

    email = AttributeField("email", TrimmedWidget(), is_list=True)
    phone = AttributeField("phone", PhoneWidget(), is_list=True)
    score = AttributeField("score", widgets.IntegerWidget())

    class Meta:
        model = Profile
        fields = ("email", "phone", "score", *TEXTS)
        import_id_fields = ("email",)
        instance_loader_class = ByEmail

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in TEXTS:
            self.fields[name] = AttributeField(name, widgets.CharWidget() if name in KEPT else TrimmedWidget())

    def init_instance(self, row: dict[str, str] | None = None) -> Profile:
        now = timezone.now()
        return Profile(object_id=uuid.uuid4().hex, created=now, updated=now)

    def before_save_instance(self, instance: Profile, row: dict[str, str], **kwargs: Any) -> None:
        instance.updated = timezone.now()

    def do_instance_save(self, instance: Profile, is_create: bool) -> None:
        super().do_instance_save(instance, is_create)
        if is_create:
            Identifier.objects.bulk_create(identifiers(instance))


class BulkResource(AdminResource):
    """As fast as its options allow."""

    class Meta(AdminResource.Meta):
        instance_loader_class = ByEmailAtOnce
        use_bulk = True
        skip_diff = True
        batch_size = 1000

    def get_bulk_update_fields(self) -> list[str]:
        return ["attributes", "updated"]

    def bulk_create(self, *args: Any, **kwargs: Any) -> None:
        created = list(self.create_instances)
        super().bulk_create(*args, **kwargs)
        Identifier.objects.bulk_create(
            [identifier for profile in created for identifier in identifiers(profile)], batch_size=2000
        )
