"""Settings of CDS Hooks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsSettings:
    """How we answer, and how we ask.

    `source_label` is whose word our cards are, as people read it. Other times are looked for `suggest_days` from the wish on.

    `public_url` is the address under which services of others reach us: they know us by it, and find our keys there. They are waited for
    `answer_seconds`.
    """

    source_label: str = "Carewright"
    suggest_days: int = 14
    public_url: str = ""
    answer_seconds: float = 2.0
