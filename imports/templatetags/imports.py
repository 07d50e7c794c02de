"""Template filters and tags for pages about imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from imports.jobs import progress
from profiles.templatetags.profiles import cell, when

register = template.Library()


@register.filter
def share(part: int, whole: int) -> str:
    """Return a part as a percentage of the whole; 0% and 100% are exact and never the result of rounding."""
    if not whole or not part:
        return "0%"
    return "100%" if part >= whole else f"{min(99, max(1, round(100 * part / whole)))}%"


@register.filter
def duration(seconds: float) -> str:
    return progress.format_duration(seconds)


@register.simple_tag
def outcome_bar(parts: Sequence[Any]) -> SafeString:
    """Return adjacent SVG rectangles, one for each outcome that has rows.

    Widths are attributes, since the content security policy forbids inline styles.
    """
    shown, at = [], 0.0
    for part in parts:
        if part.width:
            shown.append((part.name, f"{at:.3f}", f"{max(part.width - 0.4, 0.2):.3f}"))
            at += part.width
    form = '<rect class="{}" x="{}%" width="{}%" height="24" fill="url(#stripes)"></rect>'
    return format_html_join("", form, shown)


register.simple_tag(cell)
register.simple_tag(when)
