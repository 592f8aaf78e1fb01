"""Settings of EHR connections, as `CAREWRIGHT_EHR_<FIELD>` or the `[ehr]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrSettings:
    """How often and how far EHRs are asked, and for how long they are subscribed to.

    An EHR that asks for a longer wait than `wait_seconds_max` is asked at another time.

    Who pays for a patient is asked again after `coverage_hours`: it changes seldom, and every patient costs a question.

    `public_url` is the address under which EHRs reach us. One whose subscription is active is asked every `net_minutes` besides, for what a
    notification that was lost would have told. A subscription lasts `subscription_hours`, and is looked at every `subscription_minutes`.
    """

    pull_minutes: int = 15
    net_minutes: int = 120
    window_days: int = 14
    coverage_hours: int = 12
    pages_max: int = 200
    wait_seconds_max: float = 30.0
    public_url: str = ""
    subscription_hours: int = 48
    subscription_minutes: int = 10
