"""Oversight over HTTP: unusual access, for privacy officers. Incidents have no address here: the console and the machine have them."""

from typing import Literal

import msgspec

from carewright.contracts import oversight as c
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
from carewright.kernel.values import Reason
from carewright.oversight.context import OversightContext
from carewright.oversight.service import unusual


class CloseUnusualBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outcome: Literal["justified", "not-justified"]
    finding: Reason


async def list_unusual(ctx: OversightContext, call: Call[c.ListUnusual, Nothing]) -> c.UnusualPage:
    """What waits to be looked at."""
    return await unusual.list_unusual(ctx, call.query)


async def close_unusual(ctx: OversightContext, call: Call[Nothing, CloseUnusualBody]) -> c.Unusual:
    """Write down what was found."""
    command = c.CloseUnusual(unusual_id=call.path["unusual_id"], outcome=call.body.outcome, finding=call.body.finding)
    return await unusual.close_unusual(ctx, command)


ROUTES = (
    Route(
        "GET", "/api/v1/unusual-access", list_unusual, "Who opened records that they may have had no reason to open", unusual.REVIEW,
        c.UnusualPage, query=c.ListUnusual, priority=Priority.REPORT,
    ),
    Route(
        "POST", "/api/v1/unusual-access/{unusual_id}/close", close_unusual, "Write down what was found about it", unusual.REVIEW, c.Unusual,
        body=CloseUnusualBody, refusals=(c.UnknownUnusual, c.UnusualNotYours),
    ),
)  # fmt: skip
