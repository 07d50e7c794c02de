"""Template tags that show moments and the values of people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

MAX_CELL_LENGTH = 80


@register.simple_tag
def when(moment: datetime | None, precision: str = "minutes") -> SafeString:
    """Show a moment in the server's time zone, which a script converts to the reader's.

    ``precision`` is ``minutes`` or ``seconds``.
    """
    if moment is None:
        return SafeString("")
    try:
        local = timezone.localtime(moment)
    except OverflowError:  # the zone shifts it out of the years 0001 to 9999
        local = moment.astimezone(UTC)
    form = "j M Y, H:i:s" if precision == "seconds" else "j M Y, H:i"
    utc = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{date_format(local, form)} {local.tzname()}"
    return format_html('<time class="when" datetime="{}" data-precision="{}">{}</time>', utc, precision, text)


@register.simple_tag
def cell(value: Any) -> SafeString:
    """Show one value: a list with commas, a long text collapsed, each in the direction of its script."""
    text = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
    if len(text) <= MAX_CELL_LENGTH:
        return format_html('<bdi dir="auto">{}</bdi>', text)
    folded = '<details><summary><bdi dir="auto">{}…</bdi></summary><bdi dir="auto">{}</bdi></details>'
    return format_html(folded, text[:MAX_CELL_LENGTH], text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
