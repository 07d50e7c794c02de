"""When the supervisor finds that a cluster has stopped consuming (design section 8)."""

from imports.worker.cluster import ClusterSnapshot
from imports.worker.supervisor import StallDetector, SupervisorTimeouts

PATIENCE = SupervisorTimeouts(poll_interval=2, stall_timeout=10, guard_timeout=60)


def snapshot(*, guard_alive=True, waiting=False, has_unsaved_results=False, idle=None, busy_workers=0):
    return ClusterSnapshot(guard_alive, waiting, has_unsaved_results, idle if idle is not None else {}, busy_workers)


def verdicts(looks):
    """Give one look every two seconds and return the first verdict with its second."""
    judge = StallDetector(PATIENCE, 0)
    for second, seen in enumerate(looks, start=1):
        why = judge.restart_reason(seen, second * 2)
        if why is not None:
            return second * 2, why
    return None


def test_work_that_waits_beside_an_idle_worker_is_a_standstill():
    assert verdicts([snapshot(waiting=True, idle={7: 0.5})] * 20) == (12, "work waits while its workers are idle")


def test_work_may_wait_as_long_as_all_workers_are_busy():
    assert verdicts([snapshot(waiting=True, busy_workers=2)] * 100) is None


def test_one_idle_worker_beside_a_busy_one_is_a_standstill():
    assert verdicts([snapshot(waiting=True, idle={7: 0.5}, busy_workers=1)] * 20) is not None


def test_a_worker_that_used_processor_time_did_take_something_up():
    assert verdicts([snapshot(waiting=True, idle={7: 0.5 + second}) for second in range(100)]) is None


def test_an_idle_cluster_is_no_standstill():
    assert verdicts([snapshot(idle={7: 0.5, 8: 0.5})] * 100) is None


def test_one_moment_without_waiting_work_starts_the_patience_anew():
    stuck, well = snapshot(waiting=True, idle={7: 0.5}), snapshot(idle={7: 0.5})
    assert verdicts(([stuck] * 4 + [well]) * 20) is None


def test_a_guard_without_sign_of_life_is_given_a_minute():
    assert verdicts([snapshot(guard_alive=False)] * 29) is None
    assert verdicts([snapshot(guard_alive=False)] * 30) == (60, "its guard does not respond")


def test_results_that_nobody_records_are_a_standstill():
    assert verdicts([snapshot(has_unsaved_results=True)] * 20) == (10, "results are not recorded")
