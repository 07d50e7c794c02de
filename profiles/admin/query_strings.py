"""Addresses that Django's own lists cannot answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


def redirect_without_nul(request: HttpRequest) -> HttpResponse | None:
    """The list as it is without filters, where one asks for a NUL character, which the database refuses; else None."""
    asked = (value for _, values in request.GET.lists() for value in values)
    return HttpResponseRedirect(request.path) if any("\0" in value for value in asked) else None
