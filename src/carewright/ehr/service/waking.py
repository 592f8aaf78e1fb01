"""An EHR wakes us: nothing is read of what it sends but the secret. A pull is owed from then on, one for all who wake us meanwhile."""

from hmac import compare_digest
from uuid import UUID

from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.service.subscribing import hash_of
from carewright.kernel.errors import Unauthenticated


async def wake(base: EhrContext, connection_id: UUID, secret: str) -> None:
    """Owe the connection a pull, unless one is owed already. Raises `Unauthenticated`, also where there is nothing to be woken.

    Nothing is written while a pull is owed, so that a flood costs a read each. One that goes on already does not count: it may have asked
    before what we are told of now came to be.
    """
    waking, shown = await store.subscription_for_waking(base.db, connection_id), hash_of(secret)
    if waking is None or not any(compare_digest(shown, known) for known in waking.secret_hash):
        raise Unauthenticated
    ctx = base.working_in(waking.organization_id)
    now = ctx.clock.now()
    if waking.pull_at is None or waking.pull_at > now:
        await store.owe_pull(ctx.db, waking.organization_id, connection_id, now)
        ctx.wake()
