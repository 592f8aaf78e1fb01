"""What a payer is asked, and what they say, whatever the wire: the values that X12 and FHIR are made of and read into."""

from datetime import date, datetime
from typing import Literal

import msgspec

from carewright.contracts.coverage import Coverage, Insured, Relationship

AuthorisationNeeded = Literal["Y", "N", "U", ""]


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: the hospital by its National Provider Identifier."""

    name: str
    npi: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Is this member covered for this kind of service on that day? `trace` is ours, and an answer must repeat it."""

    trace: str
    asked_at: datetime
    provider: Provider
    payer_name: str
    payer_id: str
    member_id: str
    subscriber: Insured
    dependent: Insured | None = None
    relationship: Relationship = "self"
    service_type: str
    serviced_on: date


class Benefit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an answer (X12 EB): `kind` is EB01, `level` EB02, `period` EB06; money in cents, `percent` 0 to 100."""

    kind: str
    level: str = ""
    service_types: tuple[str, ...] = ()
    plan: str = ""
    period: str = ""
    cents: int | None = None
    percent: float | None = None
    authorisation: AuthorisationNeeded = ""
    in_network: str = ""
    message: str = ""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """Why a payer does not answer (X12 AAA): the reason (AAA03) and what to do (AAA04)."""

    reason: str
    follow_up: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a payer says. `trace` are the numbers of questions that it repeats; of the person only what tells whether it is they."""

    traces: tuple[str, ...]
    payer_name: str = ""
    member_id: str = ""
    subscriber_birth_on: date | None = None
    dependent_birth_on: date | None = None
    plan_begins_on: date | None = None
    plan_ends_on: date | None = None
    benefits: tuple[Benefit, ...] = ()
    rejects: tuple[Reject, ...] = ()


def question_about(coverage: Coverage, provider: Provider, *, trace: str, at: datetime, service_type: str, serviced_on: date) -> Question:
    """The question about a coverage. One without a payer's number is asked by nobody: the caller looked."""
    return Question(
        trace=trace, asked_at=at, provider=provider, payer_name=coverage.payer.name, payer_id=coverage.payer.id or "",
        member_id=coverage.member_id, subscriber=coverage.subscriber or coverage.beneficiary,
        dependent=coverage.beneficiary if coverage.subscriber else None, relationship=coverage.relationship, service_type=service_type,
        serviced_on=serviced_on,
    )  # fmt: skip
