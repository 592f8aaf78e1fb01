"""What a queue's nurses triage by, in words: the five levels of ESI or CTAS, or our three tiers."""

from collections.abc import Mapping, Sequence

from carewright.contracts.queue import LEVEL_OF_TIER, AcuityScale

NAMES: Mapping[AcuityScale, str] = {
    "tier": "Three tiers: emergency, follow-up, routine", "esi": "Emergency Severity Index (ESI), 1 to 5",
    "ctas": "Canadian Triage and Acuity Scale (CTAS), 1 to 5",
}  # fmt: skip
LEVELS: Mapping[AcuityScale, Sequence[str]] = {
    "tier": ("Emergency", "Very urgent", "Follow-up", "Routine", "Not urgent"),
    "esi": ("Immediate", "Emergent", "Urgent", "Less urgent", "Not urgent"),
    "ctas": ("Resuscitation", "Emergent", "Urgent", "Less urgent", "Not urgent"),
}  # fmt: skip
"""Levels 1 to 5, as people say them (ESI Handbook, 2023; CTAS National Guidelines, 2016)."""
TIERS: Sequence[tuple[int, str]] = tuple(
    (LEVEL_OF_TIER[tier], f"{tier}, {LEVELS['tier'][LEVEL_OF_TIER[tier] - 1].lower()}") for tier in LEVEL_OF_TIER
)


def offered(scale: AcuityScale) -> Sequence[tuple[int, str]]:
    """What a nurse may find, as level and words."""
    if scale == "tier":
        return TIERS
    return [(level, f"{level}, {name.lower()}") for level, name in enumerate(LEVELS[scale], start=1)]
