"""Work that cannot be begun or ended, and tasks that nobody takes up (design section 8)."""

import pytest
from django_q.models import OrmQ

from imports.engine import preview
from imports.jobs import leases, queue
from imports.models import ImportJob
from imports.states import Status, Step
from tests.crashes import way

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.mark.usefixtures("crash_options")
def test_a_step_that_cannot_be_ended_fails_its_job_and_can_be_resumed(monkeypatch: pytest.MonkeyPatch):
    expected = way.undisturbed()
    job = way.uploaded()
    way.walk(job, Step.PREVIEW, way.ALL)
    with monkeypatch.context() as broken:
        broken.setattr(preview, "checked_fields", lambda job: job.preview["nothing"])
        way.unit(job)
    assert (job.status, job.reason_code) == (Status.FAILED, "attempts")
    assert job.reason == "Computing the result failed 3 times: KeyError. Resume the import to try again."
    with queue.run_inline():
        way.resume(job)
    way.finish(job)
    assert way.outcome(job) == expected


def test_the_sweep_does_not_fill_a_queue_that_nobody_empties(settings):
    job = ImportJob.objects.create(name="May", file="may.csv", status=Status.CHECKING, step=Step.STAGE)
    for _ in range(5):
        leases.sweep()
        ImportJob.objects.filter(pk=job.pk).update(queued=None)
    assert OrmQ.objects.count() == settings.IMPORTS_WORKERS
    assert queue.queue_size() == settings.IMPORTS_WORKERS
