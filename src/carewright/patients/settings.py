"""The patients module's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsSettings:
    """Nothing to tune: what limits a record are rules, and those are in `model` and in the contract."""
