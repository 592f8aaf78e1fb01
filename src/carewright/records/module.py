"""How records are wired."""

from collections.abc import Callable
from typing import Any

from carewright.kernel import keeping
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.records.http import ROUTES
from carewright.records.settings import RecordsSettings


async def start(context: Context, _: RecordsSettings, __: Callable[[type], Any]) -> Running:
    """Records need nothing but the kernel's tables."""
    return Running(context)


MODULE = Module(
    name="records",
    start=start,
    settings=RecordsSettings,
    routes=ROUTES,
    prefixes=("/api/v1/records",),
    has_tables=False,
    sealed={keeping.TABLE: keeping.reseal_holds},
)
