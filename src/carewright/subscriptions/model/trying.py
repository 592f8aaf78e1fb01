"""What becomes of a subscription whose receiver took a notification, or did not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from carewright.contracts.subscriptions import SubscriptionStatus
from carewright.subscriptions.settings import SubscriptionsSettings

DOUBLINGS_MAX = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """How a subscription stands after a turn. `due_at` is when to try again; None where nothing but an event or a heartbeat is due."""

    status: SubscriptionStatus
    error: str | None = None
    failures: int = 0
    failing_since: datetime | None = None
    due_at: datetime | None = None


TAKEN = Turn("active")


def failed(
    error: str, failures: int, failing_since: datetime | None, now: datetime, settings: SubscriptionsSettings
) -> Turn:  # fmt: skip
    """In error, and tried again later; off when it failed for too long."""
    since = failing_since or now
    if now - since >= timedelta(hours=settings.give_up_hours):
        return Turn("off", error, failures + 1, since)
    wait = min(settings.retry_seconds * 2.0 ** min(failures, DOUBLINGS_MAX), settings.retry_seconds_max)
    return Turn("error", error, failures + 1, since, now + timedelta(seconds=wait))
