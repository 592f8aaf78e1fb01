"""Booking rules: what may be booked, by whom, how soon and how far ahead. Pure; each refusal names the rule."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from carewright.contracts.directory import VisitType
from carewright.contracts.scheduling import OutsideRules, PickedTime, PrerequisiteMissing, UnknownSite
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import BadInput
from carewright.kernel.values import utc
from carewright.scheduling.model.calendar import instant_of
from carewright.scheduling.model.ticks import TICK_MINUTES

SENTENCES = {
    "past": "This time has passed.",
    "lead": "This visit must be booked further ahead than that.",
    "horizon": "This is further ahead than this visit can be booked.",
    "grid": "This visit does not start at that minute. Choose one of the times offered.",
    "tick": "Times lie on the five-minute grid.",
    "urgency": "This visit is not booked under that urgency.",
    "patient": "This visit is booked by the practice. Please call us.",
    "inactive": "This visit is no longer offered.",
}


def refuse(rule: str) -> OutsideRules:
    """The refusal of one rule, with its name as a fact."""
    return OutsideRules(SENTENCES[rule], rule=rule)


def ensure_bookable(visit_type: VisitType, time: PickedTime, zone: ZoneInfo, now: datetime, *, by_patient: bool, horizon_days: int) -> None:
    """Raise `OutsideRules` unless `time` keeps every rule of the visit type. Lead time binds patients; staff know what they do."""
    rules = visit_type.rules
    start = utc(time.start)
    earliest, latest = bookable_window(visit_type, now, by_patient=by_patient, horizon_days=horizon_days)
    if by_patient and not rules.patient_bookable:
        raise refuse("patient")
    if time.urgency not in rules.urgency_tiers:
        raise refuse("urgency")
    if start < now:
        raise refuse("past")
    if start < earliest:
        raise refuse("lead")
    if start > latest:
        raise refuse("horizon")
    if not on_grid(start, rules.grid_minutes, zone):
        raise refuse("grid")


def ensure_overridable(time: PickedTime, now: datetime, horizon_days: int) -> None:
    """An override sets aside every rule but these: the past is past, the calendar has an end, and time is kept in ticks."""
    start = utc(time.start)
    if start < now:
        raise refuse("past")
    if start > now + timedelta(days=horizon_days):
        raise refuse("horizon")
    if start.minute % TICK_MINUTES or start.second or start.microsecond:
        raise refuse("tick")


def ensure_prerequisites(visit_type: VisitType, *, based_on: str | None, met_visits: Sequence[bool]) -> None:
    """Raise `PrerequisiteMissing` unless a referral is named where one is needed, and each earlier visit was found (in order)."""
    found = iter(met_visits)
    for each in visit_type.rules.prerequisites:
        if each.kind == "referral" and not based_on:
            raise PrerequisiteMissing(each.text or "This visit needs a referral.", prerequisite="referral")
        if each.kind == "earlier-visit" and not next(found):
            raise PrerequisiteMissing(each.text or "Another visit has to come first.", prerequisite="earlier-visit")


def ensure_offered_at(visit_type: VisitType, site_id: object) -> None:
    """Raise `UnknownSite` where the visit type names its sites and this is none of them."""
    if visit_type.rules.site_ids and site_id not in visit_type.rules.site_ids:
        raise UnknownSite


def bookable_window(visit_type: VisitType, now: datetime, *, by_patient: bool, horizon_days: int) -> tuple[datetime, datetime]:
    """The first and the last instant at which the visit may start."""
    lead = timedelta(minutes=visit_type.rules.lead_minutes if by_patient else 0)
    return now + lead, now + timedelta(days=min(visit_type.rules.horizon_days, horizon_days))


def search_window(query: FindTimes, earliest: datetime, latest: datetime) -> tuple[datetime, datetime]:
    """The window of a search, cut to what may be booked. Raises `BadInput` for one that runs backwards."""
    start, end = utc(query.from_at or earliest), utc(query.until_at or latest)
    if query.from_at and query.until_at and end < start:
        raise BadInput("`until_at` lies before `from_at`.", parameter="until_at")
    if query.earliest_minute is not None and query.latest_minute is not None and query.latest_minute <= query.earliest_minute:
        raise BadInput("`latest_minute` must be later than `earliest_minute`.", parameter="latest_minute")
    return max(start, earliest), min(end, latest)


def on_grid(start: datetime, grid_minutes: int, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows a multiple of the grid at `start`."""
    local = start.astimezone(zone)
    return not (local.second or local.microsecond) and (local.hour * 60 + local.minute) % grid_minutes == 0


def same_wall_time(start: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The instant `days` later that shows the same time on the wall, whatever the clocks did in between."""
    local = start.astimezone(zone)
    return instant_of(zone, local.date() + timedelta(days=days), local.hour * 60 + local.minute)
