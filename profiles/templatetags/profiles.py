"""How pages show what is known about people."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

LONGEST_CELL = 80


@register.simple_tag
def cell(value: Any) -> SafeString:
    """One value as people read it: long ones folded, lists with commas, in the direction of their script."""
    text = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
    if len(text) <= LONGEST_CELL:
        return format_html('<bdi dir="auto">{}</bdi>', text)
    folded = '<details><summary><bdi dir="auto">{}…</bdi></summary><bdi dir="auto">{}</bdi></details>'
    return format_html(folded, text[:LONGEST_CELL], text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
