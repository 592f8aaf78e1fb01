"""What a session is: its token, how long it lasts, and what it lets its owner do."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.access.settings import AccessSettings
from carewright.contracts import smart
from carewright.contracts.access import Session, SignInMethod
from carewright.contracts.permissions import BREAK_GLASS, ROLES, STATIONS
from carewright.kernel.authz import BREAKING_GLASS, SESSION_PREFIX, Actor

TOKEN_BYTES = 16
"""128 random bits (ASVS 5.0, 7.2.3)."""
TOKEN_LENGTH = len(SESSION_PREFIX) + 2 * TOKEN_BYTES
TOUCH_SECONDS = 30
"""A session in use says so this often: every request would be a write otherwise. Idle limits are exact to this."""
DAY_SECONDS = 24 * 3600
CLIENT_ROLE = "integration"
CLIENT_SECONDS = 300
"""How long a token of another system is good for (SMART App Launch 2.2, Backend Services: five minutes at most)."""
APP_SECONDS = 1800
"""How long an app's access token is good for, used or not: it asks for another with its refresh token, or launches anew."""
PATIENTS = ("patient", "proxy")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session it is: the account as it stands now, so that a changed role acts at once."""

    account_id: UUID
    subject: str
    role: str
    display: str = ""
    patient_id: UUID | None = None
    practitioner_id: UUID | None = None
    site_ids: tuple[UUID, ...] = ()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a session less than its owner's role: fewer scopes, another's record by a consent, an app's grant, an earlier end."""

    scopes: tuple[str, ...] | None = None
    consent_id: UUID | None = None
    grant_id: UUID | None = None
    absolute_until: datetime | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored. `idle_seconds` is the limit it was started with; `scopes`, where there are any, narrow the role.

    `grant_id` is there in an app's session, which is no person's sign-in.
    """

    id: UUID
    organization_id: UUID
    owner: Owner
    method: SignInMethod
    started_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    idle_seconds: int
    absolute_until: datetime
    scopes: tuple[str, ...] | None = None
    consent_id: UUID | None = None
    grant_id: UUID | None = None

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
    idle_seconds, longest = (APP_SECONDS, timedelta(seconds=APP_SECONDS)) if method == "app" else _limits(owner, settings)
    return Kept(
        id=session_id, organization_id=organization_id, owner=owner, method=method, started_at=now, last_used_at=now, authenticated_at=now,
        idle_seconds=idle_seconds, absolute_until=now + longest,
    )  # fmt: skip


def _limits(owner: Owner, settings: AccessSettings) -> tuple[int, timedelta]:
    """Seconds without use after which a session of this owner ends, and the time after which it ends whatever happens."""
    if owner.role == CLIENT_ROLE:
        return CLIENT_SECONDS, timedelta(seconds=CLIENT_SECONDS)
    if owner.role in PATIENTS:
        return 60 * settings.patient_idle_minutes, timedelta(hours=settings.patient_hours_max)
    if owner.role in STATIONS:
        return DAY_SECONDS * settings.station_idle_days, timedelta(days=settings.station_days_max)
    return 60 * settings.staff_idle_minutes, timedelta(hours=settings.staff_hours_max)


def shown(kept: Kept) -> Session:
    """The session as its owner sees it."""
    owner = kept.owner
    return Session(
        id=kept.id, organization_id=kept.organization_id, subject=owner.subject, role=owner.role, patient_id=owner.patient_id,
        site_ids=owner.site_ids, method=kept.method, started_at=kept.started_at, last_used_at=kept.last_used_at,
        idle_until=kept.idle_until, absolute_until=kept.absolute_until, authenticated_at=kept.authenticated_at,
    )  # fmt: skip


def actor_of(kept: Kept, *, glass_broken: bool) -> Actor:
    """The actor a session speaks for. A broken glass widens what they may read, and lifts the limits of site; scopes only narrow."""
    owner = kept.owner
    granted = ROLES.get(owner.role, frozenset())
    if kept.scopes is not None:
        granted &= smart.permissions_of(kept.scopes)
    return Actor(
        subject=owner.subject, organization_id=kept.organization_id, role=owner.role, patient_id=owner.patient_id,
        practitioner_id=owner.practitioner_id, permissions=granted | BREAK_GLASS if glass_broken else granted,
        site_ids=frozenset() if glass_broken else frozenset(owner.site_ids), purpose=BREAKING_GLASS if glass_broken else "TREAT",
        session_id=kept.id, authenticated_at=kept.authenticated_at,
        scopes=None if kept.scopes is None or smart.are_ours(kept.scopes) else kept.scopes,
    )  # fmt: skip
