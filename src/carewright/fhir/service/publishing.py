"""What everybody may see, put together once and shown until it is due again: however many ask, it costs the same."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from carewright.contracts.directory import Location
from carewright.contracts.fhir.refusals import NotServed
from carewright.contracts.starts import ListStarts
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ndjson import ndjson
from carewright.fhir.model.publishing import File, Offer, by_week, location, schedule
from carewright.fhir.service.candidates import all_services

PUBLIC = frozenset({"directory.read", "scheduling.find"})
"""What the rim may while it shows a hospital to everybody."""
SLOTS_MAX = 100_000
"""About 40 MB, shared evenly among what is offered. Beyond, the last days are left out."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that is shown, by the names of files, and the states in which the sites lie."""

    made_at: datetime
    states: tuple[str, ...]
    files: Mapping[str, File]

    @property
    def changed_at(self) -> datetime:
        """When what is shown last changed."""
        return max(file.changed_at for file in self.files.values())


@dataclass(slots=True)
class Publisher:
    """Keeps the publication of one process."""

    ctx: FhirContext
    _shown: Publication | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def publication(self) -> Publication:
        """What is shown now, made anew where it is older than it may be. Raises `NotServed` where no hospital shows itself."""
        async with self._making:
            if self._shown is None or self._is_due(self._shown):
                self._shown = await _publication(_publishing(self.ctx), self._shown)
            return self._shown

    def _is_due(self, shown: Publication) -> bool:
        return self.ctx.clock.now() >= shown.made_at + timedelta(seconds=self.ctx.settings.publish_seconds)


def _publishing(ctx: FhirContext) -> FhirContext:
    """The rim at work for the hospital that shows itself, with the right to see what is free and nothing else."""
    organization_id = ctx.settings.published_organization_id
    if organization_id is None:
        raise NotServed
    return ctx.acting(msgspec.structs.replace(ctx.actor, organization_id=organization_id, permissions=PUBLIC))


async def _publication(ctx: FhirContext, before: Publication | None) -> Publication:
    now, url = ctx.clock.now(), ctx.settings.booking_url.rstrip("/")
    offers = await _offers(ctx, url)
    sites = {offer.site.id: offer.site for offer in offers}
    contents = {
        ("Location", "Location.ndjson"): ndjson(location(site, url) for site in sites.values()),
        ("Schedule", "Schedule.ndjson"): ndjson(map(schedule, offers)),
    } | {("Slot", f"Slot-{week}.ndjson"): lines for week, lines in (await _slots(ctx, offers)).items()}
    known = before.files if before else {}
    return Publication(
        now, _states(sites.values()), {name: _file(kind, lines, known.get(name), now) for (kind, name), lines in contents.items()}
    )


async def _offers(ctx: FhirContext, url: str) -> list[Offer]:
    """What the hospital marked as published, at each of the sites that have it."""
    sites = {site.id: site for site in (await ctx.directory.find_sites(ctx.actor)).items}
    return [
        Offer(visit_type, summary.service, sites[site_id], url)
        for summary in await all_services(ctx)
        for visit_type in summary.visit_types
        if visit_type.published
        for site_id in sorted(visit_type.rules.site_ids or sites)
        if site_id in sites
    ]


async def _slots(ctx: FhirContext, offers: Sequence[Offer]) -> Mapping[str, bytes]:
    """Lines by week, in order. They are written in a thread, so that others get their turn."""
    until_at = ctx.clock.now() + timedelta(days=ctx.settings.publish_days)
    weeks: defaultdict[str, list[bytes]] = defaultdict(list)
    for offer in offers:
        asked = ListStarts(visit_type_id=offer.visit_type.id, site_id=offer.site.id, until_at=until_at)
        starts = (await ctx.scheduling.list_starts(ctx.actor, asked))[: SLOTS_MAX // len(offers)]
        for week, lines in await asyncio.to_thread(by_week, offer, starts):
            weeks[week].append(lines)
    return {week: b"".join(weeks[week]) for week in sorted(weeks)}


def _file(kind: str, lines: bytes, before: File | None, now: datetime) -> File:
    """The same file as before where it says the same."""
    etag = hashlib.sha256(lines).hexdigest()[:32]
    return before if before and before.etag == etag else File(kind, lines, etag, now)


def _states(sites: Iterable[Location]) -> tuple[str, ...]:
    return tuple(sorted({site.postal.state for site in sites if site.postal and site.postal.state}))
