"""What happens to a part of a page that cannot be had: its whole page is loaded anew, and says why."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRefresh

RELOAD_STATUSES = (403, 404)


class HtmxFullPageMiddleware:
    """Middleware for what htmx asks for: who is not logged in any more comes to the login page, and back.

    htmx would follow the redirect itself and put the login page into the middle of the page; and for a page that may
    not be seen any more, or that is not there, it would go on asking for ever.
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
