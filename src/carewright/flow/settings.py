"""The flow module's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """Nothing to tune: what limits an encounter are rules, and those are in `model` and in the contract."""
