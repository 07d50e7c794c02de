"""How many people of an import can be written to on each channel (SG-09): counted when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from imports.admin import people_filter
from imports.admin.pages import get_job, is_fragment, render_page
from profiles.database.statement_timeout import StatementTimeout, statement_timeout
from profiles.merging.consent import Channel
from profiles.search import query_builder, reach


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """A channel: how many it reaches, who they are, and what one must have."""

    channel: Channel
    people: int
    address: str
    needs: str


def reach_view(request: HttpRequest, number: int) -> HttpResponse:
    """The set beside its reach; for htmx only that. Raises ``Http404`` for an import that wrote nobody."""
    job = get_job(request, number)
    if job.change_set_id is None:
        raise Http404("This import has not begun, so it has no people yet.")
    everybody, lines = 0, []
    try:
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            everybody, reached = query_builder.count_reach(job.change_set_id)
        people = people_filter.people_url(job)
        lines = [ChannelReach(c, reached[c], f"{people}&reach={c.value}", reach.CONTACT_ATTRIBUTES[c]) for c in Channel]
    except StatementTimeout:
        pass  # the page says so
    shown = {"everybody": everybody, "reached": lines, "seconds": settings.IMPORTS_FILTER_SECONDS}
    template = "reach_table" if is_fragment(request) else "reach"
    return render_page(request, template, job, title=f"Reach of {job.name}", **shown)
