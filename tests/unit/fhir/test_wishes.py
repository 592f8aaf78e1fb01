"""The parameters of `$find` as IHE ITI-115's OperationDefinition means them: what narrows, what is preferred, what makes no difference."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from carewright.contracts.directory import PostalAddress, ServiceSummary
from carewright.contracts.fhir.basics import VISIT_TYPES
from carewright.contracts.fhir.refusals import InvalidElement, MissingElement, SearchTooWide
from carewright.fhir.model.parameters import Parameters
from carewright.fhir.model.wishes import Known, Wishes, identifiers_of, own_ids, read_wishes
from tests.samples import SERVICE, SITE, VISIT, known_id

START, END = "2026-11-26T09:00:00Z", "2026-12-03T09:00:00Z"
ANN, BEN, HOSPITAL = known_id(501), known_id(502), known_id(503)
OTHER_VISIT = replace(VISIT, id=known_id(504), name="Follow-up")
CITY = replace(SITE, postal=PostalAddress(lines=("Rue Haute 7",), city="Liège", postal_code="4000"), managing_organization_id=HOSPITAL)
COAST = replace(SITE, id=known_id(505), address="Dijk 1, Oostende", postal=None)
KNOWN = Known(
    services=(ServiceSummary(service=SERVICE, visit_types=(VISIT, OTHER_VISIT)),), sites=(CITY, COAST),
    practitioners={("urn:oid:1.3.6.1.4.1.19376.1.2.999", "PR23143"): ANN},
)  # fmt: skip


def asked(*parameters: tuple[str, Any]) -> Parameters:
    given = (("start", START), ("end", END), *parameters)
    kinds = {dict: "valueReference", str: "valueString", int: "valueInteger"}
    entries = [{"name": name, kinds[type(value)]: value} for name, value in given]
    return Parameters.of_resource({"resourceType": "Parameters", "parameter": entries})


def wishes(*parameters: tuple[str, Any]) -> Wishes:
    return read_wishes(asked(*parameters), KNOWN, "")


def visit(id_: UUID) -> tuple[str, str]:
    return "visit-type", f"{VISIT_TYPES}|{id_}"


def by(kind: str, id_: UUID) -> dict[str, str]:
    return {"reference": f"{kind}/{id_}"}


@pytest.mark.requirement("ITI-115.10")
def test_what_is_named_first_is_preferred() -> None:
    found = wishes(
        visit(OTHER_VISIT.id), visit(VISIT.id), ("practitioner", by("Practitioner", BEN)), ("practitioner", by("Practitioner", ANN))
    )
    assert [(each.visit_type_id, each.practitioner_id) for each in found.choices] == [
        (OTHER_VISIT.id, BEN), (OTHER_VISIT.id, ANN), (VISIT.id, BEN), (VISIT.id, ANN),
    ]  # fmt: skip
    assert [each.rank for each in found.choices] == [0, 1, 2, 3]


def test_kinds_of_visits_of_one_specialty_are_liked_alike() -> None:
    found = wishes(("specialty", f"{SERVICE.specialty.system}|{SERVICE.specialty.code}"))
    assert [(each.visit_type_id, each.rank) for each in found.choices] == [(VISIT.id, 0), (OTHER_VISIT.id, 0)]


def test_what_is_named_twice_is_searched_once() -> None:
    assert len(wishes(visit(VISIT.id), visit(VISIT.id), ("visit-type", VISIT.name)).choices) == 1


def test_a_practitioner_is_known_by_an_identifier() -> None:
    """The example of ITI-115."""
    named = {"identifier": {"system": "urn:oid:1.3.6.1.4.1.19376.1.2.999", "value": "PR23143"}, "display": "Dr. Pro Vider"}
    given = asked(visit(VISIT.id), ("practitioner", named))
    assert identifiers_of(given) == [("urn:oid:1.3.6.1.4.1.19376.1.2.999", "PR23143")]
    assert [each.practitioner_id for each in read_wishes(given, KNOWN, "").choices] == [ANN]
    unknown = {"identifier": {"system": "urn:oid:1.3.6.1.4.1.19376.1.2.999", "value": "PR1"}}
    with pytest.raises(InvalidElement):
        wishes(visit(VISIT.id), ("practitioner", unknown))


@pytest.mark.requirement("ITI-115.9", "ITI-115.11")
@pytest.mark.parametrize(
    ("place", "sites"),
    [
        ([("location-reference", by("Location", COAST.id)), ("location-reference", by("Location", CITY.id))], [COAST.id, CITY.id]),
        ([("location-string", "liè")], [CITY.id]),
        ([("location-string", "4000")], [CITY.id]),
        ([("location-string", "dijk"), ("location-string", "rue")], [COAST.id, CITY.id]),
        ([("location-string", "Haute")], []),
        ([("organization", by("Organization", HOSPITAL))], [CITY.id]),
        ([("organization", by("Organization", HOSPITAL)), ("location-string", "dijk")], []),
        ([], [None]),
    ],
)
def test_places_are_asked_for_by_reference_address_or_organization(place: list[tuple[str, Any]], sites: list[UUID | None]) -> None:
    assert [each.site_id for each in wishes(visit(VISIT.id), *place).choices] == sites


@pytest.mark.requirement("ITI-115.9")
def test_timing_narrows_to_days_and_a_part_of_the_day() -> None:
    found = wishes(visit(VISIT.id), ("timing", {"repeat": {"dayOfWeek": ["tue", "fri"], "when": ["AFT"]}}))
    assert (found.preferred.weekdays, found.preferred.earliest_minute, found.preferred.latest_minute) == ((1, 4), 720, 1080)
    assert found.unheeded == ()


def test_the_bounds_of_timing_narrow_the_span() -> None:
    bounds = {"start": "2026-11-27T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
    found = wishes(visit(VISIT.id), ("timing", {"repeat": {"boundsPeriod": bounds}}))
    assert (found.start, found.end) == (datetime(2026, 11, 27, tzinfo=UTC), datetime.fromisoformat(END))
    outside = {"start": "2027-01-01T00:00:00Z"}
    assert wishes(visit(VISIT.id), ("timing", {"repeat": {"boundsPeriod": outside}})).choices == ()


@pytest.mark.parametrize("repeat", [{"frequency": 2, "period": 1, "periodUnit": "d"}, {"when": ["MORN", "EVE"]}, {"when": ["ACM"]}])
def test_timing_that_is_not_understood_is_told(repeat: dict[str, Any]) -> None:
    assert wishes(visit(VISIT.id), ("timing", {"repeat": repeat})).unheeded == ("timing",)


def test_what_makes_no_difference_is_told() -> None:
    assert wishes(visit(VISIT.id), ("reason", "a cough")).unheeded == ("reason",)


def test_ids_of_ours_need_no_catalogue() -> None:
    assert own_ids(asked(visit(VISIT.id))) == [VISIT.id]
    assert own_ids(asked(visit(VISIT.id), ("visit-type", VISIT.name))) is None
    assert own_ids(asked(visit(VISIT.id), ("specialty", "394579002"))) is None
    assert own_ids(asked()) is None


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(MissingElement):
        wishes()
    for name, value in (("visit-type", "Tea"), ("location-string", " "), ("location-reference", by("Patient", ANN)), ("_count", "many")):
        with pytest.raises(InvalidElement):
            wishes(visit(VISIT.id), (name, value))
    many = [("practitioner", by("Practitioner", known_id(600 + number))) for number in range(25)]
    with pytest.raises(SearchTooWide):
        wishes(visit(VISIT.id), *many)
