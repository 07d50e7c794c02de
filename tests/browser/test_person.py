"""One person at the screen: edited, refused, moved, seen in the history, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from profiles.models import Profile
from profiles.writing import edit
from tests.browser.person import NARROW, People

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_an_admin_corrects_a_person(people: People):
    known = {
        "email": ["ann@x.co", "ben@x.co"],
        "first_name": "Ann",
        "name": "two\nlines",
        "dob": "1980-02-29",
        "labels": ["مرحبا", "</textarea><script>alert(1)</script>"],
        "date_of_last_session": "2026-01-02T03:04:05Z",
        "country": "GB",
    }
    person = Profile.objects.get(pk=edit.create(known, None))
    path = f"/admin/profiles/profile/{person.pk}/change/"
    phone = people.log_in("Admin", viewport={"width": NARROW, "height": 800}, color_scheme="dark")
    plain = people.log_in("Admin", java_script_enabled=False)
    for each in (phone, plain):
        page = each.open(path)
        # Nothing is touched, so nothing may change, whatever the boxes make of it.
        page.get_by_role("button", name="Save and continue editing").click()
        expect(page.get_by_role("main")).to_contain_text("nothing was changed")
    assert phone.faults() == []
    phone.page.get_by_label("Email", exact=True).fill("no address")
    phone.page.get_by_label("Email", exact=True).press("Enter")
    expect(phone.page).to_have_title("Error: Ann | People")
    assert phone.faults() == []
    phone.open(path.replace("change", "history"))
    assert phone.faults() == []
    admin = people.log_in("Admin")
    page = admin.open(path)
    page.get_by_label("Email", exact=True).fill("no address")
    page.get_by_label("Email", exact=True).press("Enter")
    expect(page.locator("#errornote")).to_be_focused()
    page.get_by_role("link", name="Email: Invalid email format").click()
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    page.get_by_label("Email", exact=True).fill("anna@x.co")
    page.get_by_role("button", name="Move ben@x.co up").click()
    page.get_by_label("Email, add another").fill("third@x.co")
    page.get_by_label("Add a value").select_option("age")
    page.get_by_role("button", name="Add this field").click()
    expect(page.get_by_label("Age")).to_be_focused()
    page.get_by_label("Age").fill("42")
    page.get_by_label("Age").press("Enter")
    expect(page).to_have_url(admin.site + "/admin/profiles/profile/")
    person.refresh_from_db()
    assert person.attributes == known | {"email": ["ben@x.co", "anna@x.co", "third@x.co"], "age": 42}
    page = admin.open(path)
    expect(page.locator("#imports")).to_contain_text("added + 42")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete this person").click()
    expect(page.get_by_role("main")).to_contain_text("Ann was deleted.")
    assert not Profile.objects.exists()
    assert admin.wrong == []
