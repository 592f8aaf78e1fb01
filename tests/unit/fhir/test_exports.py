"""What a kick-off says, which files follow from it, and what is asked that is not served (Bulk Data Access 2.0, export)."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from carewright.fhir.model import exports as model
from carewright.fhir.model.exports import Export, Piece, Wish
from carewright.kernel.errors import BadInput

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EXPORT = Export(id=UUID(int=7), kinds=("Patient", "Appointment"), since=None, request="r", asked_at=NOW, until=NOW + model.KEPT)


def test_types_come_in_one_list_or_several() -> None:
    wish = model.wish_in([("_type", "Patient,Appointment"), ("_type", "Patient"), ("_since", "2026-11-01T00:00:00+01:00")], lenient=False)
    assert wish.kinds == ("Patient", "Appointment")
    assert wish.since == datetime(2026, 10, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-01", "yesterday", "", "2026-11-01T00:00:00"])
def test_since_is_an_instant(text: str) -> None:
    with pytest.raises(BadInput):
        model.wish_in([("_since", text)], lenient=True)


@pytest.mark.parametrize("text", ["application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson"])
def test_every_name_of_ndjson_is_understood(text: str) -> None:
    assert model.wish_in([("_outputFormat", text)], lenient=False) == Wish()


def test_what_is_not_served_is_refused_unless_they_are_lenient() -> None:
    for pairs in ([("includeAssociatedData", "RelevantProvenanceResources")], [("organizeOutputBy", "Patient")], [("_elements", "a b")]):
        with pytest.raises(BadInput):
            model.wish_in(pairs, lenient=False)
        assert model.wish_in(pairs, lenient=True) == Wish()
    with pytest.raises(BadInput):
        model.wish_in([("_outputFormat", "text/csv")], lenient=True)
    with pytest.raises(BadInput):
        model.kinds_of("Patient", Wish(kinds=("Patient", "Location")), lenient=False)
    assert model.kinds_of("Patient", Wish(kinds=("Patient", "Location")), lenient=True) == ("Patient",)
    assert model.kinds_of("Patient", Wish(), lenient=False) == ("Patient", "Appointment", "Encounter")


def test_appointments_come_by_month_and_every_name_leads_back() -> None:
    pieces = list(model.pieces_of(EXPORT, datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)))
    names = ["Patient.ndjson", *(f"Appointment-{month}.ndjson" for month in ("2026-11", "2026-12", "2027-01", "2027-02"))]
    assert [piece.name for piece in pieces] == names
    assert [model.piece_named(name) for name in names] == pieces
    assert list(model.pieces_of(EXPORT, None, None)) == [Piece(kind="Patient")]


@pytest.mark.parametrize(
    "name",
    ["", "Patient", "Patient-2026-11.ndjson", "Appointment.ndjson", "Appointment-2026-13.ndjson", "Appointment-0000-01.ndjson", "../x"],
)
def test_what_is_no_name_of_a_file_leads_nowhere(name: str) -> None:
    assert model.piece_named(name) is None


def test_what_does_not_say_when_it_changed_is_never_left_out() -> None:
    assert model.is_changed({"resourceType": "Patient"}, NOW)
    assert model.is_changed({"meta": {"lastUpdated": "2026-11-26T12:00:01Z"}}, NOW)
    assert not model.is_changed({"meta": {"lastUpdated": "2026-11-26T12:00:00Z"}}, NOW)
    assert model.is_changed({"meta": {"lastUpdated": "2026-11-26T12:00:00Z"}}, None)


def test_a_manifest_has_what_it_must() -> None:
    """Bulk Data, "Response - Complete Status": transactionTime, request, requiresAccessToken, output, error."""
    said = model.manifest(EXPORT, [Piece(kind="Patient")], "https://h.example.org/fhir/R4/$export/7")
    assert said == {
        "transactionTime": "2026-11-26T12:00:00Z", "request": "r", "requiresAccessToken": True, "error": [],
        "output": [{"type": "Patient", "url": "https://h.example.org/fhir/R4/$export/7/Patient.ndjson"}],
    }  # fmt: skip
