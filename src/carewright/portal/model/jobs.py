"""What the portal tells patients later: the payloads of its jobs."""

from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.delays import Telling
from carewright.contracts.notifications import TemplateName


class Confirmation(msgspec.Struct, frozen=True):
    """The payload of a job: which version of which appointment is to be told of, and by which template. Ids, and nothing to be read."""

    organization_id: UUID
    appointment_id: UUID
    version: int
    template: TemplateName


class PasskeyChange(msgspec.Struct, frozen=True):
    """The payload of a job: whose passkey changed, and by which template that is told."""

    organization_id: UUID
    patient_id: UUID
    passkey_id: UUID
    template: TemplateName


class DelayHeard(msgspec.Struct, frozen=True):
    """The payload of a job: which appointment, of which start, begins how many minutes later by now, and what is told of it, and why."""

    organization_id: UUID
    appointment_id: UUID
    version: int
    start: datetime
    minutes: int
    tell: Telling
    by_emergency: bool = False


class OfferHeard(msgspec.Struct, frozen=True):
    """The payload of a job: which offer its patient is to be told of."""

    organization_id: UUID
    offer_id: UUID


class TurnSoonHeard(msgspec.Struct, frozen=True):
    """The payload of a job: whose turn is soon, and since when."""

    organization_id: UUID
    patient_id: UUID
    entry_id: UUID
    ticket: str
    at: datetime


class TurnCalled(msgspec.Struct, frozen=True):
    """The payload of a job: whose turn it is, and since when."""

    organization_id: UUID
    patient_id: UUID
    entry_id: UUID
    version: int
    ticket: str
    at: datetime


class TurnTold(TurnCalled, frozen=True):
    """The payload of a job: who may wait elsewhere, or has to set out, since when, and by which template that is told."""

    template: TemplateName
