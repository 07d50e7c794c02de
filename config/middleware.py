"""Reload the whole page if htmx requests a part of it that is not available; the page then shows the reason."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRefresh

RELOAD_STATUSES = (403, 404)


class HtmxFullPageMiddleware:
    """Middleware for requests of htmx: send a user whose login has expired to the login page, and back afterwards.

    htmx would follow the redirect itself and show the login page inside the page; and it would request a part that
    does not exist, or that the user may not see any more, for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if not getattr(request, "htmx", False):
            return response
        if isinstance(response, HttpResponseRedirect) and response.url.startswith(resolve_url(settings.LOGIN_URL)):
            return HttpResponseClientRefresh()
        if response.status_code in RELOAD_STATUSES and request.method == "GET":
            response["HX-Refresh"] = "true"
        return response
