"""What a session is: its token, how long it lasts, and what it lets its owner do."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.access.settings import AccessSettings
from carewright.contracts.access import Session, SignInMethod
from carewright.contracts.permissions import BREAK_GLASS, ROLES
from carewright.kernel.authz import BREAKING_GLASS, SESSION_PREFIX, Actor

TOKEN_BYTES = 16
"""128 random bits (ASVS 5.0, 7.2.3)."""
TOKEN_LENGTH = len(SESSION_PREFIX) + 2 * TOKEN_BYTES
TOUCH_SECONDS = 30
"""A session in use says so this often: every request would be a write otherwise. Idle limits are exact to this."""
PATIENTS = ("patient", "proxy")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session it is: the account as it stands now, so that a changed role acts at once."""

    account_id: UUID
    subject: str
    role: str
    display: str = ""
    patient_id: UUID | None = None
    site_ids: tuple[UUID, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored. `idle_seconds` is the limit it was started with."""

    id: UUID
    organization_id: UUID
    owner: Owner
    method: SignInMethod
    started_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    idle_seconds: int
    absolute_until: datetime

    @property
    def idle_until(self) -> datetime:
        return min(self.last_used_at + timedelta(seconds=self.idle_seconds), self.absolute_until)

    def is_live(self, now: datetime) -> bool:
        return now < self.idle_until

    def wants_touch(self, now: datetime) -> bool:
        """Whether its last use is worth writing down."""
        return (now - self.last_used_at).total_seconds() >= TOUCH_SECONDS


def token_of(secret: bytes) -> str:
    """The token made of `TOKEN_BYTES` random bytes."""
    return SESSION_PREFIX + secret.hex()


def hash_of(text: str) -> bytes:
    """What we keep of a token or secret with at least 128 random bits: a plain hash, since nobody can guess what it is of."""
    return hashlib.sha256(text.encode()).digest()


def new_session(
    owner: Owner, organization_id: UUID, method: SignInMethod, now: datetime, session_id: UUID, settings: AccessSettings
) -> Kept:
    """A session that starts now, with the limits of its owner's kind: shorter for staff, who leave screens behind them."""
    by_patient = owner.role in PATIENTS
    idle = settings.patient_idle_minutes if by_patient else settings.staff_idle_minutes
    hours = settings.patient_hours_max if by_patient else settings.staff_hours_max
    return Kept(
        id=session_id, organization_id=organization_id, owner=owner, method=method, started_at=now, last_used_at=now, authenticated_at=now,
        idle_seconds=60 * idle, absolute_until=now + timedelta(hours=hours),
    )  # fmt: skip


def shown(kept: Kept) -> Session:
    """The session as its owner sees it."""
    owner = kept.owner
    return Session(
        id=kept.id, organization_id=kept.organization_id, subject=owner.subject, role=owner.role, patient_id=owner.patient_id,
        site_ids=owner.site_ids, method=kept.method, started_at=kept.started_at, last_used_at=kept.last_used_at,
        idle_until=kept.idle_until, absolute_until=kept.absolute_until, authenticated_at=kept.authenticated_at,
    )  # fmt: skip


def actor_of(kept: Kept, *, glass_broken: bool) -> Actor:
    """The actor a session speaks for. A broken glass widens what they may read, and lifts the limits of site."""
    owner = kept.owner
    granted = ROLES.get(owner.role, frozenset())
    return Actor(
        subject=owner.subject, organization_id=kept.organization_id, role=owner.role, patient_id=owner.patient_id,
        permissions=granted | BREAK_GLASS if glass_broken else granted,
        site_ids=frozenset() if glass_broken else frozenset(owner.site_ids), purpose=BREAKING_GLASS if glass_broken else "TREAT",
        session_id=kept.id, authenticated_at=kept.authenticated_at,
    )  # fmt: skip
