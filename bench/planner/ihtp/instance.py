"""An instance as arrays, and a plan as the competition writes it.

Rules and weights are those of Ceschia et al., Integrated Healthcare Timetabling Competition 2024 (problem definition on its site).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.planning import Ints

Json = Mapping[str, Any]
SHIFTS = 3
"""Of a day."""
OFF = -1
"""What a nurse may carry while not on duty."""


class Weights(NamedTuple):
    """What one unit of each wish costs that is not met."""

    age: int
    skill: int
    nurses: int
    load: int
    theatre: int
    transfer: int
    delay: int
    left: int


class Ward(NamedTuple):
    """The arrays. People are patients first, then those who are there already; a shift is `SHIFTS` times its day plus its place in it."""

    stay: Ints
    """[people] Days, cut off where the plan ends by whoever reads it."""
    gender: Ints
    age: Ints
    """[people] As the number of the group."""
    first: Ints
    """[patients] Days of admission that are allowed."""
    last: Ints
    must: npt.NDArray[np.bool_]
    surgery: Ints
    """[patients] Minutes."""
    surgeon: Ints
    allowed: npt.NDArray[np.bool_]
    """[patients, rooms]"""
    work: Ints
    """[people, shifts since admission] Load, and the skill that is needed."""
    needs: Ints
    beds: Ints
    surgeon_most: Ints
    """[surgeons, days] and [theatres, days]: minutes."""
    theatre_most: Ints
    skill: Ints
    """[nurses]"""
    most: Ints
    """[nurses, shifts] What a nurse may carry, or `OFF`."""
    on_duty: Ints
    """[shifts, nurses] Who is on duty; how many are stands in `on_duty_count`."""
    on_duty_count: Ints
    span: Ints
    """[2 to the number of groups] The widest difference of age within a set of groups."""
    there: Ints
    """[those there already] Their rooms."""
    weights: Weights
    days: int

    @property
    def patients(self) -> int:
        return len(self.first)


def ward_of(instance: Json) -> Ward:
    """The arrays of an instance."""
    days, patients = instance["days"], instance["patients"]
    rooms = _numbers(instance["rooms"])
    surgeons = _numbers(instance["surgeons"])
    people = [*patients, *instance["occupants"]]
    ages = {name: number for number, name in enumerate(instance["age_groups"])}
    allowed = np.ones((len(patients), len(rooms)), np.bool_)
    for number, patient in enumerate(patients):
        allowed[number, [rooms[room] for room in patient["incompatible_room_ids"]]] = False
    most = _most(instance)
    on_duty = [np.flatnonzero(most[:, shift] != OFF).tolist() for shift in range(days * SHIFTS)]
    return Ward(
        stay=_ints(each["length_of_stay"] for each in people), gender=_ints(each["gender"] == "B" for each in people),
        age=_ints(ages[each["age_group"]] for each in people), first=_ints(each["surgery_release_day"] for each in patients),
        last=_ints(each.get("surgery_due_day", days - 1) for each in patients),
        must=np.array([each["mandatory"] for each in patients]), surgery=_ints(each["surgery_duration"] for each in patients),
        surgeon=_ints(surgeons[each["surgeon_id"]] for each in patients), allowed=allowed,
        work=_padded([each["workload_produced"] for each in people]), needs=_padded([each["skill_level_required"] for each in people]),
        beds=_ints(room["capacity"] for room in instance["rooms"]),
        surgeon_most=np.array([each["max_surgery_time"] for each in instance["surgeons"]], np.int32),
        theatre_most=np.array([each["availability"] for each in instance["operating_theaters"]], np.int32),
        skill=_ints(nurse["skill_level"] for nurse in instance["nurses"]), most=most, on_duty=_padded(on_duty),
        on_duty_count=_ints(map(len, on_duty)), span=_ints(map(_span, range(1 << len(ages)))),
        there=_ints(rooms[each["room_id"]] for each in instance["occupants"]), weights=_weights(instance["weights"]), days=days,
    )  # fmt: skip


def written(instance: Json, admissions: Sequence[tuple[int, int, int]], nurses: Ints) -> dict[str, Any]:
    """A plan in the competition's form: day (none below 0), room and theatre of each patient; the nurse of each room and shift."""
    rooms, theatres = [room["id"] for room in instance["rooms"]], [each["id"] for each in instance["operating_theaters"]]
    patients = [
        {"id": patient["id"], "admission_day": day, "room": rooms[room], "operating_theater": theatres[theatre]}
        if day >= 0
        else {"id": patient["id"], "admission_day": "none"}
        for patient, (day, room, theatre) in zip(instance["patients"], admissions, strict=True)
    ]
    return {"patients": patients, "nurses": [_duties(instance, nurse, nurses == number) for number, nurse in enumerate(instance["nurses"])]}


def _duties(instance: Json, nurse: Json, serves: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """What one nurse does: which rooms in which shift."""
    duties = [
        {
            "day": int(shift) // SHIFTS,
            "shift": instance["shift_types"][shift % SHIFTS],
            "rooms": [instance["rooms"][room]["id"] for room in np.flatnonzero(serves[:, shift])],
        }
        for shift in np.flatnonzero(serves.any(axis=0))
    ]
    return {"id": nurse["id"], "assignments": duties}


def _most(instance: Json) -> Ints:
    most = np.full((len(instance["nurses"]), instance["days"] * SHIFTS), OFF, np.int32)
    for number, nurse in enumerate(instance["nurses"]):
        for duty in nurse["working_shifts"]:
            most[number, duty["day"] * SHIFTS + instance["shift_types"].index(duty["shift"])] = duty["max_load"]
    return most


def _weights(given: Json) -> Weights:
    return Weights(
        age=given["room_mixed_age"], skill=given["room_nurse_skill"], nurses=given["continuity_of_care"],
        load=given["nurse_eccessive_workload"], theatre=given["open_operating_theater"], transfer=given["surgeon_transfer"],
        delay=given["patient_delay"], left=given["unscheduled_optional"],
    )  # fmt: skip


def _span(groups: int) -> int:
    """Between the lowest and the highest bit."""
    return groups.bit_length() - (groups & -groups).bit_length()


def _numbers(named: Sequence[Json]) -> dict[str, int]:
    return {each["id"]: number for number, each in enumerate(named)}


def _padded(rows: Sequence[Sequence[int]]) -> Ints:
    padded = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded


def _ints(values: Any) -> Ints:
    return np.array(list(values), np.int32)
