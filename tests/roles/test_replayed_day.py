"""A day of the demonstration hospital, lived through its API: nobody is lost.

That of the tiny hospital here; the day of 4,500 appointments, 600 who walk in and 150 emergencies, two hundred times as fast as
it would be, takes some six minutes:

    CAREWRIGHT_TEST_DAY=full make test ARGS="--tier roles -- -k replayed_day"
"""

import asyncio
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fast_time.clock import FastTime
from tests.replay.hospital import Hospital
from tests.replay.people import Person
from tests.system import ROOT, own_folder, started

SEED = 20_261_127
ZONE = ZoneInfo("America/New_York")
SIZES = {"tiny": (270, 40, 10, 800.0), "full": (4_500, 600, 150, 200.0)}
"""How many are booked, how many walk in, how many are emergencies, and how many times as fast as the machine's their clock runs."""
SIZE = os.environ.get("CAREWRIGHT_TEST_DAY", "tiny")
BEFORE_OPENING = timedelta(hours=5, minutes=30)
MONDAY = 0
TOLD_SECONDS = 30.0
LOADED_SECONDS_MAX = 600.0
SHOWN_MAX = 3


def next_monday() -> datetime:
    """Its midnight in the hospital: a full weekday."""
    today = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=(MONDAY - today.weekday()) % 7 or 7)


async def test_after_a_replayed_day_everybody_is_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    midnight = next_monday()
    appointments, walk_ins, emergencies, rate = SIZES[SIZE]
    with own_folder() as folder:
        fast = FastTime((midnight + BEFORE_OPENING).astimezone(UTC), rate, folder / "begun")
        path = ":".join(str(each) for each in (ROOT / "tests" / "fast_time", ROOT / "src", ROOT))
        environ = fast.environ() | {"PYTHONPATH": path}
        async with started(
            folder / "data", "--demo-size", SIZE, "--port", "0", environ=environ, within_seconds=LOADED_SECONDS_MAX
        ) as system:
            hospital = Hospital(system, fast, random.Random(SEED), midnight)
            await hospital.open(appointments, walk_ins, emergencies)
            with capsys.disabled():
                print(f"\n{len(hospital.people)} people, {len(hospital.queue_ids)} queues", flush=True)
                began = time.monotonic()
                fast.begin()
                teller = asyncio.create_task(tell(hospital, fast))
                try:
                    await hospital.play()
                except TimeoutError:
                    lost = [each for each in hospital.people if each.end is None]
                    how = Counter((each.kind, each.status or "checked in, and nobody called") for each in lost)
                    raise AssertionError(f"lost: {dict(how)}, such as {lost[:SHOWN_MAX]}") from None
                finally:
                    teller.cancel()
                took = time.monotonic() - began
                print(f"{hospital.asked} questions, {hospital.asked / took:.0f} a second; {dict(hospital.refused)}", flush=True)
            await everybody_is_accounted_for(hospital)


async def tell(hospital: Hospital, fast: FastTime) -> None:
    while True:
        ends = Counter(each.end or "here or to come" for each in hospital.people)
        print(f"{fast.now().astimezone(ZONE):%H:%M} {dict(ends)}", flush=True)
        await asyncio.sleep(TOLD_SECONDS)


async def everybody_is_accounted_for(hospital: Hospital) -> None:
    """What the API says of everybody is how their day ended."""
    planned = {each.appointment_id: each for each in hospital.people if each.appointment_id}
    stored = {each["id"]: each["status"] for each in await hospital.appointments()}
    assert stored.keys() == planned.keys()
    assert {each: status for each, status in stored.items() if status != status_of(planned[each])} == {}
    for queue_id in hospital.queue_ids:
        entries = await hospital.entries(queue_id)
        assert (entries["active"], entries["waiting"]) == ([], [])
    for person in hospital.people:
        turns = [await hospital.entry(each) for each in person.entry_ids]
        assert [each["status"] for each in turns] == ["transferred"] * (len(turns) - 1) + ([] if person.end == "noshow" else [person.end])


def status_of(person: Person) -> str:
    return "noshow" if person.end == "noshow" else "fulfilled"
