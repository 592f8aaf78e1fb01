"""What a coverage must be, and what becomes of it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.coverage import Coverage, CoverageDetails, Insured, InvalidCoverage

EARLIEST_BIRTH = date(1880, 1, 1)
FIRST_TO_SEE_A_DATE = timedelta(hours=14)
"""Where it is the next day already (UTC+14): nobody there was born tomorrow."""


def new_coverage(coverage_id: UUID, patient_id: UUID, details: CoverageDetails, now: datetime) -> Coverage:
    return Coverage(id=coverage_id, patient_id=patient_id, version=1, updated_at=now, **msgspec.structs.asdict(details))


def changed_coverage(before: Coverage, details: CoverageDetails, now: datetime) -> Coverage:
    """The coverage as the details have it; the same again is no change."""
    if details == details_of(before):
        return before
    return msgspec.structs.replace(before, version=before.version + 1, updated_at=now, **msgspec.structs.asdict(details))


def details_of(coverage: Coverage) -> CoverageDetails:
    return CoverageDetails(**{name: getattr(coverage, name) for name in CoverageDetails.__struct_fields__})


def ensure_sound(details: CoverageDetails, now: datetime) -> None:
    """Raise `InvalidCoverage` for the first rule that is broken, with the field's name and nothing of the person."""
    for field, rule in _broken_rules(details, (now + FIRST_TO_SEE_A_DATE).date()):
        raise InvalidCoverage(rule, field=field)


def holds_on(coverage: Coverage, day: date) -> bool:
    """Whether it is in force that day, as far as we know."""
    has_begun = coverage.starts_on is None or coverage.starts_on <= day
    return coverage.status == "active" and has_begun and (coverage.ends_on is None or day <= coverage.ends_on)


def paying_on(coverages: Iterable[Coverage], day: date) -> Coverage | None:
    """Of a patient's coverages, the one that pays first on a day."""
    return min((each for each in coverages if holds_on(each, day)), key=lambda each: (each.order, each.id), default=None)


def _broken_rules(details: CoverageDetails, latest_birth: date) -> Iterator[tuple[str, str]]:
    if (details.relationship == "self") != (details.subscriber is None):
        yield "subscriber", "Name the subscriber where the patient is not the subscriber, and only there."
    if details.starts_on and details.ends_on and details.ends_on < details.starts_on:
        yield "ends_on", "A coverage does not end before it starts."
    for field in ("beneficiary", "subscriber"):
        person = getattr(details, field)
        if person is not None and not _is_sound(person, latest_birth):
            yield field, f"Names are printed letters, and a birth date lies between {EARLIEST_BIRTH.year} and today."
    if not all(text.isprintable() for text in (details.payer.name, details.plan, details.group)):
        yield "payer", "What a card says has no control characters."


def _is_sound(person: Insured, latest_birth: date) -> bool:
    names = all(name.strip() and name.isprintable() for name in (person.family, *person.given))
    return names and (person.birth_on is None or EARLIEST_BIRTH <= person.birth_on <= latest_birth)
