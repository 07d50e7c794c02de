"""Who may make which transition of a job: every state, transition, role and policy (D-09, D-10)."""

from collections.abc import Callable
from itertools import product

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group

from imports.jobs import lifecycle, queue
from imports.jobs.transitions import TRANSITIONS, Actor, Refused, Role, Transition
from imports.models import ImportJob, JobTransition
from imports.states import Status, Step

pytestmark = pytest.mark.django_db

OPEN_TO_PEOPLE = [transition for transition in Transition if TRANSITIONS[transition].role is not Role.SYSTEM]


@pytest.fixture(autouse=True)
def nobody_takes_it_up():
    with queue.run_inline():
        yield


@pytest.fixture
def person() -> Callable[[str], Actor]:
    """Somebody in a group; ``none`` is staff without a role."""

    def make(group: str, name: str = "") -> Actor:
        user = get_user_model().objects.create_user(name or group, is_staff=True, is_superuser=group == "superuser")
        if group in ("Admin", "Approver", "Creator"):
            user.groups.add(Group.objects.get(name=group))
        return Actor.of(user)

    return make


def job_of(actor: Actor | None, status: Status, step: Step = Step.IDLE) -> ImportJob:
    owner = actor.user if actor else None
    return ImportJob.objects.create(
        name="May", file="may.csv", file_name="may.csv", status=status, step=step, created_by=owner
    )


def allowed(job: ImportJob, transition: Transition, actor: Actor | None) -> bool:
    try:
        lifecycle.transition(job, transition, actor, "because")
    except Refused:
        return False
    return True


def test_the_groups_come_with_the_first_migration():
    permissions = {
        group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()
    }
    assert permissions.keys() == {"Admin", "Approver", "Creator"}
    assert all("upload_csv" in found for found in permissions.values())
    assert {name for name, found in permissions.items() if "approve_import" in found} == {"Admin", "Approver"}


@pytest.mark.parametrize(("transition", "status"), list(product(Transition, Status)))
def test_a_move_starts_from_its_own_states_alone(
    transition: Transition, status: Status, person: Callable[[str], Actor]
):
    actor = None if TRANSITIONS[transition].role is Role.SYSTEM else person("Admin")
    job = job_of(actor, status)
    assert allowed(job, transition, actor) == (status in TRANSITIONS[transition].sources)
    if status not in TRANSITIONS[transition].sources:
        job.refresh_from_db()
        assert (job.status, job.transitions.count()) == (status, 0)


@pytest.mark.parametrize(
    ("group", "own", "transitions"),
    [
        ("Admin", True, set(OPEN_TO_PEOPLE)),
        ("Admin", False, set(OPEN_TO_PEOPLE)),
        ("superuser", False, set(OPEN_TO_PEOPLE)),
        ("Approver", True, set(OPEN_TO_PEOPLE)),
        ("Approver", False, set(OPEN_TO_PEOPLE)),
        ("Creator", True, set(OPEN_TO_PEOPLE) - {Transition.START, Transition.APPROVE, Transition.REJECT}),
        ("Creator", False, set()),
        ("none", True, set()),
    ],
)
def test_each_role_has_its_moves(group: str, own: bool, transitions: set[Transition], person: Callable[[str], Actor]):
    actor, other = person(group), Actor.of(get_user_model().objects.create_user("other"))
    found = {
        transition
        for transition in OPEN_TO_PEOPLE
        if allowed(job_of(actor if own else other, TRANSITIONS[transition].sources[0]), transition, actor)
    }
    assert found == transitions


def test_nobody_may_make_a_move_of_the_system(person: Callable[[str], Actor]):
    actor = person("Admin")
    for transition in set(Transition) - set(OPEN_TO_PEOPLE):
        assert not allowed(job_of(actor, TRANSITIONS[transition].sources[0]), transition, actor)


@pytest.mark.parametrize(
    ("policy", "group", "starts", "approves"),
    [
        ("creators", "Creator", False, False),
        ("creators", "Approver", True, True),
        ("always", "Creator", False, False),
        ("always", "Approver", False, False),
        ("never", "Creator", True, False),
        ("never", "Approver", True, True),
    ],
)
def test_the_policy_says_whose_imports_wait(policy, group, starts, approves, person, settings):
    settings.IMPORTS_APPROVAL = policy
    actor = person(group)
    assert allowed(job_of(actor, Status.READY), Transition.START, actor) == starts
    assert allowed(job_of(actor, Status.AWAITING_APPROVAL), Transition.APPROVE, actor) == approves


def test_four_eyes_let_another_approver_approve(person, settings):
    settings.IMPORTS_APPROVAL = "always"
    job = job_of(person("Approver"), Status.AWAITING_APPROVAL)
    assert allowed(job, Transition.APPROVE, person("Approver", "second"))


def test_to_reject_takes_a_comment(person):
    job = job_of(person("Creator"), Status.AWAITING_APPROVAL)
    with pytest.raises(Refused, match="Enter the reason"):
        lifecycle.transition(job, Transition.REJECT, person("Approver"), "  ")
    lifecycle.transition(
        job, Transition.REJECT, Actor.of(get_user_model().objects.get(username="Approver")), "Wrong list"
    )
    assert job.status == Status.REJECTED
    assert job.transitions.get().comment == "Wrong list"


def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(person):
    actor = person("Admin")
    first = job_of(actor, Status.READY)
    second = ImportJob.objects.get(pk=first.pk)
    lifecycle.transition(first, Transition.START, actor)
    with pytest.raises(Refused, match="Pending"):
        lifecycle.transition(second, Transition.START, actor)
    assert JobTransition.objects.filter(job=first).count() == 1


def test_a_move_says_who_did_what_when(person):
    actor = person("Approver")
    job = job_of(person("Creator"), Status.AWAITING_APPROVAL)
    lifecycle.transition(job, Transition.APPROVE, actor)
    entry = job.transitions.get()
    assert (entry.name, entry.before, entry.after) == ("approve", "awaiting_approval", "pending")
    assert entry.actor == actor.user
    assert entry.when is not None
    assert job.step == Step.PREPARE


@pytest.mark.parametrize("user", [AnonymousUser()])
def test_a_stranger_may_not_upload(user):
    with pytest.raises(Refused) as refused:
        lifecycle.upload(ImportJob(name="x", file_name="x.csv"), Actor.of(user))
    assert refused.value.code == "role"
    assert not ImportJob.objects.exists()
