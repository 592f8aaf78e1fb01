"""Sealing anew what people wrote about appointments and blocks, batch by batch, when a key was rotated."""

from carewright.kernel.modules import Reseal
from carewright.kernel.resealing import in_transaction
from carewright.scheduling import store
from carewright.scheduling.store import masters

SEALED: dict[str, Reseal] = {
    "scheduling.appointment": in_transaction(store.reseal_appointments),
    "scheduling.appointment_history": in_transaction(store.reseal_history),
    "scheduling.appointment_version": in_transaction(store.reseal_versions),
    "scheduling.block": in_transaction(store.reseal_blocks),
    "scheduling.master_step": in_transaction(masters.reseal_steps),
}
"""Live appointments before those that are over: what moves into history meanwhile is met there."""
