"""Sealing anew what people wrote about appointments and blocks, batch by batch, when a key was rotated."""

from carewright.kernel.modules import Reseal
from carewright.kernel.resealing import in_transaction
from carewright.scheduling.store import resealing

SEALED: dict[str, Reseal] = {
    "scheduling.appointment": in_transaction(resealing.appointments),
    "scheduling.appointment_history": in_transaction(resealing.history),
    "scheduling.appointment_version": in_transaction(resealing.versions),
    "scheduling.block": in_transaction(resealing.blocks),
    "scheduling.master_step": in_transaction(resealing.master_steps),
}
"""Live appointments before those that are over: what moves into history meanwhile is met there."""
