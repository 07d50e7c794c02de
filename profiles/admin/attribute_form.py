"""The form of an attribute: what is asked, and that the schema may become so."""

from __future__ import annotations

from typing import Any

from django import forms

from profiles.attributes import changes
from profiles.models import Attribute
from profiles.schema import MAX_KEY_BYTES, Definition

HELP_TEXTS = {
    "key": f"What headers call it, such as loyaltyTier; at most {MAX_KEY_BYTES} bytes. It cannot be changed later.",
    "label": "What people call it; left blank, the key.",
    "type": "What its values must be. Changes later only where every value that people have stays as it is.",
    "multi_valued": "A person may have several values; the first is the main one.",
    "mandatory": "Files without a column for it, and rows without a value, are refused.",
    "personal": "Tells something about a person that others should not know without need.",
    "filterable": "People are often looked for by it; that stays fast, and imports get a little slower.",
    "description": "For colleagues: where it comes from, what its values mean.",
}


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg]
    """Nothing is saved that what people have does not allow."""

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
        """Say everything that is against it. From here to the commit nobody else changes the schema."""
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
        """What else is in the way of the change; a site that imports knows more."""
        return ""

    def _before(self) -> Definition:
        stored = Attribute.objects.filter(pk=self.instance.pk).first()
        if stored is None:
            raise forms.ValidationError("Somebody has deleted this attribute meanwhile. Nothing was saved.")
        for name in Attribute.INDEX_FIELDS:  # a worker may have gone on with it since it was read for the page
            setattr(self.instance, name, getattr(stored, name))
        return stored.definition

    def _after(self, cleaned: dict[str, Any]) -> Definition:
        """The attribute as it would be: what is not asked stays as it is."""
        values = {name: cleaned.get(name, getattr(self.instance, name)) for name in Attribute.DEFINITION_FIELDS}
        return Attribute(**values).definition
