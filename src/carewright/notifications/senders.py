"""The port through which messages leave, and who stands behind it: one `Sender` a channel."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from carewright.contracts.notifications import Channel
from carewright.notifications.model import Content
from carewright.notifications.settings import NotificationsSettings


class NotDelivered(Exception):
    """The gateway refuses this message for good: trying again would not help."""


class Sender(Protocol):
    """Brings messages of one channel away, for the hospitals that it `serves`.

    `send` may be called again with the same id, and must then not deliver twice.
    Raises `NotDelivered` for a refusal that will not change; any other exception means "later".
    """

    def serves(self, organization_id: UUID) -> bool: ...

    async def send(self, message_id: UUID, content: Content) -> None: ...


class Kept:
    """For what stays here: a message is delivered by being stored, and whoever may read it finds it.

    It serves our own inbox for everybody, and telephones and addresses for the one hospital whose local inbox is open.
    """

    def __init__(self, only_for: UUID | None = None) -> None:
        self._only_for = only_for

    def serves(self, organization_id: UUID) -> bool:
        return self._only_for in (None, organization_id)

    async def send(self, message_id: UUID, content: Content) -> None:
        """Nothing is left to do."""


def senders(settings: NotificationsSettings) -> Mapping[Channel, Sender]:
    """Who brings messages away. A channel that is not here has no sender, and its messages are not done."""
    found: dict[Channel, Sender] = {"inbox": Kept()}
    if settings.local_inbox_organization_id is not None:
        found["sms"] = found["email"] = Kept(settings.local_inbox_organization_id)
    return found
