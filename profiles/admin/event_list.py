"""The list of events: by name, by time, by person, by import, newest first, fast however many (section 16)."""

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
    """One event as pages show it."""

    event: Event
    person: str
    address: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What the address of the page asks for. ``problems``: by field, what is wrong with it."""

    name: str
    first: date | None
    last: date | None
    text: str
    person: int | None
    added: ExtraFilter
    page: int
    exactly: bool
    problems: dict[str, str]

    def address(self, *, without: str = "", page: int = 1, exactly: bool = False) -> str:
        """The address of the same list, or of one with something left out."""
        parts = {
            "name": self.name,
            "from": self.first or "",
            "to": self.last or "",
            "q": self.text,
            "person": self.person or "",
        }
        pairs = [(name, str(value)) for name, value in parts.items() if value and name != without]
        pairs += self.added.parameters if without != "import" else []
        pairs += [("p", str(page))] * (page > 1) + [("count", "exact")] * exactly
        return f"?{urlencode(pairs)}"


def event_list_view(request: HttpRequest, screen: ExtensibleAdmin, extra: dict[str, Any]) -> HttpResponse:
    """The list that the address asks for. Raises ``PermissionDenied``."""
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    asked = _asked(sent, screen)
    events: list[Event] = []
    count: Count | None = None
    stopped = False
    if not asked.problems:
        try:
            with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
                wanted = _wanted(asked)
                events = timeline.page(wanted, asked.page, PAGE_SIZE)
                count = _count(wanted, events, asked)
        except StatementTimeout:
            stopped = True
    context = {
        "title": "Events",
        "opts": Event._meta,
        "asked": asked,
        "sent": {name: values[-1] for name, values in sent.items() if values},
        "lines": event_lines(
            events[:PAGE_SIZE], screen.writers(request, list({event.change_set for event in events[:PAGE_SIZE]}))
        ),
        "count": count,
        "stopped": stopped,
        "seconds": settings.IMPORTS_FILTER_SECONDS,
        "shown_so_far": (asked.page - 1) * PAGE_SIZE + len(events[:PAGE_SIZE]),
        "chips": list(_chips(asked)),
        "names": timeline.event_names(),
        "first_address": asked.address(),
        "exact_address": asked.address(page=asked.page, exactly=True),
        "previous": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "next": asked.address(page=asked.page + 1) if len(events) > PAGE_SIZE else "",
    }
    shown = admin.site.each_context(request) | context | asked.added.context | extra
    return TemplateResponse(request, screen.list_template, shown)


def redirect_to_person(request: HttpRequest, screen: ExtensibleAdmin, number: str) -> HttpResponse:
    """An event has no page of its own: to its person's, or to the list. Raises ``PermissionDenied``."""
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sound = number.isascii() and number.isdecimal() and len(number) < 19
    event = Event.objects.filter(pk=int(number)).first() if sound else None
    if event is None:
        return HttpResponseRedirect(reverse("admin:profiles_event_changelist"))
    return HttpResponseRedirect(f"{reverse('admin:profiles_profile_change', args=[event.profile_id])}#events")


def event_lines(events: Sequence[Event], sources: Mapping[int, Source]) -> list[EventLine]:
    """Events with whose they are and where they come from; ``sources`` by change set."""
    return [
        EventLine(
            event,
            person_label(event.profile),
            reverse("admin:profiles_profile_change", args=[event.profile_id]),
            sources.get(event.change_set_id),
        )
        for event in events
    ]


# --- what is asked for --------------------------------------------------------------------------


def _asked(sent: Parameters, screen: ExtensibleAdmin) -> EventQuery:
    problems: dict[str, str] = {}
    added = screen.added(sent)
    if added.wrong:
        problems["import"] = str(added.wrong[0])
    page, person = _last(sent, "p"), _last(sent, "person")
    return EventQuery(
        name=_last(sent, "name").replace("\0", "")[:MAX_NAME_LENGTH],
        first=_day(sent, "from", problems),
        last=_day(sent, "to", problems),
        text=_last(sent, "q"),
        person=_number(person, 18) if person else None,
        added=added,
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
        problems[name] = "This is no day. Write it as YYYY-MM-DD."
        return None
    return day


def _start(day: date) -> datetime:
    """When a day begins in the zone of the page, as far as UTC can tell."""
    start = timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
    start.utctimetuple()
    return start


# --- what is found ------------------------------------------------------------------------------


def _wanted(asked: EventQuery) -> QuerySet[Event]:
    condition = asked.added.condition
    change_set = condition.change_set if isinstance(condition, ChangeSetMember) else None
    first = _start(asked.first) if asked.first else None
    last = _start(asked.last + timedelta(days=1)) if asked.last else None
    found = timeline.filter_events(asked.name, first, last, change_set)
    if asked.person is not None:
        found = found.filter(profile_id=asked.person)
    if asked.text:
        holders = Profile.objects.filter(quick_search.identifier_filter(asked.text, load_schema())).order_by("pk")
        found = found.filter(profile_id__in=list(holders.values_list("pk", flat=True)[:_MOST_HOLDERS]))
    return found


_MOST_HOLDERS = 1_000


def _count(wanted: QuerySet[Event], events: Sequence[Event], asked: EventQuery) -> Count | None:
    if len(events) <= PAGE_SIZE and (events or asked.page == 1):
        return Count((asked.page - 1) * PAGE_SIZE + len(events), is_exact=True)
    return listing.count(wanted, exactly=asked.exactly, is_estimable=True)


def _chips(asked: EventQuery) -> Iterator[tuple[str, str]]:
    """What is on, and the list without it."""
    if asked.name:
        yield f"Name {asked.name}", asked.address(without="name")
    if asked.first:
        yield f"From {asked.first}", asked.address(without="from")
    if asked.last:
        yield f"To {asked.last}", asked.address(without="to")
    if asked.text:
        yield f"Of {asked.text}", asked.address(without="q")
    if asked.person is not None:
        yield f"Person {asked.person}", asked.address(without="person")
    if asked.added.label:
        yield asked.added.label, asked.address(without="import")
