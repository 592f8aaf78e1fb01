"""The vitals module's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalsSettings:
    """Nothing to tune: what limits an observation are rules, and those are in `model` and in the contract."""
