"""The list of events, newest first, with filters by name, time, person and import; fast for any number (section 16)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from profiles.admin.extensible import MAX_PAGE, ExtensibleAdmin, ExtraFilter
from profiles.admin.labels import person_label
from profiles.admin.source import Source
from profiles.database.statement_timeout import StatementTimeout, statement_timeout
from profiles.models import Event, Profile, load_schema
from profiles.search import listing, quick_search, timeline
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import ChangeSetMember
from profiles.search.listing import Count

PAGE_SIZE = 50
MAX_NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class EventLine:
    """The row of one event. ``person``: their name. ``address``: the URL of their page."""

    event: Event
    person: str
    address: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The query string of the list, parsed. ``problems``: messages by field."""

    name: str
    first: date | None
    last: date | None
    text: str
    person: int | None
    extra: ExtraFilter
    page: int
    exactly: bool
    problems: dict[str, str]

    def address(self, *, without: str = "", page: int = 1, exactly: bool = False) -> str:
        """Return the query string of the list. ``without``: a parameter to leave out."""
        parts = {
            "name": self.name,
            "from": self.first or "",
            "to": self.last or "",
            "q": self.text,
            "person": self.person or "",
        }
        pairs = [(name, str(value)) for name, value in parts.items() if value and name != without]
        pairs += self.extra.parameters if without != "import" else []
        pairs += [("p", str(page))] * (page > 1) + [("count", "exact")] * exactly
        return f"?{urlencode(pairs)}"


def event_list_view(request: HttpRequest, screen: ExtensibleAdmin, extra: dict[str, Any]) -> HttpResponse:
    """Show the list for a query string. Raises ``PermissionDenied``."""
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    query = _parse(sent, screen)
    events: list[Event] = []
    count: Count | None = None
    stopped = False
    if not query.problems:
        try:
            with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
                matching = _matching_events(query)
                events = timeline.page(matching, query.page, PAGE_SIZE)
                count = _count(matching, events, query)
        except StatementTimeout:
            stopped = True
    context = {
        "title": "Events",
        "opts": Event._meta,
        "query": query,
        "sent": {name: values[-1] for name, values in sent.items() if values},
        "lines": event_lines(
            events[:PAGE_SIZE], screen.writers(request, list({event.change_set for event in events[:PAGE_SIZE]}))
        ),
        "count": count,
        "stopped": stopped,
        "seconds": settings.IMPORTS_FILTER_SECONDS,
        "shown_so_far": (query.page - 1) * PAGE_SIZE + len(events[:PAGE_SIZE]),
        "chips": list(_chips(query)),
        "names": timeline.event_names(),
        "first_address": query.address(),
        "exact_address": query.address(page=query.page, exactly=True),
        "previous": query.address(page=query.page - 1) if query.page > 1 else "",
        "next": query.address(page=query.page + 1) if len(events) > PAGE_SIZE else "",
    }
    site_context = admin.site.each_context(request)
    return TemplateResponse(request, screen.list_template, site_context | context | query.extra.context | extra)


def redirect_to_person(request: HttpRequest, screen: ExtensibleAdmin, number: str) -> HttpResponse:
    """Redirect to the page of the event's person, or to the list: events have no pages. Raises ``PermissionDenied``."""
    if not screen.has_view_permission(request):
        raise PermissionDenied
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    event = Event.objects.filter(pk=int(number)).first() if is_number else None
    if event is None:
        return HttpResponseRedirect(reverse("admin:profiles_event_changelist"))
    return HttpResponseRedirect(f"{reverse('admin:profiles_profile_change', args=[event.profile_id])}#events")


def event_lines(events: Sequence[Event], sources: Mapping[int, Source]) -> list[EventLine]:
    """Return a row for each event. ``sources``: by primary key of the change set."""
    return [
        EventLine(
            event,
            person_label(event.profile),
            reverse("admin:profiles_profile_change", args=[event.profile_id]),
            sources.get(event.change_set_id),
        )
        for event in events
    ]


# --- parsing ------------------------------------------------------------------------------------


def _parse(sent: Parameters, screen: ExtensibleAdmin) -> EventQuery:
    problems: dict[str, str] = {}
    extra = screen.extra_filter(sent)
    if extra.errors:
        problems["import"] = str(extra.errors[0])
    page, person = _last(sent, "p"), _last(sent, "person")
    return EventQuery(
        name=_last(sent, "name").replace("\0", "")[:MAX_NAME_LENGTH],
        first=_day(sent, "from", problems),
        last=_day(sent, "to", problems),
        text=_last(sent, "q"),
        person=_number(person, 18) if person else None,
        extra=extra,
        page=min(max(_number(page, 9), 1), MAX_PAGE),
        exactly=_last(sent, "count") == "exact",
        problems=problems,
    )


def _last(sent: Parameters, name: str) -> str:
    return sent[name][-1].strip() if sent.get(name) else ""


def _number(text: str, digits: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else 0


def _day(sent: Parameters, name: str, problems: dict[str, str]) -> date | None:
    text = _last(sent, name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        _start(day), _start(day + timedelta(days=1))
    except (ValueError, OverflowError):
        problems[name] = "Enter a valid day as YYYY-MM-DD."
        return None
    return day


def _start(day: date) -> datetime:
    """Return when a day begins in the current time zone. Raises ``OverflowError`` if UTC cannot express it."""
    start = timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
    start.utctimetuple()
    return start


# --- result -------------------------------------------------------------------------------------


def _matching_events(query: EventQuery) -> QuerySet[Event]:
    condition = query.extra.condition
    change_set = condition.change_set if isinstance(condition, ChangeSetMember) else None
    first = _start(query.first) if query.first else None
    last = _start(query.last + timedelta(days=1)) if query.last else None
    events = timeline.filter_events(query.name, first, last, change_set)
    if query.person is not None:
        events = events.filter(profile_id=query.person)
    if query.text:
        people = Profile.objects.filter(quick_search.identifier_filter(query.text, load_schema())).order_by("pk")
        events = events.filter(profile_id__in=list(people.values_list("pk", flat=True)[:_MAX_PEOPLE]))
    return events


_MAX_PEOPLE = 1_000


def _count(matching: QuerySet[Event], events: Sequence[Event], query: EventQuery) -> Count | None:
    if len(events) <= PAGE_SIZE and (events or query.page == 1):
        return Count((query.page - 1) * PAGE_SIZE + len(events), is_exact=True)
    return listing.count(matching, exactly=query.exactly, is_estimable=True)


def _chips(query: EventQuery) -> Iterator[tuple[str, str]]:
    """Yield each active filter in words, with the query string without it."""
    if query.name:
        yield f"Event is {query.name}", query.address(without="name")
    if query.first:
        yield f"On or after {query.first}", query.address(without="from")
    if query.last:
        yield f"On or before {query.last}", query.address(without="to")
    if query.text:
        yield f"Identifier is {query.text}", query.address(without="q")
    if query.person is not None:
        yield f"Person #{query.person}", query.address(without="person")
    if query.extra.label:
        yield query.extra.label, query.address(without="import")
