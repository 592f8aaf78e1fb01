"""A day's visits as a problem, and a plan as who serves whom."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from carewright.scheduling.engines import port
from carewright.scheduling.engines.apart import Answer, plan_apart, question_of
from carewright.scheduling.engines.chains import Effort, search
from carewright.scheduling.engines.exact import Exact
from carewright.scheduling.model.planning import Bits, Plan, Problem, faults, row_of_bits, value_of
from carewright.scheduling.model.posing import UNIT, Need, Placed, Posed, Visit, Weights, pose

TICKS = 96
PHYSICIANS, ROOMS = (0, 1), (2, 3, 4)


def free(*, busy: Sequence[tuple[int, int, int]] = ()) -> Bits:
    rows = np.array([row_of_bits(range(96), TICKS) for _ in range(5)])
    for one, since, until in busy:
        rows[one] &= ~row_of_bits(range(since, until), TICKS)
    return rows


def visit(length: int = 6, **more: Any) -> Visit:
    given = {
        "needs": (Need(PHYSICIANS, 0, length), Need(ROOMS, 0, length + 1)), "allowed": row_of_bits(range(90 - length), TICKS),
        "minutes": length * 5, "tier": 2, "released": 0, "patient": more.get("patient", id(more)),
    }  # fmt: skip
    return Visit(**{**given, **more})


def planned(posed: Posed) -> list[Placed | None]:
    found = search(posed.problem, Effort(steps=300), lambda: 0.0, posed.booked())
    assert faults(posed.problem, found.plan) == []
    return posed.placements(found.plan)


def booked(start: int, physician: int = 0, room: int = 2, length: int = 6, **more: Any) -> Visit:
    return visit(length, booked=start, released=start, served_by=((physician,), (room,)), **more)


def test_nobody_is_moved_without_need() -> None:
    visits = [booked(12, patient=1), booked(30, 1, 3, patient=2), booked(60, 0, 4, patient=3)]
    posed = pose(visits, free(), TICKS, Weights(split=0))
    assert planned(posed) == [Placed(12, ((0,), (2,))), Placed(30, ((1,), (3,))), Placed(60, ((0,), (4,)))]


def test_who_cannot_be_seen_as_booked_goes_to_whoever_can_near_the_same_time() -> None:
    visits = [booked(12, patient=1), booked(30, 1, 3, patient=2)]
    (first, second) = planned(pose(visits, free(busy=[(0, 0, 96)]), TICKS, Weights(split=0)))
    assert first is not None
    assert (first.served_by[0], first.start) == ((1,), 12)
    assert second == Placed(30, ((1,), (3,)))


def test_an_emergency_is_seen_even_where_that_moves_others() -> None:
    visits = [booked(0, 0, 2, 80, patient=1), booked(0, 1, 3, 80, patient=2)]
    urgent = visit(tier=0, allowed=row_of_bits(range(3), TICKS), patient=3)
    placed = planned(pose([*visits, urgent], free(), TICKS, Weights()))
    assert placed[2] is not None
    assert [each for each in placed if each is not None and each.start == 0] != placed


def test_visits_of_one_patient_do_not_overlap() -> None:
    placed = planned(pose([visit(40, patient=7), visit(40, patient=7)], free(), TICKS, Weights()))
    starts = sorted(each.start for each in placed if each is not None)
    assert len(starts) == 2
    assert starts[1] - starts[0] >= 40


def test_rooms_that_can_stand_in_for_each_other_are_one_pool_and_each_is_named_once_at_a_time() -> None:
    visits = [visit(10, needs=(Need((0,) if number % 2 else (1,), 0, 10), Need(ROOMS, 0, 25)), patient=number) for number in range(6)]
    posed = pose(visits, free(), TICKS, Weights())
    assert sorted(map(len, posed.units)) == [1, 1, 3]
    placed = [each for each in planned(posed) if each is not None]
    assert len(placed) == 6
    for room in ROOMS:
        starts = sorted(each.start for each in placed if each.served_by[1] == (room,))
        assert all(later - earlier >= 25 for earlier, later in pairwise(starts))


def test_who_is_named_now_stays_also_beside_somebody_who_is_not_known_yet() -> None:
    known = [booked(10, 0, 2, patient=1), booked(12, 1, 3, patient=2)]
    unknown = visit(6, needs=(Need((5,), 0, 6), Need(ROOMS, 0, 7)), allowed=row_of_bits([9], TICKS), patient=3)
    rows = np.array([row_of_bits(range(TICKS), TICKS) for _ in range(6)])
    posed = pose([*known, unknown], rows, TICKS, Weights(split=0))
    assert planned(posed) == [Placed(10, ((0,), (2,))), Placed(12, ((1,), (3,))), Placed(9, ((5,), (4,)))]


def test_two_of_one_kind_are_two_people() -> None:
    team = visit(10, needs=(Need((0, 1), 0, 10), Need((0, 1, 2), 0, 10, 1), Need(ROOMS, 0, 10)), patient=1)
    (placed,) = planned(pose([team], free(), TICKS, Weights()))
    assert placed is not None
    names = [one for some in placed.served_by for one in some]
    assert len(set(names)) == len(names)


def test_what_is_booked_is_the_plan_it_begins_with() -> None:
    visits = [booked(12, patient=1), booked(14, patient=2), visit(patient=3)]
    posed = pose(visits, free(), TICKS, Weights())
    assert posed.booked().start.tolist() == [12, -1, -1], "who is booked over somebody else has no place yet"
    assert faults(posed.problem, posed.booked()) == []


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_a_process_apart_finds_what_is_no_worse(seconds: float) -> None:
    visits = [visit(int(length), patient=number) for number, length in enumerate(np.random.default_rng(1).integers(3, 20, 30))]
    posed = pose(visits, free(), TICKS, Weights())
    asked = question_of(posed.problem, posed.booked(), seconds=seconds, seed=1, chains=2)
    sent = msgspec.json.decode(msgspec.json.encode(asked), type=type(asked))
    heard: list[tuple[int, float | None]] = []
    said = plan_apart(sent, lambda percent, worth=None: heard.append((percent, worth)))
    answer = msgspec.json.decode(msgspec.json.encode(said), type=Answer)
    assert faults(posed.problem, answer.plan) == []
    assert value_of(posed.problem, answer.plan) >= value_of(posed.problem, posed.booked())
    assert [percent for percent, _ in heard] == list(range(10, 101, 10))
    worths = [worth or 0.0 for _, worth in heard]
    assert worths == sorted(worths)
    assert round(worths[-1] * UNIT) == value_of(posed.problem, answer.plan)[1]


def test_a_process_apart_asks_the_solver_where_the_visits_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Plan] = []

    async def solver(problem: Problem, start: Plan, _effort: Effort) -> Exact:
        asked.append(start)
        return Exact(plan=start, value=value_of(problem, start), proved=True)

    monkeypatch.setattr(port, "exactly", solver)
    for count in (30, 31):
        posed = pose([visit(5, patient=number) for number in range(count)], free(), TICKS, Weights())
        plan_apart(question_of(posed.problem, posed.booked(), seconds=1.3, seed=1, chains=1), lambda *_: None)
    assert [len(each.start) for each in asked] == [30]
