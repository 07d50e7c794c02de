"""Query strings that Django's own lists cannot handle."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


def redirect_without_nul(request: HttpRequest) -> HttpResponse | None:
    """Redirect to the list without filters if one contains a NUL character, which PostgreSQL refuses; else None."""
    texts = (value for _, values in request.GET.lists() for value in values)
    return HttpResponseRedirect(request.path) if any("\0" in text for text in texts) else None
