"""The way of a file as people go it, in a browser, on a site that runs (design section 5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import People

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_creator_sees_what_a_small_file_would_do(people: People, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\nann@x.co,Ann\nno address,Ben\n")
    creator = people.log_in("Creator")
    creator.upload(file)
    creator.page.check("#identifier-email")
    creator.page.check("#action-update")
    creator.page.click("text=Check the file")
    expect(creator.page.get_by_role("main")).to_contain_text("Invalid email format")
    assert creator.wrong == []
