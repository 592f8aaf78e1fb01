"""The order of messages that come together: what each touches, which go at once, and that turns come as they were asked for."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.hl7.context import Turns
from carewright.hl7.model.message import parse
from carewright.hl7.model.order import TOGETHER_MAX, Read, runs_of, things_in
from carewright.hl7.model.when import span_of
from tests.unit.hl7.samples import SIU

THINGS = st.lists(st.tuples(st.frozensets(st.sampled_from("abcd"), min_size=1), st.integers(0, 3), st.booleans()), max_size=12)
"""For each comer: what it comes for, how long it takes, and whether it goes away before it is through."""


def read(event: str) -> Read:
    kind = f"ADT^{event}" if event.startswith("A") else f"SIU^{event}"
    raw = f"MSH|^~\\&|A|B|C|D|20260101||{kind}|1|P|2.5\r".encode()
    return Read(raw, parse(raw))


@pytest.mark.parametrize(
    ("events", "lengths"),
    [
        (["S12", "A28", "A08", "S12"], [4]),
        (["S12", "S15", "S12", "S12"], [1, 1, 2]),
        (["S23", "S13", "A40", "S12"], [1, 1, 1, 1]),
        (["S12"] * (TOGETHER_MAX + 1), [TOGETHER_MAX, 1]),
        ([], []),
    ],
)
def test_what_may_free_or_close_time_goes_alone(events: Sequence[str], lengths: Sequence[int]) -> None:
    messages = [read(event) for event in events]
    runs = list(runs_of(messages))
    assert [len(run) for run in runs] == lengths
    assert [each for run in runs for each in run] == messages


def test_a_message_touches_its_appointment_its_patient_and_whom_it_asks_for() -> None:
    kinds = {thing[0] for thing in things_in(parse(SIU))}
    assert kinds == {"appointment", "patient", "practitioner"}
    assert things_in(read("S12").message) == frozenset()


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("20261101100500", "20261101090500", "20261101090501"),
        ("202611011005", "20261101090500", "20261101090600"),
        ("20261101", "20261031230000", "20261101230000"),
        ("20261025023000", "20261025003000", "20261025013001"),  # comes twice in Berlin
        ("20261025023000+0200", "20261025003000", "20261025003001"),
    ],
)
def test_a_stamp_is_all_the_time_that_it_may_be(text: str, earliest: str, latest: str) -> None:
    span = span_of(text, [ZoneInfo("Europe/Berlin")])
    assert span
    assert [f"{each:%Y%m%d%H%M%S}" for each in span] == [earliest, latest]


def test_a_stamp_without_a_zone_may_be_of_any_of_the_sites_and_nonsense_is_of_no_time() -> None:
    zones = [ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")]
    assert span_of("20260701120000", zones) == (datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 16, 0, 1, tzinfo=UTC))
    assert [span_of(text, zones) for text in ("", "20261301", "yesterday", "00010101")] == [None] * 4
    assert span_of("20260701120000", []) is None


@given(THINGS)
def test_whoever_came_first_for_a_thing_goes_first_and_has_it_alone(comers: list[tuple[frozenset[str], int, bool]]) -> None:
    asyncio.run(_taking_turns(comers))


async def _taking_turns(comers: list[tuple[frozenset[str], int, bool]]) -> None:
    turns, within, came = Turns(), set[str](), dict[str, list[int]]()

    async def come(number: int, things: frozenset[str], steps: int) -> None:
        async with turns.of(things):
            assert not within & things
            within.update(things)
            for thing in things:
                came.setdefault(thing, []).append(number)
            try:
                for _ in range(steps):
                    await asyncio.sleep(0)
            finally:
                within.difference_update(things)

    tasks = [asyncio.create_task(come(number, things, steps)) for number, (things, steps, _) in enumerate(comers)]
    await asyncio.sleep(0)
    for task, (_, _, leaves) in zip(tasks, comers, strict=True):
        if leaves:
            task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(each is None or isinstance(each, asyncio.CancelledError) for each in done)
    assert all(numbers == sorted(numbers) for numbers in came.values())
    stayed = {number for number, (_, _, leaves) in enumerate(comers) if not leaves}
    assert stayed <= {number for numbers in came.values() for number in numbers}
    assert not turns._queues
