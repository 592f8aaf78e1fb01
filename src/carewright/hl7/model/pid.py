"""Who a message is about: PID, as far as we keep it (HL7 v2.8.2, 3.4.2)."""

from typing import Literal

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import ContactPoint, Patient, RegisterPatient
from carewright.hl7.model.codes import Coded
from carewright.hl7.model.message import Message
from carewright.hl7.model.when import day_of

PASSED_OVER = frozenset({"SS", "DL", "PPN", "TAX", "NI"})
"""Types of identifiers (table 0203) that we do not keep: social security, driving licence, passport, tax, national."""
GENDERS: dict[str, Literal["male", "female", "other", "unknown"]] = {
    "M": "male",
    "F": "female",
    "O": "other",
    "A": "other",
    "N": "other",
    "X": "other",
    "U": "unknown",
}
"""Table 0001."""
IDENTIFIERS_MAX, TELECOM_MAX = 20, 10
EMAIL = ("NET", "X.400")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of a patient. What is empty it does not say; `cleared` names what it says is gone."""

    identifiers: tuple[Coded, ...]
    family: str = ""
    given: tuple[str, ...] = ()
    birth: str = ""
    gender: str = ""
    telecom: tuple[ContactPoint, ...] = ()
    is_dead: bool = False
    cleared: frozenset[str] = frozenset()


def person_in(message: Message) -> Person:
    """The patient of a message; nobody with an identifier where it has no PID."""
    pid, text = message.first("PID"), message.text
    name = pid.field(5)
    given = (message.value(name, 2), *message.value(name, 3).split())
    return Person(
        identifiers=_identifiers(message), family=message.value(name, 1), given=tuple(one for one in given if one)[:10],
        birth=text("PID", 7),
        gender=text("PID", 8), telecom=_telecom(message), is_dead=text("PID", 30) == "Y",
        cleared=frozenset(what for what, field in (("birth_on", 7), ("gender", 8), ("telecom", 13)) if message.is_cleared("PID", field)),
    )  # fmt: skip


def registered(person: Person, identifiers: tuple[Identifier, ...]) -> RegisterPatient:
    """A new record."""
    return RegisterPatient(
        family=person.family, given=person.given, birth_on=day_of(person.birth), gender=GENDERS.get(person.gender),
        telecom=person.telecom, identifiers=identifiers,
    )  # fmt: skip


def updated(patient: Patient, person: Person, identifiers: tuple[Identifier, ...]) -> Patient:
    """The record after the message: what it does not say stays, identifiers are only added, and whoever has died is not active."""
    said = {
        "family": person.family, "given": person.given, "birth_on": day_of(person.birth), "gender": GENDERS.get(person.gender),
        "telecom": person.telecom,
    }  # fmt: skip
    gone: dict[str, object] = {name: () if name == "telecom" else None for name in person.cleared}
    changes = {**{name: value for name, value in said.items() if value}, **gone}
    known = tuple(dict.fromkeys((*patient.identifiers, *identifiers)))
    active = patient.active and not person.is_dead
    return msgspec.structs.replace(patient, identifiers=known, active=active, **changes)


def _identifiers(message: Message) -> tuple[Coded, ...]:
    """PID-3, and PID-2 where an old sender has nothing else."""
    pid = message.first("PID")
    return coded_in(message, pid.field(3) or pid.field(2))


def coded_in(message: Message, field: str) -> tuple[Coded, ...]:
    """The identifiers of a field of CXs that we keep."""
    found = []
    for each in message.repetitions(field):
        if message.value(each, 5) not in PASSED_OVER and message.value(each):
            authority = tuple(message.value(each, 4, sub) for sub in (1, 2, 3))
            found.append(Coded(message.value(each), authority[0], authority[1], authority[2]))
    return tuple(dict.fromkeys(found))[:IDENTIFIERS_MAX]


def _telecom(message: Message) -> tuple[ContactPoint, ...]:
    pid, found = message.first("PID"), []
    for each in (*message.repetitions(pid.field(13)), *message.repetitions(pid.field(14))):
        email = message.value(each, 4) or (message.value(each, 1) if "@" in message.value(each, 1) else "")
        phone = message.value(each, 12) or message.value(each, 1) or "".join(message.value(each, part) for part in (5, 6, 7))
        if email:
            found.append(ContactPoint(system="email", value=email))
        elif phone and message.value(each, 3) not in EMAIL:
            found.append(ContactPoint(system="phone", value=phone))
    return tuple(dict.fromkeys(found))[:TELECOM_MAX]
