"""Who waits elsewhere, as the page of a queue shows it: how far they are, when they are back, and who could not be told."""

from datetime import datetime
from zoneinfo import ZoneInfo

from carewright.contracts.elsewhere import LEVEL_MIN
from carewright.contracts.queue import QueueEntry, Turn


def where(entry: QueueEntry | Turn, zone: ZoneInfo) -> str:
    """In words; nothing for who waits here and was not asked."""
    if entry.status not in ("waiting", "called", "skipped"):
        return ""
    said = _said(entry, zone)
    return f"{said}; {_unreached(entry.unreached_at, zone)}" if said and entry.unreached_at else said


def may_go(entry: QueueEntry | Turn) -> bool:
    """Whether it can be noted that somebody waits elsewhere."""
    return entry.status == "waiting" and entry.level >= LEVEL_MIN and entry.come_at is None


def _said(entry: QueueEntry | Turn, zone: ZoneInfo) -> str:
    if entry.travel_minutes is None:
        return "was asked whether to wait elsewhere" if entry.offered_at and entry.come_at is None else ""
    if entry.come_at is None or entry.due_at is None:
        return f"waits elsewhere, {entry.travel_minutes} minutes away"
    return f"told to come at {_at(entry.come_at, zone)}, here by {_at(entry.due_at, zone)}"


def _unreached(at: datetime, zone: ZoneInfo) -> str:
    return f"our message of {_at(at, zone)} did not reach them: please call them by telephone"


def _at(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")
