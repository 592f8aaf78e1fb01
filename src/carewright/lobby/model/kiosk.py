"""What a kiosk says to whoever stands at it, in one language: after a code, after a ticket, and when something is not possible."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.kiosk import (
    CheckedIn,
    CheckInAtDesk,
    CheckInCodeNotRight,
    CheckInElsewhere,
    CheckInTooEarly,
    KioskQueue,
    KioskTicket,
    TooManyCodes,
)
from carewright.contracts.relief import OtherSite
from carewright.kernel.errors import Refusal
from carewright.lobby.model.words import clock, wait_range

Words = Mapping[str, str]
AT_DESK: Mapping[str, str] = {"cancelled": "cancelled", "over": "over"}
"""Reasons that have words of their own; of all others the desk says more."""


class Answer(NamedTuple):
    """A title, a ticket where there is one, and sentences. `may_retry`: the code may be typed again."""

    title: str
    lines: Sequence[str]
    ticket: str = ""
    may_retry: bool = False


class Choice(NamedTuple):
    """A queue to choose; without an id where it gives no tickets now."""

    id: UUID | None
    name: str
    lines: Sequence[str]


def checked_in(words: Words, told: CheckedIn) -> Answer:
    """After the code of an appointment."""
    lines = list(_turn_lines(words, told))
    if told.is_late and told.status == "waiting":
        lines.insert(0, words["late"].format(time=clock(told.start, ZoneInfo(told.time_zone))))
    return Answer(words["checked_in_again" if told.again else "checked_in"], lines, told.ticket)


def ticket_taken(words: Words, told: KioskTicket) -> Answer:
    """After a service was chosen."""
    lines = [words["who_first"], *_turn_lines(words, told), *(_elsewhere(words, each) for each in told.elsewhere)]
    return Answer(words["your_ticket"], lines, told.ticket)


def help_called(words: Words) -> Answer:
    """After somebody touched that they feel very ill."""
    return Answer(words["help_title"], (words["help"],))


def not_possible(words: Words, refusal: Refusal) -> Answer:
    """What stands in the way, and what to do: at the end there is always the desk."""
    facts = refusal.facts
    match refusal:
        case CheckInCodeNotRight():
            return Answer(words["not_found_title"], (words["not_found"], words["or_desk"]), may_retry=True)
        case CheckInTooEarly():
            time = clock(datetime.fromisoformat(str(facts["from_at"])), ZoneInfo(str(facts["time_zone"])))
            return Answer(words["early_title"], (words["early"].format(time=time), words["or_desk"]))
        case CheckInElsewhere():
            return Answer(words["elsewhere_title"], (words["elsewhere_site"].format(site=facts["site_name"]),))
        case CheckInAtDesk() if (key := AT_DESK.get(str(facts["why"]))) is not None:
            return Answer(words[f"{key}_title"], (words[key],))
        case TooManyCodes():
            return Answer(words["too_many_title"], (words["too_many"],))
        case _:
            return Answer(words["desk_title"], (words["desk"],))


def choice(words: Words, queue: KioskQueue) -> Choice:
    """A queue as somebody without an appointment sees it."""
    others = [_elsewhere(words, each) for each in queue.elsewhere]
    if queue.is_paused:
        return Choice(None, queue.name, (words["paused"], *others, words["desk_now"]))
    waiting = words["waiting_count"].format(count=queue.waiting) if queue.waiting else words["nobody_waits"]
    wait = wait_range(queue.low_minutes, queue.high_minutes)
    return Choice(queue.id, queue.name, (f"{waiting}, {words['minutes'].format(wait=wait)}" if wait else waiting, *others))


def _turn_lines(words: Words, told: KioskTicket) -> Sequence[str]:
    for_queue = words["waiting_for"].format(queue=told.queue)
    if told.status == "called":
        return (words["called"].format(place=told.place) if told.place else words["called_desk"], for_queue)
    if told.status != "waiting":
        return (words["desk_now"], for_queue)
    where = words["waits_at"].format(place=told.waits_at) if told.waits_at else words["waits_anywhere"]
    return (for_queue, where, *_wait_lines(words, told), words["remember"])


def _wait_lines(words: Words, told: KioskTicket) -> Sequence[str]:
    """How many are before them, and how long it takes: nothing of it where the queue tells nobody."""
    if told.ahead is None:
        return ()
    before = words["next"] if not told.ahead else words["ahead_one"] if told.ahead == 1 else words["ahead"].format(count=told.ahead)
    wait = wait_range(told.low_minutes, told.high_minutes)
    return (f"{before} {words['wait'].format(wait=wait) if wait else words['wait_unknown']}", words["order"])


def _elsewhere(words: Words, there: OtherSite) -> str:
    if there.minutes is None:
        return words["elsewhere_count"].format(site=there.site_name, count=there.waiting)
    return words["elsewhere"].format(site=there.site_name, minutes=there.minutes)
