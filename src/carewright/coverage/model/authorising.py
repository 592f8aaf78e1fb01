"""Visits that payers want to be asked about first: which those are, what a payer's word is good for, and which bookings it stops."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

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

AUTHORISATION: Missing = "authorisation"
DENIAL_COUNTS = timedelta(days=30)
"""How long a denial stands for other visits of the same kind. Ours: appeals and new requests take weeks, and a payer's mind changes."""
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
