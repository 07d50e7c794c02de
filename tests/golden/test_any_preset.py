"""Golden scenarios that no preset changes (requirements section 19)."""

from __future__ import annotations

from tests.golden.way import Way, counts, person


def test_g_44_the_command_changes_people_under_one_job_of_its_own(way: Way) -> None:  # AU-01
    job = way.run("email,first_name\na@b.co,Ann\n", "standard", "email", "update")
    assert (job.source, job.status, counts(job)) == ("command", "completed", (1, 0, 0, 0))
    assert person("email", "a@b.co").attributes["first_name"] == "Ann"
