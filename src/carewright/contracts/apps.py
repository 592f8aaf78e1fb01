"""The part of access's language that is about apps: those which people let in to their record, and those which the staff start.

SMART App Launch 2.2: standalone launch and EHR launch.
"""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.clients import RedirectAddress
from carewright.kernel.errors import BadInput
from carewright.kernel.values import Code, Instant

SCOPES_LENGTH_MAX = 2000
STATE_LENGTH_MAX = 500
Said = Annotated[str, Meta(max_length=500)]
Challenge = Annotated[str, Meta(min_length=43, max_length=43, pattern=r"^[A-Za-z0-9_-]+$")]
"""SHA-256 of a secret that the app keeps, in base64url (RFC 7636, S256)."""


class AskApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an app asks, as its query says it (RFC 6749, section 4.1.1; RFC 7636, section 4.3); what it left out is empty."""

    client_id: Said = ""
    redirect_uri: Said = ""
    response_type: Said = ""
    scope: Annotated[str, Meta(max_length=SCOPES_LENGTH_MAX)] = ""
    state: Annotated[str, Meta(max_length=STATE_LENGTH_MAX)] = ""
    aud: Said = ""
    launch: Said = ""
    nonce: Said = ""
    code_challenge: Said = ""
    code_challenge_method: Said = ""


class StartableApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app that the staff may start."""

    id: UUID
    name: str


class StartApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Start an app about a patient, and about an encounter or an appointment of theirs. Whoever starts it has just looked them up."""

    client_id: UUID
    patient_id: UUID
    encounter_id: UUID | None = None
    appointment_id: UUID | None = None


class AppStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the browser: to the app, with our address and a secret that serves once, within minutes, in this session."""

    address: str


class AppAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An app that we know, and those of the scopes it asked for that it may have, if the person lets it."""

    client_id: UUID
    name: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    nonce: str = ""


class LetAppIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person lets an app do: with their own record, or by a consent with that of somebody for whom they act."""

    client_id: UUID
    redirect_uri: RedirectAddress
    scopes: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=100)]
    challenge: Challenge
    consent_id: UUID | None = None
    nonce: Said = ""


class AppCode(msgspec.Struct, frozen=True, kw_only=True):
    """For the app, which the browser brings it: good once, for a minute, and only with the app's own secret."""

    code: str


class AppLetIn(msgspec.Struct, frozen=True, kw_only=True):
    """An app that somebody let in, until `ends_at` unless it is turned off. `own` says that it sees the record of whoever asks."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    own: bool
    granted_at: Instant
    last_used_at: Instant | None = None
    ends_at: Instant


class ListAppGrants(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What apps may do, or might, with one patient's record by the word of a patient. `after` is the id of the last of an earlier page."""

    patient_id: UUID
    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class AppGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What one app may do until `until`, or might. `consent_id` is by which consent a proxy let it in; without one the patient did."""

    id: UUID
    name: str
    patient_id: UUID
    consent_id: UUID | None = None
    scopes: tuple[str, ...]
    granted_at: Instant
    until: Instant
    active: bool


class AppGrantsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[AppGrant, ...]
    next: UUID | None = None


def asked_in(pairs: Iterable[tuple[str, str]]) -> AskApp:
    """What an app asks, of what was sent: what we do not know is passed over, and what is sent twice counts as not sent.

    RFC 6749, section 3.1. Raises `BadInput` for what is far too long.
    """
    pairs = tuple(pairs)
    names = [name for name, _ in pairs]
    said = {name: value for name, value in pairs if name in AskApp.__struct_fields__ and names.count(name) == 1}
    try:
        return msgspec.convert(said, AskApp)
    except msgspec.ValidationError as fault:
        raise BadInput from fault
