"""The directory's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """Nothing to tune: what limits the directory are rules of its entries, and those are in `model`."""
