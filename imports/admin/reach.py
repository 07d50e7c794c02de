"""Count the people of an import who can be contacted on each channel, on request (SG-09)."""

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
    """A channel: how many people it reaches, the URL of the list of them, and what a person needs to be reached."""

    channel: Channel
    people: int
    address: str
    needs: str


def reach_view(request: HttpRequest, number: int) -> HttpResponse:
    """Show an import's people next to their reach; for htmx the table alone. Raises ``Http404`` before it starts."""
    job = get_job(request, number)
    if job.change_set_id is None:
        raise Http404("This import has not started, so it has no people yet.")
    everybody, lines = 0, []
    try:
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            everybody, reached = query_builder.count_reach(job.change_set_id)
        people = people_filter.people_url(job)
        lines = [
            ChannelReach(c, reached[c], f"{people}&reach={c.value}", reach.REACHABLE_REQUIREMENTS[c]) for c in Channel
        ]
    except StatementTimeout:
        pass  # the page says so
    shown = {"everybody": everybody, "reached": lines, "seconds": settings.IMPORTS_FILTER_SECONDS}
    template = "reach_table" if is_fragment(request) else "reach"
    return render_page(request, template, job, title=f"Reach of {job.name}", **shown)
