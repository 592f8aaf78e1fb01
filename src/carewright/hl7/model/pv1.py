"""The visit of a message: PV1, as far as we keep it (HL7 v2.8.2, 3.4.3).

Source of what it becomes: HL7 v2-to-FHIR (https://build.fhir.org/ig/HL7/v2-to-fhir), Segment PV1 to Encounter.
"""

from collections.abc import Mapping

import msgspec

from carewright.contracts.directory import Coding
from carewright.hl7.model.codes import Coded
from carewright.hl7.model.message import Message

ACT_CODES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PATIENT_CLASSES = "http://terminology.hl7.org/CodeSystem/v2-0004"
PARTICIPATIONS = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CLASSES: Mapping[str, str] = {"E": "EMER", "I": "IMP", "O": "AMB", "P": "PRENC"}
"""Table 0004; a class without a target stays what the sender calls it."""
ROLES: Mapping[int, str] = {7: "ATND", 8: "REF", 9: "CON", 17: "ADM"}
"""Fields of PV1 that name a doctor, and as what the doctor takes part."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of a visit. `number` is the sender's own; times are as they were written. Everything may be empty."""

    number: Coded
    encounter_class: Coding
    is_planned: bool
    places: tuple[str, ...]
    staff: tuple[tuple[str, Coded], ...]
    start: str
    end: str


def visit_in(message: Message) -> Visit | None:
    """The visit; None where the message has none, or no number by which it could be known again."""
    pv1, value = message.first("PV1"), message.value
    number = pv1.field(19)
    if not value(number):
        return None
    code = value(pv1.field(2)).upper() or "U"
    return Visit(
        number=Coded(value(number), *(value(number, 4, sub) for sub in (1, 2, 3))),
        encounter_class=Coding(system=ACT_CODES if code in CLASSES else PATIENT_CLASSES, code=CLASSES.get(code, code)),
        is_planned=code == "P", places=_places(message, pv1.field(3)),
        staff=tuple((role, _doctor(message, each)) for field, role in ROLES.items() for each in message.repetitions(pv1.field(field))),
        start=value(pv1.field(44)), end=value(pv1.field(45)),
    )  # fmt: skip


def _places(message: Message, field: str) -> tuple[str, ...]:
    """A PL from the bed to the hospital, as tables may have it: `FACILITY^WARD^ROOM^BED`, `FACILITY^WARD`, each alone, and who sends."""
    ward, room, bed, facility = (message.value(field, part) for part in (1, 2, 3, 4))
    named = ("^".join(filter(None, parts)) for parts in ((facility, ward, room, bed), (facility, ward)))
    return tuple(dict.fromkeys(filter(None, (*named, ward, facility, message.text("MSH", 4)))))


def _doctor(message: Message, field: str) -> Coded:
    """An XCN: the assigner stands in its ninth component."""
    return Coded(message.value(field), *(message.value(field, 9, sub) for sub in (1, 2, 3)))
