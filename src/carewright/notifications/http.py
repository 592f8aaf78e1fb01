"""Notifications over HTTP: a person's own inbox."""

import msgspec

from carewright.contracts.notifications import MessagesPage, ReadInbox
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.values import Limit
from carewright.notifications import service
from carewright.notifications.service import NotificationsContext


class InboxQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many messages at most."""

    limit: Limit = 50


async def read_inbox(ctx: NotificationsContext, call: Call[InboxQuery, Nothing]) -> MessagesPage:
    """Messages to the caller, to their role or to their account, newest first."""
    return await service.read_inbox(ctx, ReadInbox(limit=call.query.limit))


ROUTES = (Route("GET", "/api/v1/communications", read_inbox, "My messages", service.READ, MessagesPage, query=InboxQuery),)
