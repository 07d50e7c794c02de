"""What pages about imports show in their own way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from imports import progress

register = template.Library()

LONGEST_CELL = 80


@register.filter
def share(part: int, whole: int) -> str:
    """A part of a whole in per cent, never rounded to all or to nothing."""
    if not whole or not part:
        return "0%"
    return "100%" if part >= whole else f"{min(99, max(1, round(100 * part / whole)))}%"


@register.filter
def duration(seconds: float) -> str:
    return progress.duration(seconds)


@register.simple_tag
def when(moment: datetime | None, precision: str = "minutes") -> SafeString:
    """A moment in the zone of the server, which a script turns into the reader's own; ``precision``: or ``seconds``."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    form = "j M Y, H:i:s" if precision == "seconds" else "j M Y, H:i"
    utc = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{date_format(local, form)} {local.tzname()}"
    return format_html('<time class="when" datetime="{}" data-precision="{}">{}</time>', utc, precision, text)


@register.simple_tag
def outcome_bar(parts: Sequence[Any]) -> SafeString:
    """Rectangles side by side, one for each outcome that has rows; widths are attributes, since styles may not be."""
    shown, at = [], 0.0
    for part in parts:
        if part.width:
            shown.append((part.name, f"{at:.3f}", f"{max(part.width - 0.4, 0.2):.3f}"))
            at += part.width
    return format_html_join("", '<rect class="{}" x="{}%" width="{}%" height="24"></rect>', shown)


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
