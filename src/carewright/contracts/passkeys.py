"""The part of access's language that is about passkeys: keys that stay on a patient's own device (Web Authentication Level 3)."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant, Secret

CREDENTIAL_LENGTH_MAX = 20_000
NAME_LENGTH_MAX = 60
Credential = Annotated[str, Meta(min_length=2, max_length=CREDENTIAL_LENGTH_MAX)]
"""What a browser answers about a passkey: a PublicKeyCredential as JSON (Web Authentication Level 3, section 5.1.8)."""

PasskeyName = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
"""What a patient calls a passkey, to know it again: one line of their own words."""


class StartPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for what a browser needs to make or to use a passkey. The answer is of use in that browser alone, once, for five minutes."""

    binding: Secret


class PasskeyAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`options` is JSON for `navigator.credentials`: nobody's account can be told from those for signing in."""

    options: str
    expires_at: Instant


class AddPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The passkey that a browser made, and what its owner calls it."""

    binding: Secret
    credential: Credential
    name: PasskeyName


class RedeemPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A browser's proof that somebody holds their passkey."""

    binding: Secret
    credential: Credential


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A key on a patient's own device. It never leaves that; we keep its public part."""

    id: UUID
    name: str
    created_at: Instant
    last_used_at: Instant | None = None
