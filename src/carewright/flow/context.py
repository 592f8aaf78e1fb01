"""What flow's use cases run in: the common context, and what this process remembers of sensors."""

from dataclasses import dataclass, fields
from typing import Self

from carewright.flow.live import Live
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowContext(Context):
    """Only what sensors say needs `live`; every other use case is content with a `Context`."""

    live: Live

    @classmethod
    def of(cls, base: Context) -> Self:
        """The same world, with an empty memory."""
        return cls(**{field.name: getattr(base, field.name) for field in fields(Context)}, live=Live(base.clock))
