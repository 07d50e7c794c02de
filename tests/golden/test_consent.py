"""Golden scenarios of consent (requirements section 19)."""

from __future__ import annotations

from profiles.models import SubscriptionGroup
from tests.golden.way import Way, counts, known, person


def test_g_12_false_unsubscribes_known_and_new_people_from_email(way: Way) -> None:  # FF-01, FF-16
    known(external_id="123", email_subscribe="subscribed")
    job = way.run("identity, MSG-email\n123,false\n456,false\n", "clevertap", "identity", "overwrite")
    assert [column.header for column in job.columns.all()] == ["identity", "MSG-email"]
    assert counts(job) == (1, 1, 0, 0)
    for identity in ("123", "456"):
        assert person("external_id", identity).attributes == {"email_subscribe": "unsubscribed"}


def test_g_13_true_subscribes_again(way: Way) -> None:
    known(external_id="123", email_subscribe="unsubscribed")
    job = way.run("identity, MSG-email\n123,true\n", "clevertap", "identity", "overwrite")
    assert counts(job) == (0, 1, 0, 0)
    assert person("external_id", "123").attributes == {"email_subscribe": "subscribed"}


def test_g_32_two_rows_enrol_two_people_in_two_groups(way: Way) -> None:  # AT-49, AT-50, SB-10
    header = "external_id,first_name,subscription_group_id,subscription_state\n"
    rows = "A8i3mkd99,Colby,6ff593d7-cf69-448b-aca9-abf7d7b8c273,subscribed\n"
    rows += "k2LNhj8Ks,Tom,aea02307-a91e-4bc0-abad-1c0bee817dfa,subscribed\n"
    job = way.run(header + rows, "braze", "external_id", "overwrite")
    assert counts(job) == (2, 0, 0, 0)
    colby, tom = person("external_id", "A8i3mkd99").attributes, person("external_id", "k2LNhj8Ks").attributes
    assert colby == {"first_name": "Colby", "group:6ff593d7-cf69-448b-aca9-abf7d7b8c273": "subscribed"}
    assert tom == {"first_name": "Tom", "group:aea02307-a91e-4bc0-abad-1c0bee817dfa": "subscribed"}
    assert set(SubscriptionGroup.objects.values_list("group_id", flat=True)) == {
        "6ff593d7-cf69-448b-aca9-abf7d7b8c273",
        "aea02307-a91e-4bc0-abad-1c0bee817dfa",
    }
