"""The form of an attribute: its fields and help texts, and the check that the schema may change accordingly."""

from __future__ import annotations

from typing import Any

from django import forms

from profiles.attributes import changes
from profiles.models import Attribute
from profiles.schema import MAX_KEY_BYTES, Definition

HELP_TEXTS = {
    "key": f"The name in column headers, such as loyaltyTier; at most {MAX_KEY_BYTES} bytes. "
    "It cannot be changed later.",
    "label": "The name shown on pages. If you leave it blank, the key is used.",
    "type": "The type of its values. It can be changed later only if all stored values stay the same.",
    "multi_valued": "A person can have several values; the first is the primary one.",
    "mandatory": "A file without a column for it is refused, and a row without a value fails.",
    "personal": "Personal information that only those who need it should see.",
    "filterable": "Keeps filters by this attribute fast in the list of people; imports become a little slower.",
    "description": "A note for colleagues: where the values come from and what they mean.",
}


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that refuses changes which do not fit the values that people have."""

    class Meta:
        model = Attribute
        fields = (
            "key", "label", "type", "multi_valued", "identifier", "mandatory", "personal", "filterable", "description",
        )  # fmt: skip
        help_texts = HELP_TEXTS
        labels = {"multi_valued": "List"}
        widgets = {
            "key": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
            "label": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before: Definition | None = None
        if "label" in self.fields:
            self.fields["label"].required = False

    def clean_label(self) -> str:
        return str(self.cleaned_data["label"] or self.cleaned_data.get("key") or self.instance.key)

    def clean(self) -> dict[str, Any]:
        """Report everything that prevents the change. From here to the commit the schema is locked."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if busy := changes.lock_schema(self.instance.pk):
            raise forms.ValidationError(busy)
        if self.instance.pk:
            self.before = self._before()
        for fault in changes.find_faults(self.before, self._after(cleaned)):
            self.add_error(fault.field if fault.field in self.fields else None, fault.reason)
        if not self.errors and (reason := self.obstacle(self.before, self._after(cleaned))):
            raise forms.ValidationError(reason)
        return cleaned

    def obstacle(self, before: Definition | None, after: Definition) -> str:
        """Return another reason against the change, empty for none; an app with imports overrides this."""
        return ""

    def _before(self) -> Definition:
        stored = Attribute.objects.filter(pk=self.instance.pk).first()
        if stored is None:
            raise forms.ValidationError("Somebody deleted this attribute after you opened the page. Nothing was saved.")
        for name in Attribute.INDEX_FIELDS:  # a worker may have continued the index since the page was read
            setattr(self.instance, name, getattr(stored, name))
        return stored.definition

    def _after(self, cleaned: dict[str, Any]) -> Definition:
        """Return the attribute after the change: fields that are not in the form keep their values."""
        values = {name: cleaned.get(name, getattr(self.instance, name)) for name in Attribute.DEFINITION_FIELDS}
        return Attribute(**values).definition
