"""The way from the sample file to an import, and the help beside it, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from profiles.models import Attribute
from tests.browser.person import NARROW, People

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_sample_is_downloaded_and_imported_and_help_is_at_hand(people: People, tmp_path: Path):
    Attribute.objects.create(key="loyaltyTier", label="Tier", type="text")
    creator = people.log_in("Creator", viewport={"width": NARROW, "height": 800})
    page = creator.open("/admin/imports/importjob/add/")
    page.select_option("#sample-file", "standard:profiles:phone")
    with page.expect_download() as download:
        page.click("text=Download sample CSV")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "sample-standard-phone.csv"
    assert file.read_text("utf-8-sig").startswith("phone,")
    page.click(".object-tools >> text=Help")
    page.wait_for_url("**/help/#files")
    expect(page.get_by_role("heading", name="Files", exact=True)).to_be_in_viewport()
    creator.upload(file)
    page.check("#identifier-phone")
    page.check("#action-update")
    page.click("text=Check the file")
    expect(page.get_by_role("main")).to_contain_text("3 rows will create a person, 0 will update one")
    assert creator.wrong == []
    for path in ("/admin/imports/importjob/add/", "/admin/imports/importjob/help/"):
        creator.open(path)
        assert creator.faults() == []
