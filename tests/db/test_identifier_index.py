"""An attribute becomes an identifier, or is none any more, while others write people: the index is kept from the change
on, nobody is found by it before it is whole, and then it holds what people have (design section 4)."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django_q.models import OrmQ

from config.settings import BASE_DIR
from imports.drafts import configure
from imports.drafts.configure import InvalidMapping
from imports.engine import driver
from imports.jobs import lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob
from imports.worker import index_builds
from profiles.attributes import changes, identifier_index, lock
from profiles.merging.actions import as_list
from profiles.models import Attribute, Identifier, IndexWork, Profile, load_schema
from profiles.search import query_builder
from profiles.search.conditions import AttributeCondition, Operator
from profiles.values.parsers import matching_form
from profiles.values.types import ValueType
from profiles.writing import edit, store
from profiles.writing.edit import SeenVersion
from profiles.writing.errors import EditRefused, ErrorKind
from tests.crashes.processes import holding, wait_for, working

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PEOPLE = 40
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute that most people have, and small pages."""
    Attribute.objects.create(key="card", label="Card", type="text")
    monkeypatch.setattr(identifier_index, "PAGE_SIZE", 7)
    monkeypatch.setattr(identifier_index, "CLEAR_BATCH", 9)
    store_people(PEOPLE)


def store_people(number: int) -> None:
    """People with an address, two of three of them with a card; nobody is found by that yet."""
    people = Profile.objects.bulk_create(
        Profile(
            object_id=f"o{n}",
            attributes={"email": [f"p{n}@x.co"]} | ({"card": f"C-{n}"} if n % 3 else {}),
            created=LONG_AGO,
            updated=LONG_AGO,
        )
        for n in range(number)
    )
    Identifier.objects.bulk_create(
        Identifier(kind="email", value=f"p{n}@x.co", profile=person) for n, person in enumerate(people)
    )


def ask(*, identifier: bool, kind: str = "text") -> Attribute:
    """Change the attribute as an administrator does."""
    with transaction.atomic():
        lock.lock_schema_exclusive()
        attribute = Attribute.objects.select_for_update().get(key="card")
        before = attribute.definition
        attribute.identifier, attribute.type = identifier, kind
        attribute.save(update_fields=["identifier", "type"])
        changes.update_identifier_index(before, attribute)
    return attribute


def now() -> Attribute:
    return Attribute.objects.get(key="card")


def step() -> bool:
    """Do a page's work; whether there is more to do."""
    return identifier_index.continue_rebuild(now().pk, 0)


def finish() -> None:
    while step():
        pass
    assert now().index_work == IndexWork.NONE


def index() -> set[tuple[str, int]]:
    return set(Identifier.objects.filter(kind="card").values_list("value", "profile_id"))


def held() -> set[tuple[str, int]]:
    """What the index is to hold, by what people have."""
    form = partial(matching_form, ValueType(now().type))
    return {
        (form(value), person.pk) for person in Profile.objects.all() for value in as_list(person.attributes.get("card"))
    }


def person(number: int) -> Profile:
    return Profile.objects.get(object_id=f"o{number}")


def change(number: int, value: str | None) -> None:
    """Somebody at a form gives a person another card."""
    found = person(number)
    edit.save(SeenVersion(found.pk, store.to_microseconds(found.updated)), {"card": value}, None)


def delete(number: int) -> None:
    found = person(number)
    edit.delete(SeenVersion(found.pk, store.to_microseconds(found.updated)), None)


@contextmanager
def at_once() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """What is handed over runs over a connection of its own; all of it has ended at the end."""
    with ThreadPoolExecutor(8) as threads:

        def begin(work: Callable[[], Any]) -> Future[Any]:
            return threads.submit(_alone, work)

        yield begin


def _alone(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def waits_for_a_person() -> bool:
    """Whether somebody waits for a row, or for whoever has it to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")
        return bool(cursor.fetchone()[0])


def test_nobody_is_found_by_it_before_everybody_was_looked_through():
    ask(identifier=True)
    while step():
        assert "card" in load_schema().identifiers
        assert "card" not in load_schema().lookup_identifiers
    assert "card" in load_schema().lookup_identifiers
    assert index() == held()
    assert len(index()) == PEOPLE * 2 // 3


def test_a_page_does_not_look_through_more_people_than_it_says():
    ask(identifier=True)
    last = sorted(Profile.objects.values_list("pk", flat=True))[identifier_index.PAGE_SIZE - 1]
    assert step()
    assert now().index_position == last
    assert all(number <= last for _, number in index())


def test_what_is_written_while_others_are_looked_through_is_kept():
    ask(identifier=True)
    for _ in range(3):
        step()
    change(1, "new, looked at")
    change(39, "new, not looked at")
    change(2, None)
    change(0, "first one")
    delete(4)
    delete(38)
    edit.create({"card": "somebody new"}, None)
    finish()
    assert index() == held()
    assert {"new, looked at", "new, not looked at", "first one", "somebody new"} <= {value for value, _ in index()}


def test_a_writer_who_came_first_is_waited_for_and_nobody_else_is_kept_waiting():
    ask(identifier=True)
    written, commit = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            change(1, "new")
            written.set()
            assert commit.wait(60)

    with at_once() as begin:
        writer = begin(slowly)
        assert written.wait(60)
        worker = begin(finish)
        wait_for(waits_for_a_person)
        assert ("C-2", person(2).pk) in index()  # of the same page, and free at once
        change(2, "changed meanwhile")
        assert now().index_position == 0
        commit.set()
        writer.result(60)
        worker.result(60)
    assert index() == held()
    assert ("new", person(1).pk) in index()


def test_who_waits_too_long_begins_again_and_says_that_it_lives(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(identifier_index, "LOCK_TIMEOUT", "50ms")
    ask(identifier=True)
    Attribute.objects.update(index_seen=LONG_AGO)
    with holding(_PERSON, "o1"):
        assert step()
        assert now().index_position == 0
        assert index_builds.sweep() == 0
    finish()
    assert index() == held()


def test_a_writer_who_comes_while_a_page_is_looked_at_takes_out_what_goes(monkeypatch: pytest.MonkeyPatch):
    attribute = ask(identifier=True)
    looked, go_on = threading.Event(), threading.Event()
    add = identifier_index._add

    def slowly(*arguments: Any) -> set[int]:
        found = add(*arguments)
        looked.set()
        assert go_on.wait(60)
        return found

    monkeypatch.setattr(identifier_index, "_add", slowly)
    with at_once() as begin:
        worker = begin(partial(identifier_index.continue_rebuild, attribute.pk, 0))
        assert looked.wait(60)
        writer = begin(partial(change, 1, "new"))
        wait_for(waits_for_a_person)
        go_on.set()
        worker.result(60)
        writer.result(60)
    assert {value for value, number in index() if number == person(1).pk} == {"new"}
    finish()
    assert index() == held()


def test_off_is_at_once_and_leaves_nothing_behind():
    ask(identifier=True)
    finish()
    ask(identifier=False)
    assert "card" not in load_schema().identifiers
    change(1, "written after that")
    assert ("written after that", person(1).pk) not in index()
    finish()
    assert index() == set()


def test_on_off_on_and_off_again_ends_as_it_was_last_asked_for():
    ask(identifier=True)
    for _ in range(3):
        step()
    ask(identifier=False)
    change(1, "while it was none")
    change(8, "while it was none, too")
    change(2, None)
    delete(4)
    step()
    ask(identifier=True)
    change(5, "while it is cleared away")
    assert ("C-8", person(8).pk) in index()  # still, since the first time
    change(8, "C-8")
    step()
    finish()
    assert index() == held()
    assert ask(identifier=False).index_work == IndexWork.CLEARING
    finish()
    assert index() == set()
    assert ask(identifier=True).index_work == IndexWork.FILLING
    assert ask(identifier=False).index_work == IndexWork.NONE


def test_another_type_is_another_index():
    for n in (1, 2, 4):
        change(n, f"Ann{n}@X.co")
    for n in range(5, PEOPLE):
        change(n, None)
    ask(identifier=True)
    for _ in range(2):
        step()
    assert ("Ann1@X.co", person(1).pk) in index()
    ask(identifier=True, kind="email")
    change(4, "Bea@X.co")
    finish()
    assert {value for value, _ in index()} == {"ann1@x.co", "ann2@x.co", "bea@x.co"}
    assert index() == held()


def test_an_attribute_that_is_deleted_meanwhile_is_let_go():
    attribute = ask(identifier=True)
    step()
    ask(identifier=False)
    for n in range(PEOPLE):
        change(n, None)
    reason = "The index of this identifier is still being removed. Try again in a minute."
    assert changes.deletion_obstacle(now().definition) == reason
    finish()
    assert changes.deletion_obstacle(now().definition) == ""
    attribute.delete()
    assert not identifier_index.continue_rebuild(attribute.pk or 0, 0)


def test_what_a_deleted_attribute_left_is_cleared_away_for_the_next_of_its_name():
    ask(identifier=True)
    finish()
    Attribute.objects.filter(key="card").delete()  # past the admin, which would have refused
    Profile.objects.update(attributes={})
    attribute = Attribute.objects.create(key="card", label="Card", type="text", identifier=True)
    changes.update_identifier_index(None, attribute)
    assert "card" not in load_schema().lookup_identifiers
    finish()
    assert index() == set()
    assert "card" in load_schema().lookup_identifiers


def test_people_can_be_found_by_a_new_attribute_at_once():
    attribute = Attribute.objects.create(key="badge", label="Badge", type="text", identifier=True)
    changes.update_identifier_index(None, attribute)
    assert "badge" in load_schema().lookup_identifiers


def test_several_at_once_do_it_as_one():
    ask(identifier=True)
    with at_once() as begin:
        workers = [begin(finish) for _ in range(4)]
        for worker in workers:
            worker.result(60)
    assert index() == held()
    ask(identifier=True, kind="phone")
    ask(identifier=True)
    with at_once() as begin:
        workers = [begin(finish) for _ in range(4)]
        for worker in workers:
            worker.result(60)
    assert index() == held()


def test_a_worker_that_saw_an_earlier_turn_clears_nothing_away():
    ask(identifier=True)
    finish()
    stale = ask(identifier=False)
    ask(identifier=True)
    finish()
    with pytest.raises(identifier_index._WorkChanged):
        identifier_index._clear(stale)
    assert index() == held()


KILLED = """
import os, signal
import django
django.setup()
from profiles.attributes import identifier_index
identifier_index.PAGE_SIZE = identifier_index.CLEAR_BATCH = 7
go_on, times = identifier_index._save_progress, []
def killed(*arguments):
    go_on(*arguments)
    times.append(1)
    if len(times) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
identifier_index._save_progress = killed
identifier_index.continue_rebuild({number}, 60)
"""


@pytest.mark.parametrize("identifier", [True, False])
def test_killed_halfway_it_is_gone_on_with(process_environment: dict[str, str], identifier: bool):
    ask(identifier=True)
    if not identifier:
        finish()
        ask(identifier=False)
    before = len(index())
    words = [sys.executable, "-c", KILLED.format(number=now().pk)]
    done = subprocess.run(words, cwd=BASE_DIR, env=process_environment, check=False, timeout=60)
    assert done.returncode == -9
    assert now().index_work
    assert len(index()) != before
    change(1, "after that")
    finish()
    assert index() == (held() if identifier else set())


def test_a_task_that_was_lost_is_queued_again_and_no_other():
    attribute = ask(identifier=True)
    assert index_builds.sweep() == 0  # it was only just asked for
    Attribute.objects.update(index_seen=LONG_AGO)
    with holding("SELECT FROM profiles_attribute WHERE key = 'card' FOR NO KEY UPDATE"):
        assert index_builds.sweep() == 0  # somebody is at it
    assert index_builds.sweep() == 1
    assert [line.task["args"] for line in OrmQ.objects.all()] == [(attribute.pk,)]
    Attribute.objects.update(index_seen=LONG_AGO)
    assert index_builds.sweep() == 0  # it waits in the queue
    OrmQ.objects.all().delete()
    finish()
    Attribute.objects.update(index_seen=LONG_AGO)
    assert index_builds.sweep() == 0


@pytest.mark.usefixtures("crash_options")
def test_workers_do_it_and_take_up_again_what_the_killed_left(environment: dict[str, str]):
    store_more(3_000)
    with working(environment) as work, holding(_PERSON, "more2500") as hold:
        wait_for(work.is_up)
        attribute = ask(identifier=True)
        queue.enqueue_index(attribute.pk)
        wait_for(hold.waiting)
        assert now().index_position  # the real pages are larger
        work.kill_busy_workers()
        hold.let_go()
        wait_for(lambda: not now().index_work)
    assert index() == held()


_PERSON = "SELECT FROM profiles_profile WHERE object_id = %s FOR UPDATE"


def store_more(number: int) -> None:
    Profile.objects.bulk_create(
        Profile(object_id=f"more{n}", attributes={"card": f"M-{n}"}, created=LONG_AGO, updated=LONG_AGO)
        for n in range(number)
    )


def test_who_is_at_a_form_is_told_of_others_only_by_what_people_can_be_found_by():
    ask(identifier=True)
    finish()
    with pytest.raises(EditRefused) as refused:
        edit.create({"card": "C-1"}, None)
    assert [fault.kind for fault in refused.value.faults] == [ErrorKind.SHARED]
    ask(identifier=False)
    change(1, "C-100")
    ask(identifier=True)
    edit.create({"card": "C-1"}, None)  # what says that somebody has it does not count any more
    finish()
    assert index() == held()


def test_filters_find_by_values_until_the_index_is_whole():
    def found() -> set[int]:
        condition = AttributeCondition("card", Operator.EQUALS, "C-1")
        return set(query_builder.find_people([condition], load_schema()).values_list("pk", flat=True))

    expected = {person(1).pk}
    ask(identifier=True)
    assert found() == expected
    finish()
    assert found() == expected


def uploaded(text: str, identifier: str, action: str = "overwrite") -> ImportJob:
    """A job over a file that was read."""
    job = ImportJob(name="cards", file_name="cards.csv", source="command", identifier=identifier, action=action)
    job.file.save("cards.csv", ContentFile(text.encode()), save=False)
    with queue.run_inline():
        lifecycle.upload(job, Actor.command())
        driver.run_until_idle(job)
    assert job.status == "draft", job.reason
    return job


def check(job: ImportJob) -> ImportJob:
    with queue.run_inline():
        configure.check(job, Actor.command())
        driver.run_until_idle(job)
    return job


def start(job: ImportJob) -> ImportJob:
    with queue.run_inline():
        lifecycle.transition(job, Transition.START, Actor.command())
        driver.run_until_idle(job)
    return job


def test_a_file_is_not_checked_by_an_identifier_that_is_not_ready():
    job = uploaded("card,home_city\nC-1,Bonn\n", "card")
    ask(identifier=True)
    with pytest.raises(InvalidMapping) as refused:
        check(job)
    assert [fault.code for fault in refused.value.faults] == ["identifier_not_ready"]
    assert "People cannot be matched by card yet" in str(refused.value)
    finish()
    assert (check(job).status, job.preview["updated"]) == ("ready", 1)


def test_what_was_checked_by_an_identifier_that_was_off_meanwhile_is_checked_again():
    ask(identifier=True)
    finish()
    job = check(uploaded("card,home_city\nC-1,Bonn\n", "card"))
    ask(identifier=False)
    ask(identifier=True)
    assert "People cannot be matched by card yet" in start(job).reason
    assert job.status == "failed"
    finish()
    with queue.run_inline():
        lifecycle.transition(job, Transition.RESUME, Actor.command())
        driver.run_until_idle(job)
    assert (job.status, job.preview["updated"]) == ("ready", 1)
    assert start(job).status == "completed"
    assert person(1).attributes["home_city"] == "Bonn"


def test_a_file_that_does_not_look_people_up_by_it_is_not_checked_again_when_it_is_ready():
    ask(identifier=True)
    job = check(uploaded("email,card\np1@x.co,D-1\nnew@x.co,D-2\n", "email"))
    finish()
    assert (start(job).status, job.imported, job.updated) == ("completed", 1, 1)
    assert index() == held()
    assert {"D-1", "D-2"} <= {value for value, _ in index()}


@pytest.mark.parametrize("run", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)])
def test_imports_and_single_writes_at_work_meanwhile_lose_nothing(run: int, caplog: pytest.LogCaptureFixture, settings):
    settings.IMPORTS_BUCKET_ROWS = 40
    store_more(400)
    choice = Random(run)
    ask(identifier=True)
    step()
    jobs = [check(uploaded(_file(number, choice), "email", "append")) for number in range(3)]
    begun = threading.Barrier(len(jobs) + 3)

    def import_file(job: ImportJob) -> None:
        begun.wait()
        assert start(job).status == "completed", job.reason

    def look_through() -> None:
        begun.wait()
        while step():
            time.sleep(0.01)

    def write_some() -> None:
        begun.wait()
        for n in range(60):
            _write_one(choice.randrange(400), f"W-{n}", n)

    with at_once() as begin:
        work = [begin(partial(import_file, job)) for job in jobs]
        work += [begin(look_through), begin(look_through), begin(write_some)]
        for done in work:
            done.result(120)
    assert not [record for record in caplog.records if record.name.startswith("imports")]
    finish()
    assert index() == held()
    _everybody_is_found()


def _file(number: int, choice: Random) -> str:
    """People who are known and people who are not, some of them by the same address, with cards they did not have."""
    lines = [f"p{choice.randrange(PEOPLE + 100)}@x.co,F{number}-{n}" for n in range(200)]
    return "\n".join(["email,card", *lines, ""])


def _write_one(number: int, value: str, turn: int) -> None:
    found = Profile.objects.filter(object_id=f"more{number}").first()
    if found is None:
        return
    seen = SeenVersion(found.pk, store.to_microseconds(found.updated))
    if turn % 5 == 0:
        edit.delete(seen, None)
    else:
        edit.save(seen, {"card": None if turn % 3 == 0 else value}, None)


def _everybody_is_found() -> None:
    """An import by the identifier finds everybody who has it, and makes nobody."""
    values = sorted({value for value, _ in held()})
    before = Profile.objects.count()
    job = start(check(uploaded("\n".join(["card,home_city", *(f"{value},Bonn" for value in values), ""]), "card")))
    assert (job.status, job.imported, job.updated) == ("completed", 0, len(values))
    assert Profile.objects.count() == before
