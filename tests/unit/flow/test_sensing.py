"""What a sensor sees, from what it says: nonsense, order, runs, silence."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carewright.contracts.rooms import Place, PlaceStatus
from carewright.contracts.sensors import Reading, Seen, Sensor, SensorTuning
from carewright.flow.model import sensing as rules
from carewright.flow.model.sensing import Read, Sensing
from tests.samples import known_id
from tests.servers import MORNING

ROOM, SITE, QUEUE, SENSOR_ID = (known_id(number) for number in range(1, 5))
TUNING = SensorTuning(hold_seconds=10, readings_least=3, silent_seconds=60, count_most=50)
UNHEARD = Sensing()


def sensor(place_id: UUID | None = None) -> Sensor:
    return Sensor(
        id=SENSOR_ID, site_id=SITE, name="Beam", transport="http", place_id=place_id, queue_ids=() if place_id else (QUEUE,), tuning=TUNING,
        enrolled_at=MORNING, seen=Seen(),
    )  # fmt: skip


def after(seconds: float) -> Any:
    return MORNING + timedelta(seconds=seconds)


def told(*values: int, known: Sensing = UNHEARD, every: float = 2, since: float = 0, tuning: SensorTuning = TUNING) -> Sensing:
    """What is known after these readings, one every two seconds."""
    for index, value in enumerate(values):
        known = rules.heard(known, Read(value, after(since + index * every), None), tuning)
    return known


IMPOSSIBLE = [-1, -0.5, 51, 1_000_000, 2**60, 2.5, float("nan"), float("inf"), float("-inf"), 1e308]


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_no_number_of_people_is_refused(value: float) -> None:
    assert rules.judged(Reading(value=value), UNHEARD, sensor(), MORNING) == "impossible"


@pytest.mark.parametrize("value", [2, -1, 0.5, float("nan")])
def test_a_room_has_somebody_or_nobody(value: float) -> None:
    assert rules.judged(Reading(value=value), UNHEARD, sensor(ROOM), MORNING) == "impossible"


@pytest.mark.parametrize(("value", "number"), [(True, 1), (False, 0), (1, 1), (0, 0), (1.0, 1), (-0.0, 0)])
def test_a_room_may_be_told_by_words_and_numbers(value: float, number: int) -> None:
    assert rules.judged(Reading(value=value), UNHEARD, sensor(ROOM), MORNING) == Read(number, MORNING, None)


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (-86_400 * 365 * 50, "old"),
        (-60, "old"),
        (-59, Read(7, after(-59), None)),
        (0, Read(7, MORNING, None)),
        (60, Read(7, MORNING, None)),
        (61, "ahead"),
        (86_400 * 365, "ahead"),
    ],
)
def test_a_clock_may_be_a_little_wrong(seconds: float, verdict: object) -> None:
    assert rules.judged(Reading(value=7, at=after(seconds)), UNHEARD, sensor(), MORNING) == verdict


@pytest.mark.parametrize(
    ("at", "number", "now", "verdict"),
    [
        (5, 9, 6, "repeated"),
        (9, 9, 9, "repeated"),
        (None, 9, 9, "repeated"),
        (6, 8, 7, "late"),
        (None, 8, 7, "late"),
        (4, None, 9, "late"),
        (5, None, 9, "repeated"),
        (5, 10, 9, Read(7, after(5), 10)),
        (6, None, 9, Read(7, after(6), None)),
        (None, 0, 36, Read(7, after(36), 0)),
        (4, 0, 36, "late"),
    ],
)
def test_what_comes_twice_or_behind_counts_once(at: float | None, number: int | None, now: float, verdict: object) -> None:
    known = Sensing(read_at=after(5), sequence=9)
    said = Reading(value=7, at=None if at is None else after(at), sequence=number)
    assert rules.judged(said, known, sensor(), after(now)) == verdict


def test_a_state_counts_once_it_has_held_and_since_it_began() -> None:
    free = told(0, 0, 0, 0, 0, 0)
    assert (free.value, free.since) == (0, MORNING)
    assert told(1, 1, 1, 1, 1, known=free, since=20).value == 0, "eight seconds"
    seen = told(1, 1, 1, 1, 1, 1, known=free, since=20)
    assert (seen.value, seen.since, seen.run_value) == (1, after(20), None)


def test_a_passer_by_is_nobody() -> None:
    free = told(0, 0, 0, 0, 0, 0)
    assert told(1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, known=free, since=20).value == 0


def test_few_readings_do_not_count_however_long_they_hold() -> None:
    free = told(0, 0, 0, 0, 0, 0)
    assert told(1, 1, known=free, every=15, since=20).value == 0
    assert told(1, 1, 1, known=free, every=15, since=20).value == 1


def test_of_a_run_counts_what_all_of_it_agrees_upon() -> None:
    some = told(17, 17, 17, 17, 17, 17)
    more = told(20, 23, 21, 22, 20, 21, known=some, since=20)
    assert (more.value, more.since) == (20, after(20))
    assert told(16, 18, 16, 18, 16, 18, 16, 18, known=some, since=20).value == 17, "they do not agree that it is otherwise"


def test_time_alone_has_a_run_count_and_makes_a_sensor_silent() -> None:
    once = replace(TUNING, readings_least=1)
    free = told(0, known=UNHEARD, tuning=once)
    assert rules.as_of(free, after(9), once).value is None
    assert rules.as_of(free, after(10), once).value == 0
    silent = rules.as_of(free, after(60), once)
    assert (silent.value, silent.since, silent.run_value, silent.is_silent) == (None, None, None, True)
    assert rules.seen_of(free, after(60), once) == Seen(read_at=MORNING, is_silent=True)


def test_what_was_seen_before_a_silence_is_not_gone_on_with() -> None:
    seen = told(1, 1, 1, 1, 1, 1)
    again = told(1, known=seen, since=100)
    assert (again.value, again.run_value, again.run_readings, again.is_silent) == (None, 1, 1, False)


def test_what_says_nothing_new_is_written_four_times_within_the_silence() -> None:
    written = told(0, 0, 0, 0, 0, 0)
    same = told(0, 0, known=written, since=20)
    assert not rules.is_worth_writing(written, same, TUNING)
    assert rules.is_worth_writing(written, told(0, known=written, since=25), TUNING), "fifteen seconds after the last"
    assert rules.is_worth_writing(written, told(1, known=written, since=12), TUNING)
    assert rules.is_worth_writing(written, rules.noted(written, "ahead", MORNING), TUNING)


def test_a_fault_is_noted_once_a_minute_and_what_the_network_does_is_none() -> None:
    known = rules.noted(UNHEARD, "impossible", MORNING)
    assert (known.fault, known.fault_at) == ("impossible", MORNING)
    assert rules.noted(known, "impossible", after(59)) is known
    assert rules.noted(known, "old", after(1)).fault == "old"
    assert rules.noted(known, "repeated", after(99)) is rules.noted(known, "late", after(99)) is known


@pytest.mark.parametrize(
    ("status", "value", "minutes", "disagreement"),
    [
        ("free", 1, 1, None),
        ("free", 1, 2, "somebody"),
        ("free", 0, 60, None),
        ("occupied", 0, 14, None),
        ("occupied", 0, 15, "nobody"),
        ("occupied", 1, 60, None),
        ("turnover", 1, 60, None),
        ("closed", 1, 60, None),
        ("free", None, 60, None),
    ],
)
def test_a_disagreement_has_lasted_for_a_while(status: PlaceStatus, value: int | None, minutes: int, disagreement: str | None) -> None:
    place = Place(id=ROOM, site_id=SITE, kind="room", name="Room 1", status=status, since=MORNING)
    seen = Seen(value=value, since=None if value is None else after(-3600), read_at=MORNING)
    assert rules.seen_here(place, SENSOR_ID, seen, after(minutes * 60)).disagreement == disagreement
    if value is not None:
        lately = Seen(value=value, since=after(minutes * 60 - 60), read_at=MORNING)
        assert rules.seen_here(place, SENSOR_ID, lately, after(minutes * 60)).disagreement is None


SAID = st.lists(st.tuples(st.integers(0, 5), st.floats(0.1, 40)), min_size=1, max_size=60)
TUNINGS = st.builds(SensorTuning, hold_seconds=st.integers(0, 30), readings_least=st.integers(1, 5), silent_seconds=st.just(60))


@given(SAID, TUNINGS)
def test_what_is_shown_was_said_as_often_and_for_as_long_and_changes_no_faster(said: list[tuple[int, float]], tuning: SensorTuning) -> None:
    known, now, readings, changes = UNHEARD, 0.0, list[tuple[int, float]](), list[float]()
    for value, gap in said:
        now += gap
        before = known
        known = rules.heard(known, Read(value, after(now), None), tuning)
        readings.append((value, now))
        if known.value == before.value or known.value is None or known.since is None:
            continue
        changes.append(now)
        run = [each for each, at in readings if after(at) >= known.since]
        assert known.value in run
        assert len(run) >= tuning.readings_least
        assert after(now) - known.since >= timedelta(seconds=tuning.hold_seconds)
        if before.value is not None:
            assert all((each > before.value) == (known.value > before.value) and each != before.value for each in run)
            assert all(abs(each - before.value) >= abs(known.value - before.value) for each in run)
    assert all(later - earlier >= tuning.hold_seconds for earlier, later in pairwise(changes))


@given(SAID, TUNINGS, st.integers(0, 5))
def test_whoever_goes_on_saying_one_number_is_believed(said: list[tuple[int, float]], tuning: SensorTuning, number: int) -> None:
    """Within two runs: one that was on its way counts first."""
    known, now = UNHEARD, 0.0
    for value, gap in said:
        now += gap
        known = rules.heard(known, Read(value, after(now), None), tuning)
    for _ in range(2 * (tuning.readings_least + tuning.hold_seconds + 1)):
        now += 1
        known = rules.heard(known, Read(number, after(now), None), tuning)
    assert known.value == number
    assert (known.run_value, known.run_readings) == (None, 0)


@given(SAID, TUNINGS, st.data())
def test_repeats_and_what_comes_behind_change_nothing(said: list[tuple[int, float]], tuning: SensorTuning, data: st.DataObject) -> None:
    watching = replace(sensor(), tuning=tuning)
    known, now = UNHEARD, 0.0
    sent: list[Reading] = []
    for number, (value, gap) in enumerate(said):
        now += gap
        sent.append(Reading(value=value, at=after(now), sequence=number))
        read = rules.judged(sent[-1], known, watching, after(now))
        assert isinstance(read, Read)
        known = rules.heard(known, read, tuning)
        again = rules.judged(data.draw(st.sampled_from(sent)), known, watching, after(now))
        assert again in ("repeated", "late", "old")


@given(SAID, TUNINGS)
def test_a_copy_that_writes_only_what_is_worth_it_shows_the_same(said: list[tuple[int, float]], tuning: SensorTuning) -> None:
    known, written, now = UNHEARD, UNHEARD, 0.0
    for value, gap in said:
        now += gap
        known = rules.heard(known, Read(value, after(now), None), tuning)
        if rules.is_worth_writing(written, known, tuning):
            written = known
        shown, true = rules.seen_of(written, after(now), tuning), rules.seen_of(known, after(now), tuning)
        assert (shown.value, shown.since, shown.is_silent) == (true.value, true.since, true.is_silent)
