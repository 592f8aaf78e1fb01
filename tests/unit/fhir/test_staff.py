import pytest

from carewright.fhir.model import r4, staff
from tests.unit.fhir.rows import NUCC, SNOMED


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (NUCC, "163W00000X", "nurse"),
        (NUCC, "163WP2201X", "nurse"),
        (NUCC, "164X00000X", "nurse"),
        (NUCC, "363LF0000X", "practitioner"),
        (NUCC, "364S00000X", "practitioner"),
        (NUCC, "208D00000X", "practitioner"),
        (NUCC, "2471R0002X", "technician"),
        (NUCC, "183700000X", "technician"),
        (NUCC, "183500000X", "practitioner"),
        (SNOMED, "224535009", "nurse"),
        (SNOMED, "159016003", "technician"),
        (SNOMED, "309343006", "practitioner"),
        (SNOMED, "73211009", None),
        ("http://terminology.hl7.org/CodeSystem/practitioner-role", "nurse", "nurse"),
        ("http://terminology.hl7.org/CodeSystem/v2-0360/2.7", "RN", "nurse"),
        ("http://terminology.hl7.org/CodeSystem/v2-0360", "BS", None),
        ("urn:unknown", "163W00000X", None),
    ],
)
def test_a_code_says_who_somebody_is(system: str, code: str, kind: str | None) -> None:
    assert staff.kind_of_coding(r4.Coding(system=system, code=code)) == kind


def test_several_roles_make_somebody_the_most_independent_of_them() -> None:
    assert staff.strongest(["technician", None, "nurse"]) == "nurse"
    assert staff.strongest(["nurse", "practitioner"]) == "practitioner"
    assert staff.strongest([None]) is None
