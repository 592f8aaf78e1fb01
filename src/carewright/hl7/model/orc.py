"""The orders of a message: ORC with its OBR and TQ1, as far as we keep them (HL7 v2.8.2, 4.5.1, 4.5.3, 4.5.4).

Source of what they become: HL7 v2-to-FHIR (https://build.fhir.org/ig/HL7/v2-to-fhir), Segments ORC and OBR to ServiceRequest.
"""

from collections.abc import Iterator, Mapping

import msgspec

from carewright.contracts.directory import Coding
from carewright.contracts.orders import Priority, RequestStatus
from carewright.hl7.model.codes import Coded
from carewright.hl7.model.message import Message, Segment

STATUSES: Mapping[str, RequestStatus] = {
    "NW": "active", "OK": "active", "RL": "active", "OE": "active", "SN": "active", "RP": "active", "RO": "active", "AF": "active",
    "CA": "revoked", "OC": "revoked", "CR": "revoked", "DC": "revoked", "OD": "revoked", "DR": "revoked", "UA": "revoked",
    "HD": "on-hold", "OH": "on-hold", "HR": "on-hold",
}  # fmt: skip
"""What an order control (table 0119) makes of an order."""
REPORTED: Mapping[str, RequestStatus] = {
    "A": "active", "IP": "active", "SC": "active", "CM": "completed", "CA": "revoked", "DC": "revoked", "RP": "revoked", "HD": "on-hold",
    "ER": "entered-in-error",
}  # fmt: skip
"""What an order is said to be (table 0038), where its control asks for nothing."""
PRIORITIES: Mapping[str, Priority] = {"S": "stat", "A": "asap", "R": "routine", "P": "routine", "C": "urgent", "T": "urgent"}
"""Table 0485, as the v2-to-FHIR map has it; others are left out."""
SYSTEMS: Mapping[str, str] = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct", "C4": "http://www.ama-assn.org/go/cpt"}
"""Table 0396. Another code system is told by the name that its sender gives it."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of one order. Times are as they were written. What is None or empty it does not say."""

    placer: Coded | None
    filler: Coded | None
    status: RequestStatus | None
    priority: Priority | None
    code: Coding | None
    requester: Coded | None
    requester_name: str
    written: str
    wanted: str
    reason: str


def orders_in(message: Message) -> list[Order]:
    """Those that have a number by which they could be known again."""
    found = [_order(message, group) for group in _groups(message)]
    return [each for each in found if each.placer or each.filler]


def _groups(message: Message) -> Iterator[Mapping[str, Segment]]:
    """The first of each segment of an order; an ORC begins the next."""
    group: dict[str, Segment] = {}
    for segment in message.segments:
        if segment.name == "ORC" and group:
            yield group
            group = {}
        if segment.name == "ORC" or group:
            group.setdefault(segment.name, segment)
    if group:
        yield group


def _order(message: Message, group: Mapping[str, Segment]) -> Order:
    value = message.value
    orc, obr, tq1 = (group.get(name, Segment(name)) for name in ("ORC", "OBR", "TQ1"))
    who = orc.field(12) or obr.field(16)
    priority = value(tq1.field(9)) or value(orc.field(7), 6) or value(obr.field(27), 6) or value(obr.field(5))
    return Order(
        placer=_number(message, orc.field(2) or obr.field(2)), filler=_number(message, orc.field(3) or obr.field(3)),
        status=STATUSES.get(value(orc.field(1)).upper()) or REPORTED.get(value(orc.field(5)).upper()),
        priority=PRIORITIES.get(priority.upper()[:1]), code=_code(message, obr.field(4)), requester=_person(message, who),
        requester_name=" ".join(filter(None, (value(who, 6), value(who, 3), value(who, 2)))), written=value(orc.field(9)),
        wanted=value(tq1.field(7)) or value(orc.field(7), 4) or value(obr.field(27), 4) or value(obr.field(6)),
        reason=value(obr.field(31), 2) or value(obr.field(31)) or value(orc.field(16), 2) or value(orc.field(16)),
    )  # fmt: skip


def _number(message: Message, field: str) -> Coded | None:
    """An EI: the number and who assigned it."""
    return Coded(*(message.value(field, part) for part in (1, 2, 3, 4))) if message.value(field) else None


def _person(message: Message, field: str) -> Coded | None:
    """An XCN: the assigner stands in its ninth component."""
    return Coded(message.value(field), *(message.value(field, 9, sub) for sub in (1, 2, 3))) if message.value(field) else None


def _code(message: Message, field: str) -> Coding | None:
    code, display, system = (message.value(field, part)[:200] for part in (1, 2, 3))
    if not (code or display):
        return None
    return Coding(system=SYSTEMS.get(system, f"urn:id:{system}" if system else ""), code=code, display=display)
