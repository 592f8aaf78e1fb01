"""Their keys: one batch of a rotation."""

from carewright.ehr import store
from carewright.kernel.resealing import in_transaction

reseal_connections = in_transaction(store.reseal_connections)
"""Seal our keys at EHRs anew that an older key sealed, at most `limit` with ids behind `after`."""


reseal_subscriptions = in_transaction(store.reseal_subscriptions)
"""As `reseal_connections`, the ids of our subscriptions there."""


reseal_links = in_transaction(store.reseal_links)
"""As `reseal_connections`, the ids of theirs."""
