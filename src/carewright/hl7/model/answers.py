"""Acknowledgements: MSA and ERR (HL7 v2.8.2, 2.9 and 2.15), in the sender's own version and with the codes of table 0357."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.contracts.hl7 import NotHl7
from carewright.hl7.model.delimiters import Delimiters
from carewright.hl7.model.message import Message, Segment, parse, written
from carewright.hl7.model.when import stamp_of

Code = Literal["AA", "AE", "AR"]
COMMIT = {"AA": "CA", "AE": "CE", "AR": "CR"}
"""What an accept acknowledgement says instead, in enhanced mode."""
NEVER, ALWAYS, ERRORS, SUCCESS = "NE", "AL", "ER", "SU"
STRUCTURED = "2.5"
HEADER_BYTES_MAX, HEADER_FIELDS = 2_000, 12
"""From here on ERR has fields of its own; before, one with components (ERR-1)."""
CONDITIONS = {
    "hl7.type": ("200", "Unsupported message type", "MSH^1^9^1^1"),
    "hl7.event": ("201", "Unsupported event code", "MSH^1^9^1^2"),
    "hl7.processing": ("202", "Unsupported processing id", "MSH^1^11"),
    "hl7.version": ("203", "Unsupported version id", "MSH^1^12"),
    "hl7.control_id": ("101", "Required field missing", "MSH^1^10"),
    "hl7.missing": ("101", "Required field missing", ""),
    "hl7.time": ("102", "Data type error", ""),
    "hl7.unmapped": ("103", "Table value not found", ""),
    "hl7.unknown_appointment": ("204", "Unknown key identifier", "SCH^1^2"),
    "hl7.unknown_patient": ("204", "Unknown key identifier", "PID^1^3"),
    "hl7.not_hl7": ("100", "Segment sequence error", ""),
}
OTHERS = ("207", "Application error", "")


class Answer(msgspec.Struct, frozen=True):
    """What became of a message: AA applied, AE not applied and on the work list, AR refused. `reason` is a code of ours."""

    code: Code
    message_id: UUID
    reason: str = ""


def acknowledged(message: Message, answer: Answer, now: datetime) -> bytes | None:
    """The acknowledgement of `message`; None where its sender wants none (MSH-15 and MSH-16, enhanced mode)."""
    accept, application = message.text("MSH", 15), message.text("MSH", 16)
    code: str = answer.code
    if accept and application in ("", NEVER):
        if not _wanted(accept, answer.code):
            return None
        code = COMMIT[answer.code]
    elif application and not _wanted(application, answer.code):
        return None
    delimiters = message.delimiters
    version = message.text("MSH", 12) or "2.5.1"
    segments = [_header(message, answer, version, now), Segment("MSA", (code, delimiters.escaped(message.control_id)))]
    if answer.code != "AA":
        segments.append(_error(delimiters, answer.reason, version))
    return written(Message(delimiters, tuple(segments)))


def header_in(raw: bytes) -> Message:
    """As much of a header as can be made out of what could not be read, so that its sender knows which message was refused."""
    line = raw.lstrip(b"\xef\xbb\xbf\x0b \t\r\n").replace(b"\n", b"\r").partition(b"\r")[0][:HEADER_BYTES_MAX]
    before_charset = line[3:4].join(line.split(line[3:4])[:HEADER_FIELDS]) if len(line) > len("MSH") else b""
    try:
        return parse(before_charset)
    except NotHl7:
        return Message(Delimiters(), (Segment("MSH", (Delimiters().encoding,)),))


def _wanted(condition: str, code: Code) -> bool:
    return condition == ALWAYS or (condition == SUCCESS and code == "AA") or (condition == ERRORS and code != "AA")


def _header(message: Message, answer: Answer, version: str, now: datetime) -> Segment:
    d, text = message.delimiters, message.text
    ours, theirs = (text("MSH", 5), text("MSH", 6)), (text("MSH", 3), text("MSH", 4))
    event = message.kind[1]
    kind = ["ACK", event, "ACK" if version >= "2.4" else ""] if event else ["ACK"]
    own_id = answer.message_id.hex[12:]
    fields = (*ours, *theirs, stamp_of(now), "", kind, own_id, text("MSH", 11) or "P", version)
    return Segment("MSH", (d.encoding, *(d.composed(each) for each in fields)))


def _error(d: Delimiters, reason: str, version: str) -> Segment:
    code, words, place = CONDITIONS.get(reason, OTHERS)
    if version < STRUCTURED:
        return Segment("ERR", (d.composed([*(*place.split("^"), "", "", "")[:3], [code, words]]),))
    where = d.composed(place.split("^")) if place else ""
    return Segment("ERR", ("", where, d.composed([code, words, "HL70357"]), "E", d.composed([reason[:200]])))
