"""278: a request for a review, and what a payer decided (005010X217, Health Care Services Review). One event an interchange.

What is written keeps to the guide; of what is read, only what decides something is asked for: payers add segments of their own.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from carewright.contracts.coverage import Insured
from carewright.contracts.directory import UrgencyTier
from carewright.coverage.model.question import Decision, Reject, Request, Review
from carewright.coverage.model.x12 import elements
from carewright.coverage.model.x12.elements import GENDERS, ORGANIZATION_MAX, day, name, person
from carewright.coverage.model.x12.hierarchy import REVIEW, Levels, levels, one_transaction
from carewright.coverage.model.x12.inquiry import OTHER_ADULT, RELATIONSHIPS
from carewright.coverage.model.x12.interchange import Envelope, Interchange, NotX12, Segment, Transaction, segment, write

VERSION = "005010X217"
CATEGORY, INITIAL = "HS", "I"
"""UM01 and UM02: a review of health services, asked for the first time."""
PLACE_KIND = "B"
"""UM04-2: the place is one of CMS's places of service."""
LEVELS: dict[UrgencyTier, str] = {"P0": "03", "P1": "U"}
"""UM06: an emergency, or urgent."""
EVENT, SERVICE = "AAH", "472"
EFFECTIVE, EXPIRES = "007", "036"
"""DTP01: when the event is, when the service is; from when a decision holds, and till when."""
DECISIONS_MAX = 100


def write_request(request: Request, envelope: Envelope) -> bytes:
    """Raises `NotX12` for a name or a number that X12 cannot hold."""
    return write(envelope, "HI", Transaction(kind="278", version=VERSION, segments=tuple(_segments(request))))


def _segments(request: Request) -> Iterator[Segment]:
    at, provider, own = request.asked_at, request.provider, request.dependent is None
    yield segment("BHT", "0007", "13", request.trace, f"{at:%Y%m%d}", f"{at:%H%M}")
    yield segment("HL", "1", "", "20", "1")
    yield segment("NM1", "X3", "2", name(request.payer_name, ORGANIZATION_MAX), *[""] * 4, "PI", request.payer_id)
    yield segment("HL", "2", "1", "21", "1")
    yield segment("NM1", "1P", "2", name(provider.name, ORGANIZATION_MAX), *[""] * 4, "XX", provider.npi)
    yield segment("HL", "3", "2", "22", "1")
    yield segment("NM1", "IL", "1", *person(request.subscriber), "", "", "MI", request.member_id)
    yield from _born(request.subscriber.birth_on, _gender(request.subscriber))
    if request.dependent is not None:
        yield segment("HL", "4", "3", "23", "1")
        yield segment("NM1", "QC", "1", *person(request.dependent))
        yield from _born(request.dependent.birth_on, _gender(request.dependent))
        yield segment("INS", "N", RELATIONSHIPS.get(request.relationship, OTHER_ADULT))
    event = "4" if own else "5"
    yield segment("HL", event, "3" if own else "4", "EV", "1" if request.procedure else "0")
    yield segment("TRN", "1", request.trace, f"9{provider.npi}"[:10])
    place = f"{request.place}:{PLACE_KIND}"
    yield segment("UM", CATEGORY, INITIAL, request.service_type, place, "", LEVELS.get(request.urgency, ""))
    yield segment("DTP", EVENT, "D8", day(request.serviced_on))
    if request.procedure:
        yield segment("HL", str(int(event) + 1), event, "SS", "0")
        yield segment("UM", CATEGORY, INITIAL, request.service_type, place)
        yield segment("DTP", SERVICE, "D8", day(request.serviced_on))
        yield segment("SV1", f"HC:{request.procedure}", "", "UN", "1")


def _gender(one: Insured) -> str:
    return GENDERS.get(one.gender, "") if one.gender else ""


def _born(on: date | None, gender: str) -> Iterator[Segment]:
    if on or gender:
        yield segment("DMG", "D8" if on else "", day(on), gender)


def is_review(interchange: Interchange) -> bool:
    """Whether it holds what a payer decided, or a request of that kind."""
    return any(each.kind == "278" for each in interchange.transactions)


def read_review(interchange: Interchange) -> Review:
    """What a payer decided. Raises `NotX12` for anything else: another kind, other loops, values out of form."""
    said = levels(one_transaction(interchange, "278", VERSION), REVIEW)
    if said.purpose != "11":
        raise NotX12("loop")
    events, services = _loops(said, "EV"), _loops(said, "SS")
    subscriber, dependent = _loops(said, "22"), _loops(said, "23")
    traces = [each.at(2) for loop in (*events, *services) for each in loop if each.id == "TRN"]
    member = next((each for loop in subscriber for each in loop if each.id == "NM1" and each.at(1) == "IL"), None)
    separators = interchange.separators
    whole = list(_decisions(events, separators.repetition))
    own = list(_decisions(services, separators.repetition))
    if len(whole) + len(own) > DECISIONS_MAX:
        raise NotX12("size")
    return Review(
        traces=tuple(dict.fromkeys((said.reference, *traces))), member_id=member.at(9) if member and member.at(8) == "MI" else "",
        subscriber_birth_on=_birth(subscriber), dependent_birth_on=_birth(dependent),
        number=next((each.number for each in whole if each.number), ""), decisions=tuple(own or whole),
        rejects=tuple(Reject(reason=each.at(3), follow_up=each.at(4)) for _, loop in said.loops for each in loop if each.id == "AAA"),
    )  # fmt: skip


def _loops(said: Levels, level: str) -> list[tuple[Segment, ...]]:
    return [loop for name_, loop in said.loops if name_ == level]


def _birth(loops: Sequence[Sequence[Segment]]) -> date | None:
    return next((elements.read_day(each.at(2)) for loop in loops for each in loop if each.id == "DMG"), None)


def _decisions(loops: Sequence[Sequence[Segment]], repetition: str) -> Iterator[Decision]:
    """The decision of each loop that has one; a number that some payers give beside it (REF*BB) counts where it has none."""
    for loop in loops:
        decided = next((each for each in loop if each.id == "HCR"), None)
        if decided is None:
            continue
        beside = next((each.at(2) for each in loop if each.id == "REF" and each.at(1) == "BB"), "")
        begins, ends = _valid(loop)
        yield Decision(
            action=decided.at(1), number=(decided.at(2) or beside)[:50], reasons=elements.parts(decided.at(3), repetition)[:5],
            valid_from=begins, valid_until=ends,
        )  # fmt: skip


def _valid(loop: Sequence[Segment]) -> tuple[date | None, date | None]:
    """From when till when a decision holds: as it says, or else the span of the event or of the service, where that is one."""
    spans = {each.at(1): (each.at(2), elements.read_days(each.at(2), each.at(3))) for each in loop if each.id == "DTP"}
    if EFFECTIVE in spans or EXPIRES in spans:
        _, (first, last) = spans.get(EFFECTIVE, ("", (None, None)))
        _, (until, _) = spans.get(EXPIRES, ("", (last, None)))
        return first, until
    ranges = [days for kind, days in (spans[each] for each in (EVENT, SERVICE) if each in spans) if kind == "RD8"]
    return ranges[0] if ranges else (None, None)
