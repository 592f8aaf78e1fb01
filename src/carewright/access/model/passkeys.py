"""Passkeys: what a browser is asked to sign, and when its answer is believed (Web Authentication Level 3, sections 7.1 and 7.2)."""

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import webauthn
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

CHALLENGE_BYTES = 32
"""256 random bits (ASVS 5.0, 6.7.2 asks for 64)."""
CHALLENGE_LIFETIME = timedelta(minutes=5)
PASSKEYS_MAX = 10
ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256]
"""Those that every browser's devices offer among themselves."""
NAME = "Your account"
"""What a device shows beside the hospital's address: whoever looks at somebody's telephone learns no more from us."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who we are to a browser: the domain that passkeys belong to, and the one origin that may use them."""

    id: str
    origin: str


class MadePasskey(msgspec.Struct, frozen=True, kw_only=True):
    """What registering a passkey leaves with us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class NotProved(Exception):
    """The browser's answer does not hold. A stranger's bytes go through three parsers, so whatever one of them raises becomes this."""


def party_of(scheme: str, place: str, host: str | None) -> Party | None:
    """Us, by the parts of the address at which browsers reach us; None where passkeys cannot be: no address, or no name (section 5.1.2)."""
    return Party(id=host, origin=f"{scheme}://{place}") if host and not _is_number(host) else None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def registration(party: Party, account_id: UUID, challenge: bytes, known: Sequence[bytes]) -> str:
    """What to give `navigator.credentials.create`, as JSON. A device that has one of the `known` credentials makes no second one."""
    asked = webauthn.generate_registration_options(
        rp_id=party.id, rp_name=party.id, user_id=account_id.bytes, user_name=NAME, challenge=challenge,
        timeout=_milliseconds(), supported_pub_key_algs=ALGORITHMS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )  # fmt: skip
    return webauthn.options_to_json(asked)


def authentication(party: Party, challenge: bytes) -> str:
    """What to give `navigator.credentials.get`, as JSON. It names no credential, so it says nothing of who has one."""
    asked = webauthn.generate_authentication_options(
        rp_id=party.id, challenge=challenge, timeout=_milliseconds(), user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(asked)


def _milliseconds() -> int:
    return int(CHALLENGE_LIFETIME.total_seconds() * 1000)


def registered(credential: str, challenge: bytes, party: Party) -> MadePasskey:
    """The passkey that a browser made. Raises `NotProved`."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=party.id, expected_origin=party.origin,
            require_user_verification=True, supported_pub_key_algs=ALGORITHMS,
        )  # fmt: skip
    except Exception as fault:
        raise NotProved from fault
    return MadePasskey(credential_id=made.credential_id, public_key=made.credential_public_key, sign_count=made.sign_count)


def credential_of(credential: str) -> tuple[bytes, bytes | None]:
    """The ids of the credential and of the account that an answer names; nothing is proved yet. Raises `NotProved`."""
    try:
        named = parse_authentication_credential_json(credential)
    except Exception as fault:
        raise NotProved from fault
    return named.raw_id, named.response.user_handle


def proved(credential: str, challenge: bytes, party: Party, public_key: bytes) -> int:
    """What the device has counted, once its signature and all that it signed hold. Raises `NotProved`.

    The count is compared by `has_gone_back`, so that a copied passkey is told from an answer that is wrong.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=party.id, expected_origin=party.origin,
            credential_public_key=public_key, credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except Exception as fault:
        raise NotProved from fault
    return verified.new_sign_count


def has_gone_back(sign_count: int, kept: int) -> bool:
    """Whether a device counted no further than before: there are two of it. Those that never count say 0 (section 6.1.1)."""
    return (sign_count, kept) != (0, 0) and sign_count <= kept
