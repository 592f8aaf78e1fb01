"""The flow module's language of what is too much at a site: from when on the overview names something for somebody to look at.

What is refused stands in `flow`.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

FullPercent = Annotated[int, Meta(ge=50, le=100)]
LongMinutes = Annotated[int, Meta(ge=5, le=1440)]
FULL_PERCENT: FullPercent = 95
"""An hour of a service that is so full is as good as full: what is left of it is mostly too short for a visit."""
LONG_MINUTES: LongMinutes = 60
"""Whoever has waited for so long is a reason to look, whatever their level."""


class SiteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From how full an hour of a service is in percent, and from how many minutes somebody has waited, a site is to be looked at."""

    site_id: UUID
    full_percent: FullPercent = FULL_PERCENT
    long_minutes: LongMinutes = LONG_MINUTES


class SetLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both limits of a site, from now on."""

    site_id: UUID
    full_percent: FullPercent
    long_minutes: LongMinutes
