"""Extend Django's admin site by the work that waits for the user."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from imports.jobs import pending
from imports.jobs.transitions import Actor
from imports.models import ImportJob

FIRST_APPS = ("imports", "profiles")
"""The apps that the index lists first; the records of the site itself follow."""


class Site(admin.AdminSite):
    """Counts the imports that the user may approve in the navigation, and lists them on the front page."""

    site_title = site_header = "People"
    index_title = "Start"
    site_url = None  # there is no other site to view

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for model in (model for app in apps for model in app["models"] if model["model"] is ImportJob):
            if count := _waiting(request):
                model["name"] = f"{model['name']} ({count:,} waiting)"
        return sorted(apps, key=lambda app: app["app_label"] not in FIRST_APPS)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        desk = pending.pending_work(Actor.of(request.user), _waiting(request))
        return super().index(request, {"desk": desk, **(extra_context or {})})


def _waiting(request: HttpRequest) -> int:
    """Return the number of imports that the user may approve, queried once per request: a page uses it repeatedly."""
    waiting: int | None = getattr(request, "imports_waiting", None)
    if waiting is None:
        waiting = pending.count_approvals(Actor.of(request.user))
        request.imports_waiting = waiting  # type: ignore[attr-defined]
    return waiting
