"""Settings of calendars, as `CAREWRIGHT_CALENDARS_<FIELD>` or the `[calendars]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarsSettings:
    """What a feed shows, and how often programs are asked to look again (`refresh_minutes`).

    It begins `past_days` ago; that of a calendar ends `ahead_days` from now. What was cancelled stays, marked so, for `cancelled_days`.
    Calendars of others close ours for `busy_days` from now on: as far as they may be booked, and less than a year.
    """

    refresh_minutes: int = 60
    past_days: int = 30
    ahead_days: int = 92
    cancelled_days: int = 30
    busy_days: int = 120
