"""Who may move a job from where to where: every state, every move, every role, every policy (D-09, D-10)."""

from collections.abc import Callable
from itertools import product

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group

from imports.jobs import lifecycle, queue
from imports.jobs.transitions import MOVES, Actor, Move, Refused, Role
from imports.models import ImportJob, JobMove
from imports.states import Status, Step

pytestmark = pytest.mark.django_db

OPEN_TO_PEOPLE = [move for move in Move if MOVES[move].role is not Role.SYSTEM]


@pytest.fixture(autouse=True)
def nobody_takes_it_up():
    with queue.in_this_process():
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


def allowed(job: ImportJob, move: Move, actor: Actor | None) -> bool:
    try:
        lifecycle.move(job, move, actor, "because")
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


@pytest.mark.parametrize(("move", "status"), list(product(Move, Status)))
def test_a_move_starts_from_its_own_states_alone(move: Move, status: Status, person: Callable[[str], Actor]):
    actor = None if MOVES[move].role is Role.SYSTEM else person("Admin")
    job = job_of(actor, status)
    assert allowed(job, move, actor) == (status in MOVES[move].sources)
    if status not in MOVES[move].sources:
        job.refresh_from_db()
        assert (job.status, job.moves.count()) == (status, 0)


@pytest.mark.parametrize(
    ("group", "own", "moves"),
    [
        ("Admin", True, set(OPEN_TO_PEOPLE)),
        ("Admin", False, set(OPEN_TO_PEOPLE)),
        ("superuser", False, set(OPEN_TO_PEOPLE)),
        ("Approver", True, set(OPEN_TO_PEOPLE)),
        ("Approver", False, set(OPEN_TO_PEOPLE)),
        ("Creator", True, set(OPEN_TO_PEOPLE) - {Move.START, Move.APPROVE, Move.REJECT}),
        ("Creator", False, set()),
        ("none", True, set()),
    ],
)
def test_each_role_has_its_moves(group: str, own: bool, moves: set[Move], person: Callable[[str], Actor]):
    actor, other = person(group), Actor.of(get_user_model().objects.create_user("other"))
    found = {
        move for move in OPEN_TO_PEOPLE if allowed(job_of(actor if own else other, MOVES[move].sources[0]), move, actor)
    }
    assert found == moves


def test_nobody_may_make_a_move_of_the_system(person: Callable[[str], Actor]):
    actor = person("Admin")
    for move in set(Move) - set(OPEN_TO_PEOPLE):
        assert not allowed(job_of(actor, MOVES[move].sources[0]), move, actor)


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
    assert allowed(job_of(actor, Status.READY), Move.START, actor) == starts
    assert allowed(job_of(actor, Status.AWAITING_APPROVAL), Move.APPROVE, actor) == approves


def test_four_eyes_let_another_approver_approve(person, settings):
    settings.IMPORTS_APPROVAL = "always"
    job = job_of(person("Approver"), Status.AWAITING_APPROVAL)
    assert allowed(job, Move.APPROVE, person("Approver", "second"))


def test_to_reject_takes_a_comment(person):
    job = job_of(person("Creator"), Status.AWAITING_APPROVAL)
    with pytest.raises(Refused, match="Say why"):
        lifecycle.move(job, Move.REJECT, person("Approver"), "  ")
    lifecycle.move(job, Move.REJECT, Actor.of(get_user_model().objects.get(username="Approver")), "Wrong list")
    assert job.status == Status.REJECTED
    assert job.moves.get().comment == "Wrong list"


def test_of_two_who_press_at_once_one_wins_and_the_other_is_told(person):
    actor = person("Admin")
    first = job_of(actor, Status.READY)
    second = ImportJob.objects.get(pk=first.pk)
    lifecycle.move(first, Move.START, actor)
    with pytest.raises(Refused, match="Pending"):
        lifecycle.move(second, Move.START, actor)
    assert JobMove.objects.filter(job=first).count() == 1


def test_a_move_says_who_did_what_when(person):
    actor = person("Approver")
    job = job_of(person("Creator"), Status.AWAITING_APPROVAL)
    lifecycle.move(job, Move.APPROVE, actor)
    entry = job.moves.get()
    assert (entry.move, entry.before, entry.after) == ("approve", "awaiting_approval", "pending")
    assert entry.actor == actor.user
    assert entry.when is not None
    assert job.step == Step.PREPARE


@pytest.mark.parametrize("user", [AnonymousUser()])
def test_a_stranger_may_not_upload(user):
    with pytest.raises(Refused) as refused:
        lifecycle.upload(ImportJob(name="x", file_name="x.csv"), Actor.of(user))
    assert refused.value.code == "role"
    assert not ImportJob.objects.exists()
