"""What people said about being written to: kept by every action, said of addresses, counted as reach (section 15)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imports.models import ImportJob, RowError
from profiles import history
from profiles.merging.consent import Channel
from profiles.models import Change, Profile, SubscriptionGroup, Suppression, load_schema
from profiles.search import query_builder, reach
from profiles.search.conditions import ChangeSetMember, Reachable
from profiles.writing import edit, store
from profiles.writing.edit import SeenVersion
from tests.db.test_import_profiles import refusal, run, write

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SHARED = ("email", "shared@x.co")


def made(**values: Any) -> Profile:
    return Profile.objects.get(pk=edit.create(values, None, shared=True))


def save(person: Profile, **values: Any) -> None:
    person.refresh_from_db()
    edit.save(SeenVersion(person.pk, store.to_microseconds(person.updated)), values, None)


def known(external_id: str) -> dict[str, Any]:
    return dict(Profile.objects.get(external_id=external_id).attributes)


def reached(channel: Channel) -> set[str]:
    found = query_builder.find_people([Reachable(channel)], load_schema())
    return {external_id or "" for external_id in found.values_list("external_id", flat=True)}


def bring(folder: Path, text: str, action: str = "overwrite", *more: str) -> ImportJob:
    run(write(folder, text), *more, identifier="external_id", action=action)
    return ImportJob.objects.latest("id")


# --- actions ------------------------------------------------------------------------------------


def test_replace_keeps_what_people_said_unless_the_file_says_otherwise(tmp_path: Path):
    said = {"email_subscribe": "unsubscribed", "dnd_email": True, "group:news": "subscribed"}
    made(external_id="a", first_name="Ann", **said)
    job = bring(tmp_path, "external_id,MSG-sms,home_city\na,true,Oslo\n", "replace")
    assert known("a") == said | {"sms_subscribe": "subscribed", "home_city": "Oslo"}
    assert job.preview["cleared"] == 1
    bring(tmp_path, "external_id,MSG-email\na,true\n", "replace")
    assert known("a")["email_subscribe"] == "subscribed"


def test_update_fills_in_an_answer_and_changes_none(tmp_path: Path):
    made(external_id="a", email_subscribe="unsubscribed")
    bring(tmp_path, "external_id,MSG-email,MSG-push\na,true,false\n", "update")
    assert known("a") == {"email_subscribe": "unsubscribed", "push_subscribe": "unsubscribed"}


def test_memberships_and_states_are_no_custom_attributes(tmp_path: Path):
    made(external_id="a", **{f"own {n}": "x" for n in range(256)})
    text = "external_id,MSG-email,subscription_group_id,subscription_state\na,true,news,subscribed\n"
    assert bring(tmp_path, text).updated == 1
    assert known("a")["group:news"] == "subscribed"


# --- groups -------------------------------------------------------------------------------------


def test_a_row_with_only_one_of_group_and_state_is_applied_with_a_warning(tmp_path: Path):
    text = "external_id,subscription_group_id,subscription_state\na,news,\nb,,subscribed\nc, news ,unsubscribed\n"
    job = bring(tmp_path, text)
    assert (job.imported, job.failed) == (3, 0)
    assert [known(each) for each in "abc"] == [{}, {}, {"group:news": "unsubscribed"}]
    told = RowError.objects.filter(job=job).order_by("row").values_list("row", "severity", "code")
    assert list(told) == [(1, "warning", "group_without_state"), (2, "warning", "state_without_group")]


def test_a_group_column_without_a_state_column_says_which_column_to_add(tmp_path: Path):
    job = bring(tmp_path, "external_id,subscription_group_id\na,news\n")
    problem = RowError.objects.get(job=job)
    assert (problem.column, problem.value) == ("subscription_group_id", "news")
    assert problem.reason == ("A subscription group without a state changes nothing: add a column subscription_state")
    assert known("a") == {}


@pytest.mark.parametrize(("preset", "failed"), [("standard", 1), ("braze", 0)])
def test_a_state_that_is_none_is_an_invalid_value(tmp_path: Path, preset: str, failed: int):
    text = "external_id,subscription_group_id,subscription_state\na,news,opted_in\n"
    job = bring(tmp_path, text, "overwrite", "--preset", preset)
    assert job.failed == failed
    assert [p.code for p in job.problems.all()] == ["invalid_subscription"]
    assert not Profile.objects.filter(attributes__has_key="group:news").exists()


def test_two_columns_of_groups_are_refused(tmp_path: Path):  # SB-10
    text = "external_id,subscription_group_id,Subscription Group ID,subscription_state\na,x,y,subscribed\n"
    more = ["--map", "Subscription Group ID=subscription_group_id", "--identifier", "external_id", "--inline"]
    said = str(refusal(str(write(tmp_path, text)), "--action", "overwrite", *more))
    assert "Several columns are mapped to subscription_group_id, which holds one value" in said


def test_groups_come_into_being_when_a_file_is_applied_and_keep_the_name_they_have(tmp_path: Path):
    SubscriptionGroup.objects.create(group_id="news", name="Newsletter", channel="email")
    text = "external_id,subscription_group_id,subscription_state\na,news,subscribed\nb,sport,subscribed\n"
    bring(tmp_path, text, "overwrite", "--dry-run")
    assert SubscriptionGroup.objects.count() == 1
    bring(tmp_path, text)
    assert set(SubscriptionGroup.objects.values_list("group_id", "name", "channel")) == {
        ("news", "Newsletter", "email"),
        ("sport", "sport", ""),
    }


def test_a_header_that_names_a_group_brings_its_states_and_never_an_attribute(tmp_path: Path):
    job = bring(tmp_path, "external_id,group:news\na,subscribed\nb,FALSE\nc,opted_in\n")
    assert (job.imported, job.failed) == (2, 1)
    assert [known(each) for each in "ab"] == [{"group:news": "subscribed"}, {"group:news": "unsubscribed"}]
    assert "group:news" not in load_schema().definitions
    assert SubscriptionGroup.objects.get().group_id == "news"


def test_a_header_of_a_group_without_id_is_refused(tmp_path: Path):
    more = ["--action", "overwrite", "--identifier", "external_id", "--inline"]
    said = str(refusal(str(write(tmp_path, "external_id,group:\na,x\n")), *more))
    assert "Column group: cannot become an attribute" in said


# --- what is said about addresses ---------------------------------------------------------------


def test_do_not_disturb_concerns_everybody_who_has_the_address_and_a_flag_only_one(tmp_path: Path):
    for external_id in "abc":
        made(external_id=external_id, email=["Shared@x.co"])
    made(external_id="d", email=["other@x.co"])
    bring(tmp_path, "external_id,MSG-email\na,false\n")
    assert reached(Channel.EMAIL) == {"b", "c", "d"}
    bring(tmp_path, "external_id,MSG-dndEmail\nb,true\n")
    assert reach.suppressed_addresses([SHARED, ("email", "other@x.co")]) == {SHARED}
    assert reached(Channel.EMAIL) == {"d"}
    bring(tmp_path, "external_id,MSG-dndEmail\nb,false\n")
    assert reached(Channel.EMAIL) == {"b", "c", "d"}


def test_the_stricter_of_a_flag_and_do_not_disturb_wins(tmp_path: Path):
    made(external_id="b", email=["shared@x.co"])
    bring(tmp_path, "external_id,email,MSG-email,MSG-dndEmail\na,shared@x.co,true,true\n")
    assert reached(Channel.EMAIL) == set()


def test_whoever_has_another_address_stays_reachable(tmp_path: Path):
    made(external_id="a", email=["shared@x.co", "own@x.co"])
    bring(tmp_path, "external_id,email,MSG-dndEmail\nb,shared@x.co,true\n")
    assert reached(Channel.EMAIL) == {"a"}


def test_a_dry_run_and_an_ignored_row_say_nothing_about_addresses(tmp_path: Path):
    made(external_id="a", email=["shared@x.co"])
    text = "external_id,MSG-dndEmail\na,true\n"
    bring(tmp_path, text, "overwrite", "--dry-run")
    bring(tmp_path, text, "ignore")
    assert not Suppression.objects.exists()
    bring(tmp_path, text, "update")
    bring(tmp_path, "external_id,MSG-dndEmail\na,false\n", "update")
    assert reach.suppressed_addresses([SHARED]) == {SHARED}


def test_a_row_that_changes_nobody_says_it_again(tmp_path: Path):
    made(external_id="a", email=["shared@x.co"], dnd_email=True)
    made(external_id="b", email=["shared@x.co"], dnd_email=False)
    assert reach.suppressed_addresses([SHARED]) == set()
    job = bring(tmp_path, "external_id,MSG-dndEmail\na,true\n")
    assert job.unchanged == 1
    assert reach.suppressed_addresses([SHARED]) == {SHARED}


def test_a_form_says_it_too_and_taking_the_answer_away_lifts_it():
    person = made(external_id="a", email=["shared@x.co"], phone=["+15550100"])
    save(person, dnd_email=True, dnd_phone=True)
    assert reach.suppressed_addresses([SHARED, ("phone", "15550100")]) == {SHARED, ("phone", "15550100")}
    save(person, dnd_email=None)
    assert reach.suppressed_addresses([SHARED]) == set()
    save(person, first_name="Ann")
    assert Suppression.objects.count() == 3


def test_of_two_rows_about_one_address_the_later_counts(tmp_path: Path, settings: Any):
    settings.IMPORTS_BUCKET_ROWS = 1
    rows = [f"p{n},shared@x.co,{'true' if n % 3 else 'false'}" for n in range(12)]
    bring(tmp_path, "external_id,email,MSG-dndEmail\n" + "\n".join(rows))
    assert reach.suppressed_addresses([SHARED]) == {SHARED}
    bring(tmp_path, "external_id,email,MSG-dndEmail\n" + "\n".join(reversed(rows)))
    assert reach.suppressed_addresses([SHARED]) == set()


# --- reach --------------------------------------------------------------------------------------


def test_of_ten_people_four_are_not_reached_by_email(tmp_path: Path):
    rows = [f"p{n},p{n}@x.co,{'false' if n < 2 else ''}" for n in range(8)] + ["p8,,", "p9,,true"]
    job = bring(tmp_path, "external_id,email,MSG-email\n" + "\n".join(rows))
    everybody, reach_of = query_builder.count_reach(job.change_set_id or 0)
    assert (everybody, reach_of[Channel.EMAIL]) == (10, 6)
    both = query_builder.find_people([ChangeSetMember(job.change_set_id or 0), Reachable(Channel.EMAIL)], load_schema())
    assert both.count() == 6


def test_sms_needs_a_phone_and_a_group_once_there_is_one():  # SB-11
    made(external_id="a", phone=["+15550100"], **{"group:texts": "subscribed"})
    made(external_id="b", phone=["+15550101"], **{"group:texts": "unsubscribed"})
    made(external_id="c", phone=["+15550102"], sms_subscribe="unsubscribed", **{"group:texts": "subscribed"})
    made(external_id="d", email=["d@x.co"])
    assert reached(Channel.SMS) == {"a", "b"}
    SubscriptionGroup.objects.create(group_id="texts", name="Texts", channel="sms")
    assert reached(Channel.SMS) == {"a"}
    save(Profile.objects.get(external_id="a"), dnd_phone=True)
    assert reached(Channel.SMS) == set()


def test_whatsapp_needs_a_number_and_push_an_answer():
    made(external_id="a", phone=["+15550100"])
    made(external_id="b", whatsapp=["w1"], push_subscribe="opted_in")
    made(external_id="c", whatsapp=["w2"], whatsapp_subscribe="unsubscribed", push_subscribe="unsubscribed")
    made(external_id="d", push_subscribe="subscribed")
    assert reached(Channel.WHATSAPP) == {"a", "b"}
    assert reached(Channel.PUSH) == {"b", "d"}


# --- import-owned values (AT-13) ----------------------------------------------------------------


def test_language_and_country_belong_to_an_import_that_ever_wrote_them(tmp_path: Path):
    by_hand = made(external_id="a", language="en", country="GB")
    assert history.load_provenance(by_hand).import_owned == set()
    bring(tmp_path, "external_id,language,first_name\na,fr,Ann\nb,de,Ben\nc,,Cy\n")
    assert history.load_provenance(by_hand).import_owned == {"language"}
    ben, cy = (Profile.objects.get(external_id=each) for each in "bc")
    assert (history.load_provenance(ben).import_owned, history.load_provenance(cy).import_owned) == (
        {"language"},
        set(),
    )
    save(ben, language="it", country="IT")
    save(cy, language="it")
    assert (history.load_provenance(ben).import_owned, history.load_provenance(cy).import_owned) == (
        {"language"},
        set(),
    )
    assert Change.objects.filter(profile=ben).count() == 2
