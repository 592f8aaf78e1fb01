"""Whom a patient lets act for them, and what that lets a proxy do."""

from datetime import datetime, timedelta

from carewright.contracts.consents import Consent, ConsentScope
from carewright.contracts.permissions import ROLES

CODE_LIFETIME = timedelta(days=7)
LONGEST = timedelta(days=5 * 365 + 1)
CHANGES = frozenset(f"scheduling.appointment.{verb}" for verb in ("hold", "book", "confirm", "cancel", "reschedule"))
"""What a proxy may not who may only see."""


def is_live(consent: Consent, now: datetime) -> bool:
    """Whether the proxy may act by it now."""
    return consent.accepted_at is not None and consent.withdrawn_at is None and consent.starts_at <= now < consent.ends_at


def scopes_of(scope: ConsentScope) -> tuple[str, ...] | None:
    """What a session by this consent may; None for all that the role of proxies may."""
    return None if scope == "book" else tuple(sorted(ROLES["proxy"] - CHANGES))
