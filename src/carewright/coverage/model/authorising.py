"""Visits that payers want to be asked about first: which those are, what a payer's word is good for, and which bookings it stops."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.coverage import (
    Authorisation,
    AuthorisationNeed,
    AuthorisationState,
    Coverage,
    Eligibility,
    InvalidAuthorisation,
    Missing,
    RecordAuthorisation,
)
from carewright.coverage.model.question import Review
from carewright.coverage.model.x12.codes import ACTION_OF, REJECT_OF

AUTHORISATION: Missing = "authorisation"
DENIAL_COUNTS = timedelta(days=30)
"""How long a denial stands for other visits of the same kind. Ours: appeals and new requests take weeks, and a payer's mind changes."""
FIRST_INQUIRY, INQUIRY_APART_MAX = timedelta(minutes=15), timedelta(hours=12)
INQUIRE_FOR = timedelta(days=30)
"""How long what was pended is asked about by itself. Ours; payers decide within 7 days, or 72 hours what is urgent (CMS-0057-F)."""
MISSING_OF: dict[AuthorisationState, tuple[Missing, ...]] = {
    "certified": (), "partial": ("partly-authorised",), "pended": ("authorisation-pending",), "denied": ("not-authorised",),
}  # fmt: skip


def is_needed(need: AuthorisationNeed | None, coverage: Coverage, answer: Eligibility | None) -> bool:
    """Whether the payer is to be asked first: the hospital knows it, or the payer said so when asked about the coverage."""
    return (need is not None and need.is_of(coverage.payer)) or (answer is not None and AUTHORISATION in answer.missing)


def counts_for(one: Authorisation, coverage: Coverage, visit_type_id: UUID | None, day: date) -> bool:
    """Whether what a payer said holds for a visit as it is now: the same coverage and kind, and a day on which it is valid.

    A denial holds for other visits of the kind too, for a while; the caller looks at that.
    """
    same = (one.coverage_id, one.payer.id, one.visit_type_id) == (coverage.id, coverage.payer.id, visit_type_id)
    valid = (one.valid_from is None or one.valid_from <= day) and (one.valid_until is None or day <= one.valid_until)
    return same and (valid or one.state not in ("certified", "partial"))


def missing_of(one: Authorisation | None) -> tuple[Missing, ...]:
    """What the desk must see to; None is a visit that nobody was asked about."""
    if one is None:
        return (AUTHORISATION,)
    return MISSING_OF.get(one.state, one.missing or (AUTHORISATION,))


def standing_denial(known: Iterable[Authorisation], coverage: Coverage, visit_type_id: UUID | None, now: datetime) -> Authorisation | None:
    """The denial that stands for visits of a kind, where the last word about them was one, a short while ago. `known` is by age."""
    words = [
        one for one in known
        if (one.coverage_id, one.payer.id, one.visit_type_id) == (coverage.id, coverage.payer.id, visit_type_id)
        and one.state in ("certified", "partial", "denied")
    ]  # fmt: skip
    return words[-1] if words and words[-1].state == "denied" and now < denied_until(words[-1]) else None


def as_decided(one: Authorisation, review: Review, now: datetime) -> Authorisation:
    """The word with what the payer decided about all the services that were asked for. What says nothing that counts is `unknown`."""
    known = [ACTION_OF.get(each.action) for each in review.decisions]
    state = _together({each for each in known if each is not None})
    told = next((each for each in review.decisions if each.number), None)
    rejected = tuple(dict.fromkeys(cast("Missing", REJECT_OF.get(each.reason, "data")) for each in review.rejects))
    days = next((each for each in review.decisions if each.valid_from or each.valid_until), None)
    return replace(
        one, state=state, number=(told.number if told else "") or review.number or one.number,
        valid_from=days.valid_from if days else None, valid_until=days.valid_until if days else None,
        reasons=tuple(dict.fromkeys(reason for each in review.decisions for reason in each.reasons)),
        missing=(rejected or ("cannot-process",)) if state == "unknown" else (),
        answered_at=None if state == "pended" else now,
    )  # fmt: skip


def as_unanswered(one: Authorisation, why: Missing, now: datetime) -> Authorisation:
    """The word with why there is none."""
    return replace(one, state="unknown", missing=(why,), answered_at=now)


def next_inquiry(asked: int, now: datetime) -> datetime:
    """When to ask again about what was pended, having asked so often: after a quarter of an hour, then twice as long each time."""
    return now + min(FIRST_INQUIRY * (1 << min(asked, 10)), INQUIRY_APART_MAX)


def _together(words: set[AuthorisationState]) -> AuthorisationState:
    """One word for several services: what is still looked at waits for the rest, and a yes beside a no is a part."""
    if not words:
        return "unknown"
    if "pended" in words:
        return "pended"
    return next(iter(words)) if len(words) == 1 else "partial"


def denied_until(one: Authorisation) -> datetime:
    return (one.answered_at or one.asked_at) + DENIAL_COUNTS


def kinds_spoken_of(known: Sequence[Authorisation]) -> Iterator[tuple[UUID, UUID]]:
    """Coverage and kind of visit of each that payers spoke about, once."""
    return iter(dict.fromkeys((one.coverage_id, one.visit_type_id) for one in known if one.visit_type_id is not None))


def ensure_sound(command: RecordAuthorisation) -> None:
    """Raise `InvalidAuthorisation` for the first rule that is broken."""
    if command.state == "certified" and command.number is None:
        raise InvalidAuthorisation("What is authorised has a number: write it down as the payer gave it.", field="number")
    if command.valid_from and command.valid_until and command.valid_until < command.valid_from:
        raise InvalidAuthorisation("The last day is not before the first.", field="valid_until")
