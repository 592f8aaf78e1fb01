"""Settings of CDS Hooks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsSettings:
    """`source_label` is whose word our cards are, as people read it. Other times are looked for `suggest_days` from the wish on."""

    source_label: str = "Carewright"
    suggest_days: int = 14
