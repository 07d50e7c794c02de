"""The platform: settings, the embedded database, what the command line needs."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client


@pytest.mark.django_db
def test_it_runs_on_postgresql_15_or_newer():
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150_000


@pytest.mark.django_db
def test_a_fresh_database_has_the_three_groups():
    assert set(Group.objects.values_list("name", flat=True)) >= {"Admin", "Creator", "Approver"}


@pytest.mark.django_db
def test_the_login_page_allows_no_inline_script_or_style(client: Client):
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.django_db
def test_ten_wrong_passwords_lock_the_name_for_that_address(client: Client):
    User.objects.create_superuser("boss", password="right")
    for _ in range(10):
        client.post("/admin/login/", {"username": "boss", "password": "wrong"})
    answer = client.post("/admin/login/", {"username": "boss", "password": "right"})
    assert answer.status_code == 429
    page = answer.content.decode()
    assert "This user name is locked for a while" in page
    assert "Wait 15:00 min" in page
    assert 'href="/admin/login/"' in page
    elsewhere = client.post("/admin/login/", {"username": "boss", "password": "right"}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302
