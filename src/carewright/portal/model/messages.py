"""Messages as they lie on a telephone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carewright.contracts.notifications import Message
from carewright.portal.model.wall import Wall, near_date

ROLE_NAMES = {"privacy-officer": "Privacy officers"}
CHANNEL_WORDS = {"sms": "Text message", "email": "E-mail", "inbox": "Message to staff"}


@dataclass(frozen=True, slots=True)
class MessageView:
    """`language` is the text's, for whoever has it read aloud."""

    id: UUID
    name: str
    way: str
    when: str
    language: str
    title: str
    text: str


def message_view(one: Message, wall: Wall, now: datetime) -> MessageView:
    sent = one.communication.sent_at or one.communication.created_at
    day = near_date(wall.day(sent), wall.day(now), wall.locale)
    when = wall.time(sent) if wall.day(sent) == wall.day(now) else f"{day}, {wall.time(sent)}"
    sent_by = one.communication
    return MessageView(sent_by.id, name_of(one), CHANNEL_WORDS[sent_by.channel], when, sent_by.language, one.title, one.text)


def name_of(one: Message) -> str:
    """Whose telephone it lies on."""
    recipient = one.communication.recipient
    return one.contact or ROLE_NAMES.get(recipient.id, recipient.id)


def conversations(found: Iterable[Message], wall: Wall, now: datetime) -> list[MessageView]:
    """The latest message of everybody, out of messages that are newest first."""
    latest: dict[str, Message] = {}
    for one in found:
        latest.setdefault(name_of(one), one)
    return [message_view(one, wall, now) for one in latest.values()]
