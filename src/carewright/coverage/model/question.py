"""What a payer is asked, and what they say, whatever the wire: the values that X12 and FHIR are made of and read into."""

from datetime import date, datetime
from typing import Literal, NamedTuple

import msgspec

from carewright.contracts.coverage import Coverage, Insured, Relationship
from carewright.contracts.directory import UrgencyTier

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


class Request(Question, frozen=True, kw_only=True):
    """Does the payer agree to this beforehand? `procedure` is what is to be done (CPT or HCPCS), if it is known; `place` is CMS's code."""

    procedure: str = ""
    place: str
    urgency: UrgencyTier = "P2"


class Wanted(NamedTuple):
    """What is to be authorised: the kind of service and of procedure, where, on which day, and how urgent it is."""

    service_type: str
    procedure: str
    place: str
    serviced_on: date
    urgency: UrgencyTier


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


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a payer decided (X12 HCR): `action` is HCR01, `number` HCR02, `reasons` HCR03; from when till when it holds, if it says."""

    action: str
    number: str = ""
    reasons: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a payer says to a request. `decisions` are about each service that was asked for; `number` is the payer's for all of it."""

    traces: tuple[str, ...]
    member_id: str = ""
    subscriber_birth_on: date | None = None
    dependent_birth_on: date | None = None
    number: str = ""
    decisions: tuple[Decision, ...] = ()
    rejects: tuple[Reject, ...] = ()


def question_about(coverage: Coverage, provider: Provider, *, trace: str, at: datetime, service_type: str, serviced_on: date) -> Question:
    """The question about a coverage. One without a payer's number is asked by nobody: the caller looked."""
    return Question(
        trace=trace, asked_at=at, provider=provider, payer_name=coverage.payer.name, payer_id=coverage.payer.id or "",
        member_id=coverage.member_id, subscriber=coverage.subscriber or coverage.beneficiary,
        dependent=coverage.beneficiary if coverage.subscriber else None, relationship=coverage.relationship, service_type=service_type,
        serviced_on=serviced_on,
    )  # fmt: skip


def request_about(coverage: Coverage, provider: Provider, visit: Wanted, *, trace: str, at: datetime) -> Request:
    """The request about a visit, as `question_about`."""
    asked = question_about(coverage, provider, trace=trace, at=at, service_type=visit.service_type, serviced_on=visit.serviced_on)
    return Request(**msgspec.structs.asdict(asked), procedure=visit.procedure, place=visit.place, urgency=visit.urgency)
