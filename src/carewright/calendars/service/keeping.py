"""The keys of feeds, and of other people's addresses."""

from carewright.calendars import store
from carewright.kernel.resealing import in_transaction

reseal_feeds = in_transaction(store.reseal)
"""Seal texts anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
reseal_sources = in_transaction(store.reseal_sources)
"""As `reseal_feeds`, of the addresses of other people's calendars."""
