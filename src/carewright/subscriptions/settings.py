"""Settings of subscriptions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionsSettings:
    """How long a failing receiver is tried, and how long what it took is kept.

    It is tried again after `retry_seconds`, then after twice as long each time up to `retry_seconds_max`, and is off when nothing was taken
    for `give_up_hours`. Events that were taken are kept for `keep_days`.
    A secret that was exchanged signs for another `former_secret_hours`.
    """

    retry_seconds: float = 2.0
    retry_seconds_max: float = 900.0
    give_up_hours: float = 72.0
    keep_days: int = 7
    former_secret_hours: float = 24.0
