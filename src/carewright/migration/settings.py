"""Settings of migration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSettings:
    """Nothing to tune: how a source is read is said by its mapping."""
