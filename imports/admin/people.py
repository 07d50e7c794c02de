"""The list of people with the way to import more of them; ``profiles`` does not know of imports."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from imports.admin import pages, upload
from profiles.admin.people import ProfileAdmin
from profiles.models import Profile

admin.site.unregister(Profile)


@admin.register(Profile)
class ImportingProfileAdmin(ProfileAdmin):
    """People, with django-import-export's address for its Import button."""

    change_list_template = "imports/people.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(upload.view)
        return [path("import/", view, name="profiles_profile_import"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_upload": pages.may_upload(request), **(extra_context or {})})
