"""The patients, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from unicodedata import combining, normalize
from uuid import UUID

import numpy as np

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, Gender, Patient
from carewright.simulation.hospital.arrays import Bytes, Flags, Floats, Ints, uuids_of
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.people import FAMILY, FEMALE, GENDERS, GIVEN, LANGUAGES, People, invent
from carewright.simulation.hospital.places import IDENTIFIERS
from carewright.simulation.hospital.plan import Comes

MRN_SYSTEM = f"{IDENTIFIERS}:mrn"
_EPOCH = date(1970, 1, 1)

# Share of patients up to an age: many small children, many over fifty, few over ninety.
_AGES = (0, 1, 5, 18, 30, 45, 60, 75, 85, 95, 102)
_UP_TO = (0.0, 0.025, 0.075, 0.17, 0.30, 0.46, 0.67, 0.88, 0.965, 0.998, 1.0)
_GENDER_SHARES = (0.532, 0.460, 0.004, 0.004)

# Numbers 555-0100 to 555-0199 are reserved for fiction in every area code of the North American numbering plan.
_AREAS = (202, 212, 215, 312, 404, 410, 502, 513, 607, 614, 615, 646)
_WITHOUT_PHONE, _WITHOUT_EMAIL = 0.02, 0.18

GROUPS: tuple[Comes, ...] = ("anyone", "adult", "child", "senior", "woman", "woman-40", "adult-45")
PatientGroups = tuple[Ints, ...]
"""For each of `GROUPS` the numbers of the patients in it."""

PatientRecord = tuple[UUID, str, list[str], date, Gender, str, str | None, str | None, str]


@dataclass(frozen=True)
class Patients:
    """All patients: ids (rows of 16 bytes), persons, birth dates as days since 1970-01-01, and what they can be reached by."""

    ids: Bytes
    people: People
    birth_day: Ints
    phone: Ints
    email: Flags

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def uuids(self) -> list[UUID]:
        return uuids_of(self.ids)

    def records(self) -> Iterator[PatientRecord]:
        """(id, family, given, birth date, gender, language, phone or None, e-mail or None, medical record number)."""
        for number, (patient_id, family, given, born, gender, language, phone, email) in enumerate(
            zip(
                self.uuids,
                self.people.family_names,
                self.people.given_names,
                self._births(),
                self.people.gender.tolist(),
                self.people.language.tolist(),
                self.phone.tolist(),
                self.email.tolist(),
                strict=True,
            ),
            1,
        ):
            address = f"{_ASCII[given[0]]}.{_ASCII[family]}.{number}@example.org" if email else None
            yield (
                patient_id,
                family,
                list(given),
                born,
                GENDERS[gender],
                LANGUAGES[language],
                _phone(phone) if phone >= 0 else None,
                address,
                f"MRN-{number:07d}",
            )

    def structs(self) -> Iterator[Patient]:
        """The same as values of the patients module's language."""
        for patient_id, family, given, born, gender, language, phone, email, mrn in self.records():
            telecom = [ContactPoint(system="phone", value=phone)] if phone else []
            telecom += [ContactPoint(system="email", value=email)] if email else []
            yield Patient(
                id=patient_id,
                family=family,
                given=tuple(given),
                birth_on=born,
                gender=gender,
                language=language,
                telecom=tuple(telecom),
                identifiers=(Identifier(system=MRN_SYSTEM, value=mrn),),
            )

    def _births(self) -> list[date]:
        days = range(int(self.birth_day.min()), int(self.birth_day.max()) + 1)
        dates = [_EPOCH + timedelta(days=day) for day in days]
        return [dates[day - days[0]] for day in self.birth_day.tolist()]


def build_patients(draw: Draw, count: int, on: date) -> tuple[Patients, PatientGroups]:
    """`count` patients, and who of them may come to what on a date."""
    people = invent(draw, count, draw.weighted(_GENDER_SHARES, count))
    years = np.interp(draw.units(count), _UP_TO, _AGES)
    phone = draw.below(np.full(count, len(_AREAS) * 100))
    phone[draw.units(count) < _WITHOUT_PHONE] = -1
    patients = Patients(
        ids=draw.ids(count),
        people=people,
        birth_day=(on - _EPOCH).days - (years * 365.2425).astype(np.int64),
        phone=phone,
        email=draw.units(count) >= _WITHOUT_EMAIL,
    )
    return patients, tuple(np.flatnonzero(_belongs(group, years, people.gender)) for group in GROUPS)


def _belongs(group: Comes, years: Floats, gender: Ints) -> Flags:
    woman = gender == FEMALE
    rules: dict[Comes, Flags] = {
        "anyone": years >= 0,
        "adult": years >= 18,
        "child": years < 17.5,
        "senior": years >= 65,
        "woman": woman & (years >= 16),
        "woman-40": woman & (years >= 40),
        "adult-45": years >= 45,
    }
    return rules[group]


def _phone(number: int) -> str:
    return f"+1-{_AREAS[number // 100]}-555-01{number % 100:02d}"


def _ascii(name: str) -> str:
    plain = "".join(letter for letter in normalize("NFD", name.replace("Đ", "D").replace("đ", "d")) if not combining(letter))
    return plain.lower()


_ASCII = {name: _ascii(name) for name in (*FAMILY.words, *GIVEN.words)}
