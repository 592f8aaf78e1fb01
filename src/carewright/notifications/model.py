"""What makes a notice sound, and how it is put into words: pure rules."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from carewright.contracts.notifications import TEMPLATES, Message, Moment, Notice
from carewright.kernel.errors import BadInput

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
TITLE_LENGTH_MAX, TEXT_LENGTH_MAX = 80, 480
"""A text of 480 letters fits into three joined short messages (3GPP TS 23.040: 153 of 7 bits each), with room for a long name."""
DELIVERIES_MAX = 6
"""Tries before a message is given up. With the jobs' pauses of 2, 4, 8 … seconds that is about a minute."""
Reason = Literal["expired", "no-sender", "refused", "gave-up"]
"""Communication.statusReason of what was not done."""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message with `{names}` where values go. `title` is a subject line; a short message goes out without it."""

    title: str
    text: str


class Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How instants are written. `instant` may use weekday, day, month, year, hour24, hour12, minute, half."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    halves: tuple[str, str]
    instant: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language: its own name, its dates, and every template."""

    name: str
    dates: Dates
    templates: Mapping[str, Template]


class Content(msgspec.Struct, frozen=True):
    """What lies sealed: where a message goes, and what it says."""

    contact: str | None
    title: str
    text: str


def language_for(asked: str | None, known: Collection[str], default: str) -> str:
    """The language we write that is nearest to a BCP 47 tag: "es-MX" is served by "es-MX", else by "es", else by the default."""
    tag = asked or ""
    while tag:
        if tag in known:
            return tag
        tag = tag.rpartition("-")[0]
    return default


def ensure_sound(notice: Notice) -> None:
    """Raise `BadInput` for a notice without a contact to send to, or whose values are not those of its template."""
    if (notice.channel == "inbox") != (notice.contact is None):
        raise BadInput("A message needs a contact, unless it stays in our own inbox.", parameter="contact")
    if notice.recipient.kind == "patient" and ID.fullmatch(notice.recipient.id) is None:
        raise BadInput("A patient is named by an id.", parameter="recipient")
    if set(notice.values) != TEMPLATES[notice.template]:
        raise BadInput("These are not the values that the template needs.", parameter="values")
    given = [value for value in notice.values.values() if isinstance(value, str)]
    if not all(text and text.isprintable() for text in (*given, "-" if notice.contact is None else notice.contact)):
        raise BadInput("A value is one line of printable text.", parameter="values")


def content_of(notice: Notice, words: Words) -> Content:
    """The notice in the words of one language. It is sound: see `ensure_sound`."""
    values = {name: value if isinstance(value, str) else _written(value, words.dates) for name, value in notice.values.items()}
    template = words.templates[notice.template]
    return Content(notice.contact, filled(template.title, values), filled(template.text, values))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its names replaced. What a value holds is never read as a name again."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def names_in(text: str) -> set[str]:
    """The names that a text asks for."""
    return set(PLACEHOLDER.findall(text))


def forget_at(notice: Notice, now: datetime, kept_days: int) -> datetime:
    """When contact and text are forgotten: as soon as they are worth nothing, at the latest after `kept_days`."""
    latest = now + timedelta(days=kept_days)
    return min(notice.until_at, latest) if notice.until_at else latest


def is_zone(name: str) -> bool:
    """Whether there is an IANA zone of this name."""
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return False


def _written(moment: Moment, dates: Dates) -> str:
    if not is_zone(moment.zone):
        raise BadInput("There is no such time zone.", parameter="zone")
    local = moment.at.astimezone(ZoneInfo(moment.zone))
    parts = {
        "weekday": dates.weekdays[local.weekday()], "month": dates.months[local.month - 1], "day": str(local.day), "year": str(local.year),
        "hour24": str(local.hour), "hour12": str(local.hour % 12 or 12), "minute": f"{local.minute:02}",
        "half": dates.halves[local.hour // 12],
    }  # fmt: skip
    return filled(dates.instant, parts)


def reader_of(message: Message) -> tuple[str, str]:
    """On whose telephone a message lies: one contact's, or the inbox of a role, an account or a patient."""
    recipient = message.communication.recipient
    return ("contact", message.contact) if message.contact else (recipient.kind, recipient.id)
