"""Settings of EHR connections, as `CAREWRIGHT_EHR_<FIELD>` or the `[ehr]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrSettings:
    """How often and how far EHRs are asked. An EHR that asks for a longer wait than `wait_seconds_max` is asked at another time.

    Who pays for a patient is asked again after `coverage_hours`: it changes seldom, and every patient costs a question.
    """

    pull_minutes: int = 15
    window_days: int = 14
    coverage_hours: int = 12
    pages_max: int = 200
    wait_seconds_max: float = 30.0
