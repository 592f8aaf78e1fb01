"""Sessions and passkeys as their patient reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.access import Session
from carewright.contracts.passkeys import NAME_LENGTH_MAX, Passkey
from carewright.portal.model.wall import Wall, counted, near_date

NAMELESS = "My passkey"
WAYS = {
    "otp": "With a code we sent you", "passkey": "With a passkey", "oidc": "With your account",
    "demonstration": "As the demonstration patient",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceView:
    """`since` and `used` are said on the hospital's wall; `is_this` is the device the page is shown on."""

    id: UUID
    way: str
    since: str
    used: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """`name` is the patient's own; `added` and `used` are said on the hospital's wall."""

    id: UUID
    name: str
    added: str
    used: str


def passkey_view(one: Passkey, wall: Wall, now: datetime) -> PasskeyView:
    used = _ago(now - one.last_used_at) if one.last_used_at else "Not used yet"
    return PasskeyView(one.id, one.name, near_date(wall.day(one.created_at), wall.day(now), wall.locale), used)


def name_of(typed: str) -> str:
    """What to call a passkey: one line, and something in any case."""
    return " ".join(typed.split())[:NAME_LENGTH_MAX] or NAMELESS


def device_view(one: Session, wall: Wall, now: datetime, *, is_this: bool) -> DeviceView:
    since = f"{near_date(wall.day(one.started_at), wall.day(now), wall.locale)} at {wall.time(one.started_at)}"
    return DeviceView(one.id, WAYS[one.method], since, _ago(now - one.last_used_at), is_this)


def _ago(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 2:
        return "In use just now"
    return f"Last used {counted(minutes, 'minute')} ago" if minutes < 120 else f"Last used {counted(minutes // 60, 'hour')} ago"
