"""Expectations of a public suite: Microsoft's FHIR Server for Azure (github.com/microsoft/fhir-server, MIT licence), folder
test/Microsoft.Health.Fhir.Shared.Tests.E2E/Rest/Search. Each line is a value and the places of the resources that it finds.

Left out, because the suite departs from R4 there: `eq` and `ne` of dates by overlap instead of containment; fractions finer than a
microsecond; texts of `:above` and `:below` that are no path; identifiers that differ in case only.
"""

import pytest

from tests.unit.fhir.searching.asking import Json, found


def observation(**fields: object) -> Json:
    return {"resourceType": "Observation", "id": "1", **fields}


DATES = [
    *(
        observation(effectiveDateTime=text)
        for text in ("1979-12-31", "1980", "1980-05", "1980-05-11", "1980-05-11T16:32:15Z", "1980-05-11T16:32:15.500Z", "1981-01-01")
    ),
    observation(effectivePeriod={"start": "1980-05-16", "end": "1980-05-17"}),
]
DATE_CASES = """
lt1980 0 | lt1980-04 01 | lt1980-05 01 | lt1980-05-10 012 | lt1980-05-11 012 | lt1980-05-11T16:32:14 0123 | lt1980-05-11T16:32:15 0123
lt1980-05-11T16:32:15.500 01234 | lt1980-05-11T16:32:16 012345 | lt1980-05-12 012345 | lt1980-06 0123457 | lt1981 0123457
gt1980 6 | gt1980-04 1234567 | gt1980-05 16 | gt1980-05-11 1267 | gt1980-05-11T16:32:14 1234567 | gt1980-05-11T16:32:15 12367
gt1980-05-11T16:32:15.500 123467 | gt1980-05-11T16:32:16 12367 | gt1980-05-12 1267 | gt1980-06 16
le1980 0123457 | le1980-04 01 | le1980-05 0123457 | le1980-05-10 012 | le1980-05-11 012345 | le1980-05-11T16:32:14 0123
le1980-05-11T16:32:15 012345 | le1980-05-11T16:32:15.500 012345 | le1980-05-11T16:32:16 012345 | le1980-05-12 012345 | le1981 01234567
ge1980 1234567 | ge1980-04 1234567 | ge1980-05 1234567 | ge1980-05-11 1234567 | ge1980-05-11T16:32:14 1234567
ge1980-05-11T16:32:15 1234567 | ge1980-05-11T16:32:15.500 1234567 | ge1980-05-11T16:32:16 12367 | ge1980-05-12 1267 | ge1980-06 16
sa1980 6 | sa1980-04 234567 | sa1980-05 6 | sa1980-05-10 34567 | sa1980-05-11 67 | sa1980-05-11T16:32:14 4567 | sa1980-05-11T16:32:15 67
sa1980-05-11T16:32:15.500 67 | sa1980-05-11T16:32:16 67 | sa1980-05-12 67 | sa1980-06 6 | sa1981
eb1980 0 | eb1980-04 0 | eb1980-05 0 | eb1980-05-11 0 | eb1980-05-11T16:32:14 0 | eb1980-05-11T16:32:15 0
eb1980-05-11T16:32:15.500 0 | eb1980-05-11T16:32:16 045 | eb1980-05-12 0345 | eb1980-06 023457
"""
QUANTITIES = [
    observation(valueQuantity={"value": value, "unit": unit, "code": unit, "system": system})
    for value, unit, system in (
        (0.002, "unit1", "system1"), (1.0, "unit1", "system1"), (3.12, "unit1", "system2"), (4.0, "unit1", "system1"),
        (5.0, "unit1", "system1"), (5.0, "unit2", "system2"), (6.0, "unit2", "system2"), (8.95, "unit2", "system1"),
        (10.0, "unit1", "system1"),
    )
]  # fmt: skip
QUANTITY_CASES = """
30 | 0.002 0 | 2e-3 0 | 2E-3 0 | 5 45 | 5.000 45 | eq30 | eq2e-3 0 | eq5 45 | eq5.000 45 | ne5 0123678 | ne5.000 0123678 | lt4.9 0123
lt5 0123 | lt5.000 0123 | lt5.01 012345 | gt4.9 45678 | gt5 678 | gt5.000 678 | gt5.1 678 | le4.9 0123 | le5 012345 | le5.0001 012345
ge4.9999 45678 | ge5 45678 | ge5.001 678 | sa4.9999 45678 | sa5 678 | eb5 0123 | eb5.0001 012345
30~system1 | 5~system1 4 | eq5.000~system1 4 | ne2e-3 12345678 | ne5~system1 01378 | lt3e-3~system1 0 | lt4E-2 0 | lt5~system1 013
lt5.01~system1 0134 | gt2e-3~system1 13478 | gt2e-3~system2 256 | gt5~system1 78 | le1E-2~system1 0 | le1E-2~system2 | le5~system1 0134
ge5~system1 478 | ge5.001~system1 78 | sa5~system1 78 | eb2E-2~system1 0 | eb5~system1 013
30~~unit2 | 2e-3~~unit1 0 | 2.00e-3~~unit1 0 | 2e-3~~unit2 | 5~~unit2 5 | ne5~~unit2 67 | lt5~~unit2 | lt5.01~~unit2 5 | gt4.9~~unit2 567
le5~~unit2 5 | ge5~~unit2 567 | sa5~~unit2 67 | eb5~~unit2 | eb5.0001~~unit2 5
5~system1~unit2 | 0.002~system1~unit1 0 | 2e-3~system2~unit1 | ne5~system1~unit2 7 | lt5.01~system1~unit2 | gt4.9~system1~unit2 7
le5~system1~unit2 | ge5~system1~unit2 7 | sa5~system1~unit2 7 | eb5~system1~unit2
"""


def cases(text: str) -> list[tuple[str, list[int]]]:
    """A value and the digits of what it finds, `~` for a bar, between bars or at the ends of lines."""
    lines = [case.split() for case in text.strip().replace("\n", " | ").split(" | ")]
    return [(line[0].replace("~", "|"), [int(digit) for digit in "".join(line[1:])]) for line in lines]


@pytest.mark.parametrize(("value", "wanted"), cases(DATE_CASES))
def test_date_search_tests(value: str, wanted: list[int]) -> None:
    assert found(f"date={value}", DATES) == wanted


@pytest.mark.parametrize(("value", "wanted"), cases(QUANTITY_CASES))
def test_quantity_search_tests(value: str, wanted: list[int]) -> None:
    assert found(f"value-quantity={value}", QUANTITIES) == wanted


PEOPLE: list[Json] = [
    {"resourceType": "Patient", "address": [{"city": city}], "name": [{"family": family, "given": [given] if given else []}]}
    for city, family, given in (
        ("Seattle", "Smith", "Bea"), ("Portland", "Williams", None), ("Vancouver", "Anderson", None), ("Lorem ipsum", "Murphy", None),
        ("Montreal", "Richard", "Bea"), ("New York", "Muller", None), ("Portland", "Müller", None), ("Moscow", "Richard,Muller", None),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("address-city=seattle", [0]), ("address-city=SEATTLE", [0]), ("address-city=sea", [0]), ("address-city=123", []),
        ("address-city:exact=Seattle", [0]), ("address-city:exact=seattle", []), ("address-city:exact=SEATTLE", []),
        ("address-city:exact=Sea", []), ("address-city:contains=att", [0]), ("address-city:contains=EAT", [0]),
        ("address-city:contains=123", []), ("family=Smith,Ander", [0, 2]), ("name=Bea&name=Smith", [0]), ("name=muller", [5, 6]),
        ("name=müller", [5, 6]), ("name=Richard\\,Muller", [7]),
    ],
)  # fmt: skip
def test_string_search_tests(query: str, wanted: list[int]) -> None:
    assert found(query, PEOPLE) == wanted


def concept(*codings: tuple[str | None, str] | tuple[str | None, str, str], text: str | None = None) -> Json:
    names = ("system", "code", "display")
    made: Json = {"coding": [{name: part for name, part in zip(names, coding, strict=False) if part} for coding in codings]}
    return observation(valueCodeableConcept=made | ({"text": text} if text else {}))


CONCEPTS = [
    concept(("system1", "code1")),
    concept(("system2", "code2")),
    concept(text="text"),
    concept(("system1", "code2", "text2")),
    concept(("system3", "code3", "text")),
    concept(("system1", "code1"), ("system3", "code2"), text="text"),
    concept(("system2", "code1"), ("system3", "code3", "text2")),
    concept((None, "code3")),
    observation(category=[{"coding": [{"system": "system", "code": "test"}]}]),
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("value-concept:text=code1", []), ("value-concept:text=text", [2, 3, 4, 5, 6]), ("value-concept:text=text2", [3, 6]),
        ("category:not=test", [0, 1, 2, 3, 4, 5, 6, 7]), ("category:not=test&value-concept:not=code1", [1, 2, 3, 4, 7]),
    ],
)  # fmt: skip
def test_token_search_tests(query: str, wanted: list[int]) -> None:
    assert found(query, CONCEPTS) == wanted


REFERRING: list[Json] = [
    {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/123"}},
    {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/abc"}},
    {"resourceType": "Patient", "managingOrganization": {"reference": "ijk"}},
    {"resourceType": "Patient", "generalPractitioner": [{"reference": "Practitioner/p1"}]},
    {"resourceType": "Patient", "generalPractitioner": [{"reference": "p2"}]},
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("organization=Organization/123", [0]), ("organization=123", [0]), ("organization=Organization/1", []),
        ("organization=organization/123", []), ("organization=ijk", [2]), ("general-practitioner=Practitioner/p1", [3]),
        ("general-practitioner:Practitioner=Practitioner/p1", [3]), ("general-practitioner:Practitioner=p1", [3]),
        ("general-practitioner=Practitioner/p2", []), ("general-practitioner=p2", [4]),
    ],
)  # fmt: skip
def test_reference_search_tests(query: str, wanted: list[int]) -> None:
    assert found(query, REFERRING) == wanted


SITES: list[Json] = [
    {"resourceType": "Device", "url": url}
    for url in (
        "http://somewhere.com/test/system",
        "urn://localhost/test",
        "http://example.org/rdf#54135-9",
        "http://example.org/rdf#54135-9-9",
    )
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("url=http://somewhere.com/test/system", [0]), ("url=http://somewhere.COM/test/system", []),
        ("url=http://example.org/rdf#54135-9", [2]), ("url=urn://localhost/test", [1]),
        ("url:above=http://somewhere.com/test/system/123", [0]), ("url:above=test", []), ("url:below=test", []), ("url:below=urn", []),
    ],
)  # fmt: skip
def test_uri_search_tests(query: str, wanted: list[int]) -> None:
    assert found(query, SITES) == wanted
