"""Settings of records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSettings:
    """Nothing to tune: what is kept for how long is each organization's to choose, over the API, and the floors are the law's."""
