"""What a hospital shows to everybody is put together once for all who ask, and dated by what it says."""
# ruff: noqa: ARG002  (a stand-in answers every actor alike)

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import ServicesPage, ServiceSummary, SitesPage, VisitType
from carewright.contracts.fhir.refusals import NotServed
from carewright.contracts.starts import Start
from carewright.fhir.context import FhirContext
from carewright.fhir.service.publishing import PUBLIC, Publication, Publisher
from carewright.fhir.settings import FhirSettings
from carewright.kernel.authz import Actor
from carewright.kernel.clock import ManualClock
from tests.samples import SERVICE, SITE, VISIT, known_id

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOSPITAL = known_id(1)
OPEN = replace(VISIT, published=True)


class Hospital:
    """Stands for the modules that are asked, and counts the questions."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.asked, self.actors = clock, Counter[str](), list[Actor]()
        self.visit_types: tuple[VisitType, ...] = (VISIT, OPEN)
        self.starts = (Start(at=NOW + timedelta(days=1), free=1), Start(at=NOW + timedelta(days=8), free=0))

    async def find_sites(self, actor: Actor) -> SitesPage:
        return SitesPage(items=(SITE,), total=1)

    async def find_services(self, actor: Actor, _: object) -> ServicesPage:
        return ServicesPage(items=(ServiceSummary(service=SERVICE, visit_types=self.visit_types),), total=1)

    async def list_starts(self, actor: Actor, query: Any) -> tuple[Start, ...]:
        self.actors.append(actor)
        self.asked[str(query.visit_type_id)] += 1
        await asyncio.sleep(0)
        return self.starts

    def publisher(self, organization_id: UUID | None = HOSPITAL) -> Publisher:
        chosen = FhirSettings(published_organization_id=organization_id, publish_seconds=60)
        nobody = Actor(subject="system", organization_id=known_id(0), role="system", permissions=PUBLIC | {"patients.read"})

        def context(actor: Actor) -> Any:
            world = {"clock": self.clock, "settings": chosen, "directory": self, "scheduling": self, "actor": actor, "acting": context}
            return SimpleNamespace(**world)

        return Publisher(cast(FhirContext, context(nobody)))


@pytest.fixture
def hospital() -> Hospital:
    return Hospital(ManualClock(NOW))


async def test_however_many_ask_it_is_put_together_once_until_it_is_due(hospital: Hospital) -> None:
    publisher = hospital.publisher()
    shown = await asyncio.gather(*(publisher.publication() for _ in range(50)))
    assert all(each is shown[0] for each in shown)
    assert hospital.asked == {str(OPEN.id): 1}
    hospital.clock.advance(seconds=59)
    await publisher.publication()
    assert hospital.asked.total() == 1
    hospital.clock.advance(seconds=1)
    await publisher.publication()
    assert hospital.asked.total() == 2


async def test_it_is_asked_for_the_named_hospital_with_the_least_rights(hospital: Hospital) -> None:
    await hospital.publisher().publication()
    assert {(actor.organization_id, actor.permissions) for actor in hospital.actors} == {(HOSPITAL, PUBLIC)}
    with pytest.raises(NotServed):
        await hospital.publisher(None).publication()


async def test_a_file_that_says_the_same_keeps_its_date_and_its_tag(hospital: Hospital) -> None:
    publisher = hospital.publisher()
    before = await publisher.publication()
    hospital.clock.advance(seconds=60)
    hospital.starts = (hospital.starts[0], Start(at=hospital.starts[1].at, free=2))
    after = await publisher.publication()

    def changed(publication: Publication) -> dict[str, datetime]:
        return {name: file.changed_at for name, file in publication.files.items()}

    assert changed(before) == dict.fromkeys(["Location.ndjson", "Schedule.ndjson", "Slot-2026-W48.ndjson", "Slot-2026-W49.ndjson"], NOW)
    assert changed(after) == changed(before) | {"Slot-2026-W49.ndjson": NOW + timedelta(seconds=60)}
    assert after.changed_at == NOW + timedelta(seconds=60)


async def test_where_nothing_is_published_there_is_nothing_to_see(hospital: Hospital) -> None:
    hospital.visit_types = (VISIT,)
    shown = await hospital.publisher().publication()
    assert {name: file.lines for name, file in shown.files.items()} == {"Location.ndjson": b"", "Schedule.ndjson": b""}
