"""`manage.py work` with a real cluster, a real queue and real kills (design section 8)."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from config.settings import BASE_DIR

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

STUCK_AFTER = 3


def wait_for(condition, seconds=40):
    """Wait until `condition()` holds, and return what it returned; fail the test when it never does."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return answer


def done(task_id):
    return Task.objects.filter(id=task_id, success=True).exists()


@pytest.fixture
def supervisor(process_environment):
    """A supervisor whose cluster has one worker: when idle, it holds the lock of the queue in memory."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work", "--stuck-after", str(STUCK_AFTER), "--stop-within", "4"],
        cwd=BASE_DIR,
        env={**process_environment, "IMPORTS_WORKERS": "1"},
        start_new_session=True,
    )
    family = psutil.Process(process.pid)
    known: list[psutil.Process] = []
    first = async_task("operator.add", 1, 1)
    try:
        wait_for(lambda: done(first))
        known = family.children(recursive=True)
        yield process
    finally:
        if process.poll() is None:
            known = family.children(recursive=True)
            process.kill()
        process.wait()
        for left in known:
            if left.is_running():
                left.kill()


def descendants(process, title=""):
    return [
        child for child in psutil.Process(process.pid).children(recursive=True) if title in " ".join(child.cmdline())
    ]


def idle_worker(process):
    return wait_for(lambda: next(iter(descendants(process, " idle")), None))


def gone(processes):
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def test_it_starts_again_when_an_idle_worker_was_killed(supervisor):
    silent = descendants(supervisor)
    idle_worker(supervisor).kill()
    time.sleep(2)  # for the guard to put a new worker in its place, which then waits for a lock that nobody holds
    async_task("operator.add", 1, 2)  # lies in the memory of the silent cluster; of a job, the sweep queues it again
    wait_for(lambda: gone(silent), STUCK_AFTER + 20)
    task = async_task("operator.add", 1, 3)
    wait_for(lambda: done(task))


def test_it_starts_again_when_the_cluster_was_killed(supervisor):
    cluster = descendants(supervisor)
    os.killpg(cluster[0].pid, signal.SIGKILL)
    wait_for(lambda: gone(cluster))
    task = async_task("operator.add", 1, 3)
    wait_for(lambda: done(task))


def test_it_starts_again_when_only_the_master_was_killed_and_leaves_no_orphan(supervisor):
    cluster = descendants(supervisor)
    cluster[0].kill()
    wait_for(lambda: gone(cluster))
    task = async_task("operator.add", 1, 4)
    wait_for(lambda: done(task))


def test_a_stop_lets_the_running_task_end(supervisor):
    cluster = descendants(supervisor)
    task = async_task("time.sleep", 2)
    wait_for(lambda: descendants(supervisor, "processing"))
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    assert done(task)
    assert not OrmQ.objects.exists()
    assert gone(cluster)


def test_a_task_that_does_not_end_is_killed_at_the_limit(supervisor):
    cluster = descendants(supervisor)
    async_task("time.sleep", 600)
    wait_for(lambda: descendants(supervisor, "processing"))
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    assert gone(cluster)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_killed_supervisor_leaves_no_cluster_behind(supervisor):
    cluster = descendants(supervisor)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: gone(cluster))
