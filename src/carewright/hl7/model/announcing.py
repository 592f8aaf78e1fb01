"""The SIU messages that we send: MSH, SCH, PID, RGS, AIS, AIG, AIL, AIP, in the order of SIU_S12 (HL7 v2.5.1, 10.4).

Every event from S12 to S26 has that structure. Of time that is blocked, or open again (10.4.12, 10.4.13), they name no patient or service.

Strict: whatever the standard requires is there, in the version of the partner. Times are UTC with their offset.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec

from carewright.contracts.directory import ActorKind, Identifier
from carewright.contracts.hl7 import NotHl7, Partner
from carewright.contracts.patients import ContactPoint, Patient
from carewright.hl7.model.charset import CODECS
from carewright.hl7.model.codes import SCHEMES
from carewright.hl7.model.delimiters import Delimiters
from carewright.hl7.model.message import Message, Segment, written
from carewright.hl7.model.strict import ensure_whole
from carewright.hl7.model.triggers import ACTIONS
from carewright.hl7.model.when import stamp_of

D = Delimiters()
OURS = "CAREWRIGHT"
MINUTES = D.composed(["MIN", "Minutes"])
ORDERS, FREE_TELEPHONES = "2.4", "2.5"
ID_DIGITS, PERSON_DIGITS = 20, 15
"""As many letters as CE.1 and XCN.1 take (2.A.3, 2.A.86). Of our ids the last digits differ most."""
NAMED = "urn:id:"
GENDERS = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
KINDS: dict[str, tuple[str, str]] = {
    "practitioner": ("P", "Practitioner"),
    "nurse": ("N", "Nurse"),
    "technician": ("T", "Technician"),
    "device": ("D", "Device"),
    "room": ("R", "Room"),
    "bed": ("B", "Bed"),
    "lab-bench": ("L", "Laboratory bench"),
}
SITE = ("S", "Site")
PEOPLE, PLACES = frozenset({"practitioner", "nurse", "technician"}), frozenset({"room", "bed", "lab-bench"})
Table = Literal["visit-type", "site", "practitioner", "calendar", "cancellation-reason", "authority"]
TABLES: tuple[str, ...] = get_args(Table)
Codes = Mapping[tuple[str, str], str]
"""(table, ours) to the partner's."""


class Resource(msgspec.Struct, frozen=True):
    """Somebody or something whose time the appointment takes. `npi` is a practitioner's, where there is one."""

    id: UUID
    kind: ActorKind
    display: str
    family: str = ""
    given: str = ""
    npi: str = ""


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What is booked, and for whom. `based_on` names an order."""

    visit_type_id: UUID
    visit_type_name: str
    based_on: str
    patient: Patient


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner is told. `placer` and `filler` are ids as they stand in SCH-1 and SCH-2, separators and all.

    Where time is blocked there is no `booking`, and no `site_id` where whoever it is works at several.
    """

    control_id: str
    event: str
    made_at: datetime
    placer: str
    filler: str
    status: str
    reason: str
    site_id: UUID | None
    start: datetime
    end: datetime
    booking: Booking | None
    resources: Sequence[Resource]


def announced(said: Announcement, partner: Partner, codes: Codes) -> bytes:
    """The message in the partner's version and character set, with its codes. Raises `NotHl7` for what it cannot say so."""
    action, version, booking = ACTIONS.get(said.event, "U"), partner.version, said.booking
    patient = [_patient(booking.patient, codes, version)] if booking else []
    service = [_service(said, booking, codes, action)] if booking else []
    message = Message(D, (
        _header(said, partner), _schedule(said, codes, version), *patient, Segment("RGS", ("1", action)), *service,
        *_resources(said, codes, action),
    ))  # fmt: skip
    ensure_whole(message)
    try:
        return written(message).decode().encode(CODECS[partner.charset])
    except UnicodeEncodeError as fault:
        raise NotHl7(rule="charset") from fault


def own_entity(own_id: UUID) -> str:
    """An appointment or a block of ours as an entity identifier."""
    return D.composed([str(own_id), OURS])


def their_entity(own_id: str) -> str:
    """An id of a sender's, as it was taken apart, as an entity identifier again."""
    return D.composed(own_id.split("^"))


def control_id_of(message_id: UUID) -> str:
    """MSH-10 of a message, the same each time that it is sent; it takes 20 letters (2.14.9.10)."""
    return message_id.hex[-ID_DIGITS:]


def _header(said: Announcement, partner: Partner) -> Segment:
    places = (partner.sending_application, partner.sending_facility, partner.receiving_application, partner.receiving_facility)
    kind = D.composed(["SIU", said.event, "SIU_S12"])
    written_in = (partner.version, "", "", "", "", "", partner.charset)
    return Segment(
        "MSH", (D.encoding, *map(D.escaped, places), stamp_of(said.made_at), "", kind, said.control_id, partner.processing, *written_in)
    )


def _schedule(said: Announcement, codes: Codes, version: str) -> Segment:
    """SCH; the order it is based on (SCH-26) from the version on that has it."""
    reason = D.composed([codes.get(("cancellation-reason", said.reason), said.reason) or said.event])
    timing = D.composed(["", "", "", stamp_of(said.start), stamp_of(said.end)])
    by, status = D.composed(["", OURS]), D.composed([said.status])
    kind, based_on = (_kind(said.booking, codes), said.booking.based_on) if said.booking else ("", "")
    return Segment("SCH", (
        said.placer, said.filler, "", "", "", reason, "", kind, _minutes(said), MINUTES, timing,
        "", "", "", "", by, "", "", "", by, "", "", "", "", status, *([D.escaped(based_on)] if version >= ORDERS else []),
    ))  # fmt: skip


def _patient(patient: Patient, codes: Codes, version: str) -> Segment:
    identifiers = (*(_identifier(each, codes) for each in patient.identifiers), D.composed([str(patient.id), "", "", OURS, "PI"]))
    given, *others = (*patient.given, "")
    name = D.composed([patient.family, given, " ".join(others).strip(), "", "", "", "L"])
    born = patient.birth_on.strftime("%Y%m%d") if patient.birth_on else ""
    telecom = D.repetition.join(_telecom(each, version) for each in patient.telecom)
    gender = GENDERS.get(patient.gender or "", "")
    return Segment("PID", ("1", "", D.repetition.join(identifiers), "", name, "", born, gender, "", "", "", "", telecom))


def _identifier(identifier: Identifier, codes: Codes) -> str:
    """An identifier with who assigned it: as the partner calls them, else as its system says."""
    named = codes.get(("authority", identifier.system), "")
    if named or identifier.system.startswith(NAMED):
        return D.composed([identifier.value, "", "", named or identifier.system.removeprefix(NAMED)])
    scheme = next((name for name, prefix in SCHEMES.items() if prefix and identifier.system.startswith(prefix)), "URI")
    return D.composed([identifier.value, "", "", ["", identifier.system.removeprefix(SCHEMES[scheme]), scheme]])


def _telecom(contact: ContactPoint, version: str) -> str:
    """XTN. Its first component is free text from v2.5 on; before, a number of another form is written by its digits alone."""
    if contact.system == "email":
        return D.composed(["", "NET", "Internet", contact.value])
    if version >= FREE_TELEPHONES:
        return D.composed([contact.value, "PRN", "PH"])
    digits = "".join(letter for letter in contact.value if letter in "0123456789")
    return D.composed(["", "PRN", "PH", "", "", "", digits])


def _service(said: Announcement, booking: Booking, codes: Codes, action: str) -> Segment:
    return Segment("AIS", ("1", action, _kind(booking, codes), stamp_of(said.start), "", "", _minutes(said), MINUTES))


def _resources(said: Announcement, codes: Codes, action: str) -> list[Segment]:
    """AIG, AIL and AIP, in that order, each numbered by itself. Where no room is taken, the place of a booking is the site."""
    facility = _facility(said.site_id, codes) if said.site_id else ""
    made: dict[str, list[Segment]] = {"AIG": [], "AIL": [], "AIP": []}
    for one in said.resources:
        if one.kind in PEOPLE:
            name, which = "AIP", _person(one, codes)
        elif one.kind in PLACES:
            name, which = "AIL", D.composed(["", _place(one, codes), "", facility])
        else:
            name, which = "AIG", D.composed([_code(codes, "calendar", one.id), one.display])
        made[name].append(Segment(name, (str(len(made[name]) + 1), action, which, D.composed(KINDS[one.kind]))))
    if said.booking and not made["AIL"]:
        made["AIL"].append(Segment("AIL", ("1", action, D.composed(["", "", "", facility]), D.composed(SITE))))
    return [segment for segments in made.values() for segment in segments]


def _facility(site_id: UUID, codes: Codes) -> str | list[str]:
    return codes.get(("site", str(site_id))) or ["", str(site_id), "UUID"]


def _place(place: Resource, codes: Codes) -> str:
    """PL.2 takes 20 letters: the partner's code, or the place's name as far as it goes."""
    return codes.get(("calendar", str(place.id)), place.display[:ID_DIGITS])


def _person(person: Resource, codes: Codes) -> str:
    number = codes.get(("practitioner", str(person.id)), person.npi)
    authority = ["", "", "", "", "", "NPI"] if number and number == person.npi else []
    return D.composed([number or person.id.hex[-PERSON_DIGITS:], person.family or person.display, person.given, *authority])


def _kind(booking: Booking, codes: Codes) -> str:
    return D.composed([_code(codes, "visit-type", booking.visit_type_id), booking.visit_type_name])


def _code(codes: Codes, table: Table, ours: UUID) -> str:
    return codes.get((table, str(ours)), ours.hex[-ID_DIGITS:])


def _minutes(said: Announcement) -> str:
    return str(int((said.end - said.start).total_seconds()) // 60)
