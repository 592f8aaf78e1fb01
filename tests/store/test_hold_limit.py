"""Nobody hoards time: the limit on a patient's holds stands however many are asked for at once."""

import asyncio

from carewright.contracts.scheduling import Appointment, HoldLimitReached
from tests.scheduling_hospital import Hospital

ASKED = 12


async def test_holds_asked_for_at_once_in_two_processes_stay_within_the_limit(hospital: Hospital) -> None:
    limit = hospital.desk().settings.holds_per_patient_max
    free = (await hospital.starts())[::3][:ASKED]
    assert len(free) > limit
    asked = [hospital.hold(start, process=hospital.here if number % 2 else hospital.there) for number, start in enumerate(free)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Appointment) for answer in answers) == limit, answers
    assert sum(isinstance(answer, HoldLimitReached) for answer in answers) == len(free) - limit, {
        type(answer).__name__ for answer in answers
    }
    await hospital.ensure_sound()
