"""The keys of subscriptions."""

from carewright.kernel.resealing import in_transaction
from carewright.subscriptions import store

reseal_subscriptions = in_transaction(store.reseal)
"""Seal targets anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""
