"""The `Ehrs` Protocol in this process: EHR connections as the staff's pages ask for them."""

from uuid import UUID

from carewright.contracts.ehr import Connections, Reconciled, Retried, Untold
from carewright.ehr.context import EhrContext
from carewright.ehr.service import untold
from carewright.ehr.service.connections import list_connections
from carewright.ehr.service.reconciling import reconcile
from carewright.kernel.authz import Actor


class LocalEhrs:
    def __init__(self, context: EhrContext) -> None:
        self._context = context

    async def list_connections(self, actor: Actor) -> Connections:
        return Connections(items=await list_connections(self._context.acting(actor)))

    async def list_untold(self, actor: Actor, connection_id: UUID) -> Untold:
        return await untold.list_untold(self._context.acting(actor), connection_id)

    async def retry_untold(self, actor: Actor, connection_id: UUID) -> Retried:
        return await untold.retry_untold(self._context.acting(actor), connection_id)

    async def reconcile(self, actor: Actor, connection_id: UUID) -> Reconciled:
        return await reconcile(self._context.acting(actor), connection_id)
