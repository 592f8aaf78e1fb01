"""What a scheduling message asks for (HL7 v2.8.2, 10.6): SCH, AIS, AIG, AIL, AIP and TQ1, wherever a sender puts what we need."""

import msgspec

from carewright.hl7.model.codes import Coded
from carewright.hl7.model.message import Message, Segment

MINUTES = {"": 1, "MIN": 1, "M": 1, "S": 0, "SEC": 0, "H": 60, "HR": 60}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """`ids` are the sender's own of the appointment, the filler's first. Codes are in the order in which they are looked up.

    `calendars` are a device's (AIG-3), a room's or bed's (AIL-3), and else those of `places`.
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    places: tuple[str, ...]
    calendars: tuple[str, ...]
    practitioners: tuple[Coded, ...]
    start: str
    end: str
    minutes: int | None
    reason: str
    status: str
    based_on: str


def wish_in(message: Message) -> Wish:
    """What the message asks for. Everything may be empty."""
    text = message.text
    return Wish(
        ids=ids_in(message),
        kinds=_given(text("AIS", 3), text("SCH", 8), text("SCH", 7)),
        places=_places(message), calendars=_given(text("AIG", 3), text("AIL", 3, 2), text("AIL", 3, 3), *_places(message)),
        practitioners=practitioners_in(message),
        start=next(iter(_given(text("SCH", 11, 4), text("TQ1", 7), text("AIS", 4), text("AIP", 6), text("AIL", 6), text("AIG", 8))), ""),
        end=next(iter(_given(text("SCH", 11, 5), text("TQ1", 8))), ""),
        minutes=_minutes(message), reason=text("SCH", 6), status=text("SCH", 25).upper(),
        based_on=text("SCH", 26) or text("SCH", 27),
    )  # fmt: skip


def ids_in(message: Message) -> tuple[str, ...]:
    """The sender's own ids of the appointment, the filler's first."""
    sch = message.first("SCH")
    return tuple(dict.fromkeys(filter(None, (_entity(message, sch.field(2)), _entity(message, sch.field(1))))))


def practitioners_in(message: Message) -> tuple[Coded, ...]:
    """Whom the message asks for by name."""
    return tuple(_coded(message, each) for each in message.all("AIP") if message.value(each.field(3)))


def _places(message: Message) -> tuple[str, ...]:
    """AIL's facility by name and by universal id, its point of care, both, and the sender's facility."""
    facility, unit = message.text("AIL", 3, 4), message.text("AIL", 3, 1)
    return _given(facility, message.text("AIL", 3, 4, 2), unit, "^".join(filter(None, (facility, unit))), message.text("MSH", 4))


def _given(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _entity(message: Message, field: str) -> str:
    """An entity identifier with its assigner, so that two systems' numbers differ; empty where there is no number."""
    return "^".join(message.value(field, part) for part in range(1, 5)) if message.value(field) else ""


def _coded(message: Message, segment: Segment) -> Coded:
    """AIP-3, an XCN: the assigner stands in its ninth component."""
    who = segment.field(3)
    return Coded(message.value(who), *(message.value(who, 9, sub) for sub in (1, 2, 3)))


def _minutes(message: Message) -> int | None:
    """How long it takes, where the message says so in minutes or hours."""
    pairs = [(("SCH", 9), ("SCH", 10)), (("AIS", 7), ("AIS", 8)), (("AIP", 9), ("AIP", 10)), (("AIL", 9), ("AIL", 10))]
    for (name, number), (_, unit) in pairs:
        length, times = message.text(name, number), MINUTES.get(message.text(name, unit).upper(), 0)
        if length.isdecimal() and len(length) < 5 and times:
            return int(length) * times
    return None
