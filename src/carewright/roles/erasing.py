"""Erasing one patient from the command line: `carewright patient erase`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.patients import Erased, ErasePatient
from carewright.kernel.idempotency import forget_answers_about
from carewright.patients.service.records import erase_patient
from carewright.roles.lifecycle import NOBODY, running
from carewright.roles.registry import MODULES
from carewright.roles.relay import system_actor


async def erase(sections: Mapping[str, Any], organization_id: UUID, command: ErasePatient) -> Erased:
    """Erase a patient, and return once every module has let go. Whoever may run this has the keys: no sign-in is asked for."""
    async with running([module for module in MODULES if module.has_tables], sections) as system:
        base = system.context("patients")
        actor = msgspec.structs.replace(system_actor(NOBODY, organization_id), authenticated_at=base.clock.now())
        ctx = base.acting(actor)
        erased = await erase_patient(ctx, command)
        for relay in system.relays.values():
            await relay.drain()
        await forget_answers_about(ctx, command.patient_id)
    return erased
