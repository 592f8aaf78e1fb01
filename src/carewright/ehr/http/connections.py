"""EHR connections by our API: which there are, what differs, what they were not told, and telling it again."""

from carewright.contracts.ehr import Connections, Reconciled, Retried, UnknownConnection, Untold
from carewright.ehr.context import EhrContext as Ctx
from carewright.ehr.service import connections, reconciling, untold
from carewright.ehr.service.connections import LOOK
from carewright.ehr.service.pulling import EXCHANGE
from carewright.kernel.http.routes import Call, Nothing, Route

CONNECTIONS = "/api/v1/ehr/connections"
ONE = CONNECTIONS + "/{connection_id}"


async def list_connections(ctx: Ctx, _: Call[Nothing, Nothing]) -> Connections:
    """All of them."""
    return Connections(items=await connections.list_connections(ctx))


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
    Route("GET", ONE + "/untold", list_untold, "Appointments of which the EHR has not heard yet", LOOK, Untold, refusals=KNOWN),
    Route("POST", ONE + "/retry", retry_untold, "Tell the EHR again what it could not be told", EXCHANGE, Retried, refusals=KNOWN),
    Route("GET", ONE + "/report", reconcile, "What differs between the EHR and us; recorded", EXCHANGE, Reconciled, refusals=KNOWN),
)
