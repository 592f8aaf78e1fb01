"""Our subscription at an EHR, as it is written and read: HL7 FHIR R4 Subscription, a rest-hook without a payload.

R4 says (subscription.html): who subscribes submits `requested`, and the server makes it `active`; without a payload nothing is sent but
that something changed; when `end` has come the server turns it off.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from carewright.ehr.model.reading import Id, instant

CRITERIA = "Appointment?"
"""Every appointment: which of them are ours to hear of is found out by the pull."""
REASON = "Carewright asks for appointments when they change"
RENEW_SHARE = 2
"""It is renewed when less than half of its time is left."""
PAUSE_MIN = timedelta(seconds=5)


class Channel(msgspec.Struct, frozen=True):
    """Subscription.channel, as far as it is read."""

    endpoint: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the EHR says of a subscription."""

    id: Id
    status: Literal["requested", "active", "error", "off"]
    end: datetime | None = None
    channel: Channel = Channel()


def subscription(endpoint: str, secret: str, ends_at: datetime, theirs: str | None) -> dict[str, Any]:
    """The resource that is sent; `theirs` is its id there, where it has one."""
    return {
        "resourceType": "Subscription", **({"id": theirs} if theirs else {}), "status": "requested", "reason": REASON, "criteria": CRITERIA,
        "end": instant(ends_at),
        "channel": {"type": "rest-hook", "endpoint": endpoint, "header": [f"Authorization: Bearer {secret}"]},
    }  # fmt: skip


def ends_soon(ends_at: datetime | None, now: datetime, lasts: timedelta) -> bool:
    """Whether it is to be renewed. One that says no end has none."""
    return ends_at is not None and ends_at - now < lasts / RENEW_SHARE


def pause(ends_at: datetime | None, now: datetime, lasts: timedelta, usual: timedelta) -> timedelta:
    """When one that was written and is not active yet is looked at again: soon, and each time after twice as long, up to `usual`."""
    written_at = ends_at - lasts if ends_at is not None else now
    return min(max(now - written_at, PAUSE_MIN), usual)
