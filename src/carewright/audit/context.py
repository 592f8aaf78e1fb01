"""What the audit module's use cases run in: the common context, the signer of checkpoints, and outside witnesses."""

from collections.abc import Sequence
from dataclasses import dataclass

from carewright.audit.settings import AuditSettings
from carewright.audit.witness.port import Witness
from carewright.kernel.context import Context
from carewright.kernel.notes import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditContext(Context):
    """`signer` is missing in a command that works on the database without the key; such a process seals nothing."""

    settings: AuditSettings
    signer: Signer | None
    witnesses: Sequence[Witness] = ()
