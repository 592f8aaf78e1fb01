"""EHR connections by our API: which there are and how they go on, what differs, what they were not told, and telling it again."""

from carewright.contracts.ehr import (
    Connection,
    Connections,
    ModeNotOffered,
    NoPublicAddress,
    Reconciled,
    Resumed,
    Retried,
    SetMode,
    Stopped,
    UnknownConnection,
    Untold,
)
from carewright.ehr.context import EhrContext as Ctx
from carewright.ehr.service import connections, reconciling, stopping, subscribing, untold
from carewright.ehr.service.connections import LOOK, MANAGE
from carewright.ehr.service.pulling import EXCHANGE
from carewright.kernel.http.routes import Call, Nothing, Route

CONNECTIONS = "/api/v1/ehr/connections"
ONE = CONNECTIONS + "/{connection_id}"


async def list_connections(ctx: Ctx, _: Call[Nothing, Nothing]) -> Connections:
    """All of them."""
    return Connections(items=await connections.list_connections(ctx))


async def set_mode(ctx: Ctx, call: Call[Nothing, SetMode]) -> Connection:
    """Polling, or subscription."""
    return await subscribing.set_mode(ctx, call.path["connection_id"], call.body)


async def stop_connection(ctx: Ctx, call: Call[Nothing, Nothing]) -> Stopped:
    """Until it is resumed."""
    return await stopping.stop_connection(ctx, call.path["connection_id"])


async def resume_connection(ctx: Ctx, call: Call[Nothing, Nothing]) -> Resumed:
    """One that was stopped."""
    return await stopping.resume_connection(ctx, call.path["connection_id"])


async def list_untold(ctx: Ctx, call: Call[Nothing, Nothing]) -> Untold:
    """The oldest."""
    return await untold.list_untold(ctx, call.path["connection_id"])


async def retry_untold(ctx: Ctx, call: Call[Nothing, Nothing]) -> Retried:
    """Tell it again."""
    return await untold.retry_untold(ctx, call.path["connection_id"])


async def reconcile(ctx: Ctx, call: Call[Nothing, Nothing]) -> Reconciled:
    """By ids and counts."""
    return await reconciling.reconcile(ctx, call.path["connection_id"])


KNOWN = (UnknownConnection,)
ROUTES = (
    Route("GET", CONNECTIONS, list_connections, "EHR connections", LOOK, Connections),
    Route(
        "PUT", ONE + "/mode", set_mode, "Say how we hear of changes at the EHR", MANAGE, Connection, body=SetMode,
        refusals=(*KNOWN, ModeNotOffered, NoPublicAddress),
    ),
    Route("POST", ONE + "/stop", stop_connection, "Ask nothing and tell nothing, until resumed", MANAGE, Stopped, refusals=KNOWN),
    Route(
        "POST", ONE + "/resume", resume_connection, "Ask and tell again, and tell what changed meanwhile", MANAGE, Resumed, refusals=KNOWN,
    ),
    Route("GET", ONE + "/untold", list_untold, "Appointments of which the EHR has not heard yet", LOOK, Untold, refusals=KNOWN),
    Route("POST", ONE + "/retry", retry_untold, "Tell the EHR again what it could not be told", EXCHANGE, Retried, refusals=KNOWN),
    Route("GET", ONE + "/report", reconcile, "What differs between the EHR and us; recorded", EXCHANGE, Reconciled, refusals=KNOWN),
)  # fmt: skip
