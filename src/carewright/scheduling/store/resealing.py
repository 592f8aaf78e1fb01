"""What people wrote, sealed anew that an older key sealed: a batch of each table, behind the id of the last one."""

from collections.abc import Sequence
from uuid import UUID

from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.resealing import Batch
from carewright.kernel.sql import Query
from carewright.scheduling.store import APPOINTMENT, BLOCK, VERSION, Q
from carewright.scheduling.store.masters import STEP


def _resealing(table: str, columns: Sequence[str], find: Query, save: Query) -> Batch:
    async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
        return await reseal_rows(tx, cipher, table, columns, (find, save), after, limit)

    return reseal


appointments = _resealing(APPOINTMENT, ("note", "private"), Q.appointments_to_reseal, Q.reseal_appointments)
history = _resealing(APPOINTMENT, ("note", "private"), Q.history_to_reseal, Q.reseal_history)
versions = _resealing(VERSION, ("said",), Q.versions_to_reseal, Q.reseal_versions)
blocks = _resealing(BLOCK, ("reason",), Q.blocks_to_reseal, Q.reseal_blocks)
master_steps = _resealing(STEP, ("reason",), Q.master_steps_to_reseal, Q.reseal_master_steps)
