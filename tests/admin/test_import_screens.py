"""The screens of an import, as three people use them, without a browser (design section 5)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from imports.models import ImportJob
from imports.states import Status
from profiles.models import Profile
from tests.admin.screens import UPLOAD, address, check, finish, log_in, press, upload

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_small_file_is_read_checked_and_shown_without_a_worker():  # MP-05
    creator = log_in("Creator")
    response = upload(creator)
    job = ImportJob.objects.get()
    assert response.status_code == 302
    assert response["Location"] == address("configure", job)
    page = creator.get(address("configure", job)).content.decode()
    assert "plan" in page
    assert "ann@x.co" in page
    page = check(creator, job).content.decode()
    job.refresh_from_db()
    assert job.status == Status.READY
    assert "2 rows will create a person, 0 will update one, 0 will be ignored, 1 will fail." in page
    assert "Invalid email format" in page
    assert Profile.objects.count() == 0


def test_what_a_creator_submits_is_rejected_corrected_and_approved():  # PS-02
    creator, approver = log_in("Creator"), log_in("Approver")
    upload(creator)
    job = ImportJob.objects.get()
    check(creator, job)
    assert "Import submitted for approval." in press(creator, job, "submit").content.decode()
    assert "Enter the reason for the rejection" in press(approver, job, "reject").content.decode()
    press(approver, job, "reject", comment="Skip the plan")
    page = creator.get(address("change", job)).content.decode()
    assert "Skip the plan" in page
    check(creator, job, column="3", **{"target-3": "skip"})
    press(creator, job, "submit")
    press(approver, job, "approve")
    finish(job)
    job.refresh_from_db()
    assert (job.status, job.imported, job.failed) == (Status.COMPLETED, 2, 1)
    assert not any("plan" in person.attributes for person in Profile.objects.all())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b"%PDF-1.7 something", "seems to be a PDF document"),
        (b"email\n", "The file has no data rows."),
        (b'email\n"ann@x.co\n', "is not closed"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_beside_its_field(content: bytes, reason: str):
    response = upload(log_in("Creator"), content)
    assert response.status_code == 200
    assert any(reason in error for error in response.context["form"].errors["file"])
    assert not ImportJob.objects.exclude(status=Status.FAILED).exists()


def test_a_double_click_on_start_starts_once():
    admin = log_in("Admin")
    upload(admin)
    job = ImportJob.objects.get()
    check(admin, job)
    seen = admin.get(address("change", job)).context["seen"]
    for _ in range(2):
        page = admin.post(address("transition", job), {"transition": "start", "seen": seen}, follow=True)
    assert "this import has changed since you opened the page. Look at it again." in page.content.decode()
    finish(job)
    job.refresh_from_db()
    assert job.transitions.filter(name="start").count() == 1
    assert Profile.objects.count() == 2


def test_a_page_that_was_opened_before_the_file_was_checked_again_cannot_approve():
    creator, approver = log_in("Creator"), log_in("Approver")
    upload(creator)
    job = ImportJob.objects.get()
    check(creator, job)
    press(creator, job, "submit")
    seen = approver.get(address("change", job)).context["seen"]
    press(approver, job, "reject", comment="Use Overwrite")
    check(creator, job, action="overwrite")
    press(creator, job, "submit")
    approver.post(address("transition", job), {"transition": "approve", "seen": seen})
    job.refresh_from_db()
    assert job.status == Status.AWAITING_APPROVAL


def test_a_problem_of_the_mapping_is_told_and_nothing_is_checked():
    creator = log_in("Creator")
    upload(creator)
    job = ImportJob.objects.get()
    page = check(creator, job, identifier="phone").content.decode()
    assert "The selected identifier phone is not in the file" in page
    page = check(creator, job, column="1", **{"target-1": "undecided"}).content.decode()
    assert "Column email needs a mapping, or must be skipped" in page
    job.refresh_from_db()
    assert job.status == Status.DRAFT


PAGES = ("configure", "change", "transition")


@pytest.mark.parametrize("page", PAGES)
def test_others_jobs_can_be_looked_at_but_not_changed(page: str):
    owner, other, reader = log_in("Creator", name="owner"), log_in("Creator", name="other"), log_in()
    upload(owner)
    job = ImportJob.objects.get()
    check(owner, job)
    transitions = job.transitions.count()
    for client in (other, reader):
        shown = client.get(address("change", job)).status_code
        assert shown == (200 if client is other else 403)
        refused = client.post(
            address(page, job), {"transition": "submit", "check": "1", "seen": str(job.transitions.latest("pk").pk)}
        )
        assert refused.status_code in ((403,) if page != "change" or client is reader else (200, 405))
    assert job.transitions.count() == transitions


def test_nobody_without_a_role_comes_in():
    assert log_in().get(reverse(UPLOAD)).status_code == 403
    assert upload(log_in(name="again")).status_code == 403
    assert "/login/" in Client().get(reverse(UPLOAD))["Location"]
    assert "/login/" in log_in("Admin", name="not staff", is_staff=False).get(reverse(UPLOAD))["Location"]


def test_an_import_that_is_not_there_any_more_is_not_found():
    assert log_in("Admin").get(reverse("admin:imports_importjob_change", args=[12345])).status_code == 404


def test_hostile_texts_are_shown_harmlessly():
    creator = log_in("Creator")
    hostile = b'email,<script>alert(1)</script>\na@x.co,"<img src=x onerror=alert(2)>"\nb@x.co,=1+1\n'
    upload(creator, hostile, "<b>x</b>.csv")
    job = ImportJob.objects.get()
    for page in (creator.get(address("configure", job)), check(creator, job)):
        text = page.content.decode()
        assert page.status_code == 200
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>x</b>" not in text


def test_the_page_of_a_job_at_work_is_polled_until_the_work_is_over():  # PS-03, PS-04
    admin = log_in("Admin")
    upload(admin)
    job = ImportJob.objects.get()
    check(admin, job)
    press(admin, job, "start")
    htmx = {"HX-Request": "true"}
    part = admin.get(address("change", job), headers=htmx)
    assert "every 1s" in part.content.decode()
    assert "<form" not in part.content.decode()
    assert 'hx-swap-oob="true">Pending</h2>' in part.content.decode()
    finish(job)
    last = admin.get(address("change", job), headers=htmx)
    assert last["HX-Retarget"] == "#content-main"
    assert "every 1s" not in last.content.decode()
    assert "Completed" in last.content.decode()


@pytest.mark.parametrize("transition", ["check", "checked", "fail", "nonsense", ""])
def test_only_what_a_button_does_can_be_sent(transition: str):
    admin = log_in("Admin")
    upload(admin)
    job = ImportJob.objects.get()
    assert "the page did not name an action" in press(admin, job, transition).content.decode()
    job.refresh_from_db()
    assert (job.status, job.transitions.count()) == (Status.DRAFT, 1)


@pytest.mark.parametrize("key", ["a\0b", "x" * 200, "x" * 100_000])
def test_an_attribute_that_cannot_be_called_so_leaves_its_column_undecided(key: str):
    creator = log_in("Creator")
    upload(creator)
    job = ImportJob.objects.get()
    new = {"target-3": "new", "key-3": key, "type-3": "text"}
    page = check(creator, job, column="3", **new).content.decode()
    assert "Column plan needs a mapping, or must be skipped" in page


def test_columns_that_the_file_does_not_have_are_not_heeded():
    creator = log_in("Creator")
    upload(creator)
    job = ImportJob.objects.get()
    sent = {"column": ["99999999999999999999", "-1", "\u0661", "x"], "target-1": "skip", "identifier": "email"}
    assert creator.post(address("configure", job), sent | {"action": "update"}).status_code == 302
    assert not job.columns.filter(target_kind="skip").exists()
