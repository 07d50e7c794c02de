"""The schema in the admin: who may change it, what may be changed, and what people's values have to say to that."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from imports import tasks
from imports.jobs import lifecycle
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import ImportJob
from imports.states import Status
from profiles.attributes import filter_index, identifier_index, lock, usage
from profiles.models import Attribute, Identifier, Profile
from tests.admin.screens import check, finish, log_in, press, upload
from tests.crashes.processes import holding

pytestmark = pytest.mark.django_db

in_transactions = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "admin:profiles_attribute_changelist"
ADD = "admin:profiles_attribute_add"


@pytest.fixture
def admin() -> Client:
    return log_in("Admin")


def address(name: str, attribute: Attribute) -> str:
    return reverse(f"admin:profiles_attribute_{name}", args=[attribute.pk])


def bring(admin: Client, content: str, identifier: str = "email", action: str = "overwrite") -> ImportJob:
    """Import a file; the latest job."""
    upload(admin, content.encode())
    job = ImportJob.objects.latest("pk")
    check(admin, job, identifier, action)
    press(admin, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    return job


def known(key: str) -> Attribute:
    return Attribute.objects.get(key=key)


def form(attribute: Attribute, **changed: object) -> dict[str, object]:
    """What the page of an attribute sends, with what was changed on it."""
    flags = ("multi_valued", "identifier", "mandatory", "personal", "filterable")
    sent = {"label": attribute.label, "type": attribute.type, "description": attribute.description}
    sent |= {flag: "on" for flag in flags if getattr(attribute, flag)}
    return {name: value for name, value in (sent | changed).items() if value is not None}


def save(client: Client, of: str, **changed: object) -> str:
    """The text of the page that answers."""
    attribute = known(of)
    return client.post(address("change", attribute), form(attribute, **changed), follow=True).content.decode()


def add(client: Client, key: str, **values: object) -> str:
    return client.post(reverse(ADD), {"key": key, "type": "text", **values}, follow=True).content.decode()


def test_an_admin_adds_changes_and_deletes_a_custom_attribute(admin: Client):
    assert "was added successfully" in add(admin, " loyaltyTier ", mandatory="on")
    tier = known("loyaltyTier")
    assert (tier.label, tier.type, tier.mandatory, tier.built_in) == ("loyaltyTier", "text", True, False)
    assert "was changed successfully" in save(admin, "loyaltyTier", label="Tier", type="integer", mandatory=None)
    tier.refresh_from_db()
    assert (tier.label, tier.type, tier.mandatory) == ("Tier", "integer", False)
    page = admin.post(address("delete", tier), {"post": "yes"}, follow=True).content.decode()
    assert "was deleted successfully" in page
    assert not Attribute.objects.filter(key="loyaltyTier").exists()


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "This field is required."),
        ("  ", "This field is required."),
        ("a\0b", "Null characters are not allowed."),
        ("é" * 61, "The key is 122 bytes long; the limit is 120. Shorten it."),
        ("external_id", "external_id is a field that every person has."),
        ("object_id", "object_id is a field that every person has."),
        ("alias", "alias is a field that every person has."),
        ("email", "Attribute with this Key already exists."),
        ("Email", "The attribute email exists already, and headers match it in upper and lower case."),
        ("External_ID", "external_id is a field that every person has."),
        ("bought <dd/MM/yyyy>", "A key cannot end in angle brackets"),
    ],
)
def test_a_key_that_cannot_be_is_refused(admin: Client, key: str, reason: str):
    before = Attribute.objects.count()
    assert reason in add(admin, key)
    assert Attribute.objects.count() == before


def test_a_key_cannot_change(admin: Client):
    add(admin, "plan")
    save(admin, "plan", key="tariff")
    assert not Attribute.objects.filter(key="tariff").exists()


def test_of_a_built_in_attribute_only_how_it_is_shown_and_asked_for_changes(admin: Client):
    save(admin, "email", label="Mail", type="text", multi_valued=None, identifier=None, mandatory="on", key="mail")
    email = known("email")
    assert (email.label, email.mandatory) == ("Mail", True)
    assert (email.type, email.multi_valued, email.identifier) == ("email", True, True)
    assert admin.post(address("delete", email), {"post": "yes"}).status_code == 403
    assert Attribute.objects.filter(key="email").exists()


@pytest.mark.parametrize("role", ["Creator", "Approver"])
def test_others_may_look_and_change_nothing(admin: Client, role: str):
    add(admin, "plan")
    client, plan = log_in(role), known("plan")
    assert client.get(reverse(LIST)).status_code == 200
    page = client.get(address("change", plan))
    assert page.status_code == 200
    assert b"_save" not in page.content
    assert client.post(address("change", plan), form(plan, label="x")).status_code == 403
    assert client.post(address("delete", plan), {"post": "yes"}).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403
    client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [plan.pk], "post": "yes"})
    assert known("plan").label == "plan"


def test_nobody_without_a_role_comes_in(admin: Client):
    stranger = log_in()
    for page in (reverse(LIST), reverse(ADD), address("change", known("email"))):
        assert stranger.get(page).status_code == 403
    assert "/login/" in Client().get(reverse(LIST))["Location"]


def test_a_type_that_values_are_not_of_is_refused_with_examples(admin: Client):
    job = bring(admin, "email,plan\nann@x.co,abc\nben@x.co,12\ncy@x.co,d e f\ndi@x.co,\n")
    page = save(admin, "plan", type="date")
    first = Profile.objects.get(attributes__plan="abc")
    assert "3 people have values that are not valid for the type date" in page
    assert f"“\u2068abc\u2069” (person {first.object_id})" in page
    assert known("plan").type == "text"
    assert job.imported == 4


def test_a_type_that_would_store_values_in_another_form_is_refused(admin: Client):
    bring(admin, "email,plan\nann@x.co,12\nben@x.co,13\ncy@x.co,x\n")
    page = save(admin, "plan", type="integer")
    assert "1 person has a value that is not valid for the type integer" in page
    assert "2 people have values that would have to be stored in another form under the type integer" in page
    assert "Create a new attribute instead" in page
    assert known("plan").type == "text"


def test_a_type_that_leaves_all_values_as_they_are_is_taken(admin: Client):
    bring(admin, "email,seats,land\nann@x.co,12,GB\nben@x.co,-3,FR\n")
    assert known("seats").type == "integer"
    save(admin, "seats", type="number")
    save(admin, "land", type="country")
    assert (known("seats").type, known("land").type) == ("number", "country")


def test_a_value_of_a_file_is_shown_harmlessly_in_a_refusal(admin: Client):
    bring(admin, "email,plan\nann@x.co,<script>alert(1)</script>\nben@x.co,\u202eevil\n")
    page = save(admin, "plan", type="integer")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page


def test_many_misfits_are_not_all_counted(admin: Client, monkeypatch: pytest.MonkeyPatch):
    bring(admin, "email,plan\n" + "".join(f"p{n}@x.co,x{n}\n" for n in range(1, 1201)))
    monkeypatch.setattr(usage, "PAGE_SIZE", 500)
    page = save(admin, "plan", type="integer")
    assert "At least 1,000 people have values that are not valid for the type integer" in page


def test_a_list_and_a_single_value_do_not_become_each_other_while_people_have_it(admin: Client):
    bring(admin, "email,plan\nann@x.co,gold\n")
    page = save(admin, "plan", multi_valued="on")
    assert "1 person has a single value in this attribute" in page
    assert "The attribute cannot become a list." in page
    assert not known("plan").multi_valued
    add(admin, "tags", multi_valued="on")
    bring(admin, "email,tags\nann@x.co,gold\n")
    assert "The attribute cannot become a single value." in save(admin, "tags", multi_valued=None)


def test_people_are_found_by_an_attribute_that_becomes_an_identifier_and_not_by_one_that_was_one(
    admin: Client, monkeypatch: pytest.MonkeyPatch
):
    bring(admin, "email,card\nann@x.co,C-1\nben@x.co,C-2 \ncy@x.co,\n")
    monkeypatch.setattr(identifier_index, "PAGE_SIZE", 1)
    save(admin, "card", identifier="on")
    make_ready("card")
    ann = Profile.objects.get(attributes__card="C-1")
    found = Identifier.objects.filter(kind="card")
    assert {(each.value, each.profile_id == ann.pk) for each in found} == {("C-1", True), ("C-2", False)}
    job = bring(admin, "card,city\nC-1,Bonn\n", identifier="card")
    assert (job.imported, job.updated) == (0, 1)
    save(admin, "card", type="email")  # refused: they are no e-mails
    assert Identifier.objects.filter(kind="card").count() == 2
    save(admin, "card", identifier=None)
    make_ready("card")
    assert not Identifier.objects.filter(kind="card").exists()


def test_an_identifier_that_becomes_an_email_is_matched_as_one(admin: Client):
    add(admin, "mail2", identifier="on")
    bring(admin, "email,mail2\nann@x.co,Ann@Y.co\n")
    assert Identifier.objects.get(kind="mail2").value == "Ann@Y.co"
    save(admin, "mail2", type="email")
    make_ready("mail2")
    assert Identifier.objects.get(kind="mail2").value == "ann@y.co"


def make_ready(key: str) -> None:
    """Do what is left to do for the index of an attribute."""
    while identifier_index.continue_rebuild(known(key).pk, 0):
        pass


def test_an_attribute_tells_how_far_its_index_is(admin: Client, monkeypatch: pytest.MonkeyPatch):
    bring(admin, "email,card\n" + "".join(f"p{n}@x.co,C-{n}\n" for n in range(4)))
    monkeypatch.setattr(identifier_index, "PAGE_SIZE", 2)
    assert "Matching" not in admin.get(address("change", known("card"))).content.decode()
    page = save(admin, "card", identifier="on")
    assert "in a moment, as soon as all people are indexed" in page
    assert "identifier (preparing, 0%)" in page
    assert OrmQ.objects.latest("pk").task["args"] == (known("card").pk,)
    identifier_index.continue_rebuild(known("card").pk, 0)
    done = identifier_index.progress_percent([known("card")])[known("card").pk]
    assert f"identifier (preparing, {done}%)" in admin.get(reverse(LIST)).content.decode()
    page = admin.get(address("change", known("card"))).content.decode()
    assert f"People cannot be matched by this attribute yet: {done}% of all people are indexed." in page
    assert "was changed successfully" in save(admin, "card", label="Loyalty card")  # which leaves it as it is
    assert known("card").index_position
    make_ready("card")
    assert "(preparing" not in admin.get(reverse(LIST)).content.decode()
    save(admin, "card", identifier=None)
    page = admin.get(address("change", known("card"))).content.decode()
    assert "People are no longer matched by this attribute. Its index is being removed." in page


def test_what_is_not_ready_is_not_offered_and_told(admin: Client):
    bring(admin, "email,card\nann@x.co,C-1\n")
    save(admin, "card", identifier="on")
    upload(admin, b"card,city\nC-1,Bonn\n")
    job = ImportJob.objects.latest("pk")
    page = admin.get(reverse("admin:imports_importjob_configure", args=[job.pk])).content.decode()
    assert 'id="identifier-card"' not in page
    assert "can be chosen soon" in page
    make_ready("card")
    page = admin.get(reverse("admin:imports_importjob_configure", args=[job.pk])).content.decode()
    assert 'id="identifier-card"' in page
    assert "can be chosen soon" not in page


def test_people_cannot_be_found_by_a_date(admin: Client):
    assert "People can be matched by an attribute of type text or email or phone, not by one of type date." in add(
        admin, "day", type="date", identifier="on"
    )


def test_an_attribute_that_people_have_stays(admin: Client):
    bring(admin, "email,plan\nann@x.co,gold\n")
    plan = known("plan")
    for page in (admin.get(address("delete", plan)), admin.post(address("delete", plan), {"post": "yes"})):
        text = page.content.decode()
        assert "1 person has a value of plan." in text
        assert "then the attribute can be deleted" in text
    assert Attribute.objects.filter(key="plan").exists()


def test_what_was_deleted_meanwhile_is_told(admin: Client):
    add(admin, "plan")
    plan = known("plan")
    Attribute.objects.filter(pk=plan.pk).delete()
    page = admin.post(address("change", plan), form(plan, label="x"), follow=True).content.decode()
    assert "Perhaps it was deleted?" in page
    assert not Attribute.objects.filter(key="plan").exists()


def ready(admin: Client, content: bytes = b"email,plan\nann@x.co,gold\n") -> ImportJob:
    upload(admin, content)
    job = ImportJob.objects.latest("pk")
    check(admin, job, action="overwrite")
    job.refresh_from_db()
    assert job.status == Status.READY
    return job


def test_what_values_are_does_not_change_while_an_import_writes_them(admin: Client):
    add(admin, "plan")
    job = ready(admin)
    press(admin, job, "start")
    assert "is running. Nothing was changed" in save(admin, "plan", type="integer")
    page = admin.post(address("delete", known("plan")), {"post": "yes"}).content.decode()
    assert "is running. Nothing was changed" in page
    assert "was changed successfully" in save(admin, "plan", label="Plan")  # which no import depends on
    finish(job)
    assert Profile.objects.get().attributes["plan"] == "gold"


def test_an_import_that_was_checked_before_a_change_is_checked_again(admin: Client):
    add(admin, "plan")
    job = ready(admin)
    assert "was changed successfully" in save(admin, "plan", type="integer")
    press(admin, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == Status.READY
    assert job.preview["failed"] == 1
    assert not Profile.objects.exists()


def test_an_import_into_an_attribute_that_was_deleted_since_its_check_is_failed_with_the_reason(admin: Client):
    add(admin, "plan")
    job = ready(admin)
    admin.post(address("delete", known("plan")), {"post": "yes"})
    press(admin, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "Column plan is mapped to plan, which no longer exists" in job.reason
    assert not Profile.objects.exists()


def test_a_mapping_to_an_attribute_that_was_deleted_meanwhile_is_told(admin: Client):
    add(admin, "plan")
    upload(admin, b"email,plan\nann@x.co,gold\n")
    job = ImportJob.objects.get()
    admin.post(address("delete", known("plan")), {"post": "yes"})
    assert admin.get(reverse("admin:imports_importjob_configure", args=[job.pk])).status_code == 200
    assert "Column plan is mapped to plan, which no longer exists" in check(admin, job).content.decode()


@pytest.mark.parametrize("change", ["type", "delete"])
def test_an_import_that_was_applied_in_part_does_not_go_on_under_another_schema(admin: Client, change: str):
    job = ready(admin)
    press(admin, job, "start")
    job.refresh_from_db()
    walk_to_apply(job)
    lifecycle.stop(job, Actor.command())
    if change == "type":
        assert "was changed successfully" in save(admin, "plan", type="integer")
    else:
        admin.post(address("delete", known("plan")), {"post": "yes"})
        assert not Attribute.objects.filter(key="plan").exists()
    with pytest.raises(Refused, match="The schema has changed since this file was checked"):
        lifecycle.transition(job, Transition.RESUME, Actor.command())
    job.refresh_from_db()
    assert job.status == Status.STOPPED


def test_an_import_that_was_applied_in_part_goes_on_under_the_same_schema(admin: Client):
    job = ready(admin)
    press(admin, job, "start")
    job.refresh_from_db()
    walk_to_apply(job)
    lifecycle.stop(job, Actor.command())
    lifecycle.transition(job, Transition.RESUME, Actor.command())
    finish(job)
    job.refresh_from_db()
    assert (job.status, job.imported) == (Status.COMPLETED, 1)


def walk_to_apply(job: ImportJob) -> None:
    """Prepare the job, and stop short of its first bucket."""
    from imports.engine import apply

    with transaction.atomic():
        apply.prepare(job)
    job.refresh_from_db()
    lifecycle.transition(job, Transition.BEGIN, step="apply")


@in_transactions
def test_a_change_of_the_schema_waits_for_who_writes_by_it_and_gives_up(admin: Client, monkeypatch: pytest.MonkeyPatch):
    add(admin, "plan")
    monkeypatch.setattr(lock, "LOCK_TIMEOUT", "100ms")
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            lock.lock_schema_shared()
            writing.set()
            done.wait(60)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait(60)
    try:
        assert "saving people at the moment. Nothing was changed." in save(admin, "plan", label="Plan")
    finally:
        done.set()
        writer.join()
    with holding("SELECT FROM profiles_attribute WHERE key = 'plan' FOR NO KEY UPDATE"):  # as a worker at its index
        assert "saving people at the moment. Nothing was changed." in save(admin, "plan", label="Plan")
    assert "was changed successfully" in save(admin, "plan", label="Plan")


def test_the_list_tells_in_how_many_profiles_each_is_without_a_query_for_each(admin: Client):
    bring(admin, "email,plan\nann@x.co,gold\nben@x.co,\n")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = admin.get(reverse(LIST))
    assert len(queries) <= 15
    for page_of_one in ("change", "delete"):
        with CaptureQueriesContext(connection) as queries:
            admin.get(address(page_of_one, known("plan")))
        assert len(queries) <= 15
    people = {attribute.key: attribute.people for attribute in page.context["cl"].result_list}
    assert (people["email"], people["plan"], people["phone"]) == ("2", "1", "0")


def test_of_many_people_the_list_estimates_and_the_page_counts_when_asked(
    admin: Client, monkeypatch: pytest.MonkeyPatch
):
    bring(admin, "email,plan\n" + "".join(f"p{n}@x.co,x\n" for n in range(2000)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('profiles_profile') / 8192")
        monkeypatch.setattr(usage, "SAMPLED_BLOCKS", cursor.fetchone()[0] // 2)
    plan = known("plan")
    assert "about " in admin.get(address("change", plan)).content.decode()
    assert "Count exactly" in admin.get(address("change", plan)).content.decode()
    assert "2,000" in admin.get(address("change", plan) + "?count=exactly").content.decode()


@in_transactions
def test_a_count_that_takes_too_long_is_given_up_and_leaves_no_time_limit_behind(admin: Client):
    bring(admin, "email,plan\nann@x.co,gold\n")
    with transaction.atomic():
        assert usage.count_people("plan") == 1
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone()[0] == "0"
            cursor.execute("LOCK TABLE profiles_profile")
        blocked: list[int | None] = []

        def wait() -> None:
            blocked.append(usage.count_people("plan", seconds=1))
            connection.close()

        other = threading.Thread(target=wait)
        other.start()
        other.join()
    assert blocked == [None]


def test_a_superuser_may_do_what_an_admin_may(db: None):
    user = get_user_model().objects.create_superuser("root")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "was added successfully" in add(client, "plan")


def indexed() -> set[str]:
    """The attributes that have an index, when the workers have done what the queue holds for them."""
    for line in OrmQ.objects.all():
        if line.task["func"] == "imports.tasks.update_index":
            tasks.update_index(*line.task["args"])
    return set(Attribute.objects.filter(filter_index.has_index()).values_list("key", flat=True))


@in_transactions
def test_a_filterable_attribute_has_its_index_until_people_can_be_found_by_it(admin: Client):
    bring(admin, "email,plan\nann@x.co,gold\n")
    save(admin, "plan", filterable="on")
    assert indexed() == {"plan"}
    save(admin, "plan", identifier="on")
    assert filter_index.update_index(known("plan").pk)  # as a worker would do it that comes too early
    assert indexed() == set()
    assert not known("plan").index_work
    save(admin, "plan", identifier=None)
    assert indexed() == {"plan"}
    save(admin, "plan", filterable=None)
    assert indexed() == set()


@in_transactions
def test_an_attribute_has_an_index_as_long_as_it_is_filterable(admin: Client):
    assert indexed() == set()
    add(admin, "plan", filterable="on")
    add(admin, "size")
    assert indexed() == {"plan"}
    save(admin, "plan", filterable=None)
    assert indexed() == set()
    save(admin, "plan", filterable="on")
    assert indexed() == {"plan"}
    admin.post(address("delete", known("plan")), {"post": "yes"})
    assert indexed() == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'filter\\_%'")
        assert cursor.fetchone() == (0,)
