"""What a use case may leave out is never a match."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.searching.chaining import resolved
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.narrowing import Narrowing, is_exact, narrowing
from carewright.fhir.model.searching.ranges import FIRST, LAST, Prefix, Span, span_of
from carewright.fhir.model.searching.strings import folded
from carewright.fhir.model.searching.tokens import Token
from tests.unit.fhir.searching.asking import NEW_YORK, Json, search


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ("", Narrowing()),
        ("_id=a,b", Narrowing(ids=frozenset("ab"))),
        ("_id=a,b&_id=b,c", Narrowing(ids=frozenset("b"))),
        ("_id:not=a", Narrowing()),
        ("status=booked,PENDING", Narrowing(statuses=frozenset({"booked", "pending"}))),
        ("status=booked&status=pending", Narrowing(statuses=frozenset())),
        ("status:not=booked", Narrowing()),
        ("status=http://hl7.org/fhir/appointmentstatus|", Narrowing()),
        ("identifier=s|1,2", Narrowing(identifiers=frozenset({Token("s", "1"), Token(None, "2")}))),
        ("patient=p", Narrowing(patient_ids=frozenset("p"), references={"patient": frozenset({"Patient/p"})})),
        ("patient=p,Patient/q", Narrowing(patient_ids=frozenset("pq"), references={"patient": frozenset({"Patient/p", "Patient/q"})})),
        ("patient=p,http://elsewhere.example/Patient/q", Narrowing()),
        ("patient:missing=true", Narrowing()),
        ("actor=Patient/p", Narrowing(patient_ids=frozenset("p"), references={"actor": frozenset({"Patient/p"})})),
        ("practitioner=r", Narrowing(references={"practitioner": frozenset({"Practitioner/r"})})),
        ("practitioner=r&practitioner=s", Narrowing(references={"practitioner": frozenset({"Practitioner/r"})})),
        ("patient:identifier=s|1", Narrowing()),
        ("date=2026-01-14", Narrowing(starts=span_of("2026-01-14", NEW_YORK))),
        ("date=2026-01-14,2026-01-16", Narrowing(starts=Span(span_of("2026-01-14", NEW_YORK).start, span_of("2026-01-16", NEW_YORK).end))),
        (
            "date=lt2026-01-14&date=sa2026-01-10",
            Narrowing(starts=Span(span_of("2026-01-10", NEW_YORK).end, span_of("2026-01-14", NEW_YORK).start)),
        ),
        ("date=ne2026-01-14", Narrowing(starts=Span(FIRST, LAST))),
    ],
)
def test_a_search_bounds_what_it_can_find(query: str, bounds: Narrowing) -> None:
    assert narrowing(search("Appointment", query, NEW_YORK, strict=False)) == bounds


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ("name=Bé,adams", Narrowing(names=frozenset({"be", "adams"}))),
        ("name:exact=Bea", Narrowing()),
        ("phonetic=smith", Narrowing()),
        ("birthdate=1970-06-15", Narrowing(born_on=frozenset({date(1970, 6, 15)}))),
        ("birthdate=1970-06", Narrowing()),
        ("birthdate=ge1970-06-15", Narrowing()),
    ],
)
def test_a_search_for_a_person_bounds_names_and_birthdays(query: str, bounds: Narrowing) -> None:
    assert narrowing(search("Patient", query, NEW_YORK)) == bounds


def test_an_answered_chain_bounds_as_a_reference_does() -> None:
    asked = search("Appointment", "patient.name=x")
    assert narrowing(asked) == Narrowing()
    whole = resolved(asked, [[{"resourceType": "Patient", "id": "p"}]])
    assert narrowing(whole).patient_ids == frozenset("p")
    assert narrowing(resolved(asked, [[]])).patient_ids == frozenset()


def test_what_has_found_bounds_the_ids() -> None:
    asked = search("Patient", "_has:Observation:subject:code=1&_id=p,q")
    results = [{"resourceType": "Observation", "subject": {"reference": subject}} for subject in ("Patient/p", "Device/q")]
    assert narrowing(resolved(asked, [results])).ids == frozenset("p")


MINUTES = st.integers(0, 4000).map(lambda minute: datetime.fromtimestamp(1_768_000_000 + 60 * minute, UTC))
TEXT = st.builds(
    lambda moment, form: moment.strftime(form), MINUTES, st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S.25Z"])
)
CRITERIA = st.one_of(
    st.builds(lambda prefix, text, more: f"date={prefix}{text},{more}", st.sampled_from(get_args(Prefix)), TEXT, TEXT),
    st.builds(lambda prefix, text: f"date={prefix}{text}", st.sampled_from(get_args(Prefix)), TEXT),
    st.sampled_from(["patient=p", "patient=q,p", "actor=Practitioner/p", "actor=Patient/q", "patient:missing=false", "practitioner=p"]),
    st.sampled_from(["status=booked", "status=pending,booked", "status:not=booked", "_id=1", "_id=1,2", "_id:not=1"]),
)
ACTORS = st.lists(st.sampled_from(["Patient/p", "Patient/q", "Practitioner/p", "Practitioner/q"]), max_size=3)


def appointment(number: int, start: datetime, status: str, actors: list[str]) -> Json:
    participants = [{"actor": {"reference": actor}} for actor in actors]
    return {"resourceType": "Appointment", "id": str(number), "start": start.isoformat(), "status": status, "participant": participants}


def lies_within(resource: Json, bounds: Narrowing) -> bool:
    actors = {participant["actor"]["reference"] for participant in resource["participant"]}
    start = datetime.fromisoformat(resource["start"])
    return all([
        bounds.ids is None or resource["id"] in bounds.ids,
        bounds.statuses is None or resource["status"] in bounds.statuses,
        bounds.patient_ids is None or {f"Patient/{each}" for each in bounds.patient_ids} & actors,
        all(places & actors for places in bounds.references.values()),
        bounds.starts is None or bounds.starts.start <= start < bounds.starts.end,
    ])  # fmt: skip


@given(
    st.lists(CRITERIA, min_size=1, max_size=3),
    st.builds(appointment, st.integers(1, 2), MINUTES, st.sampled_from(["booked", "pending"]), ACTORS),
)
def test_every_match_lies_within_the_bounds(criteria: list[str], resource: Json) -> None:
    asked = search("Appointment", "&".join(criteria))
    assert not matches(asked, resource) or lies_within(resource, narrowing(asked))


@given(
    st.lists(CRITERIA, min_size=1, max_size=2),
    st.builds(appointment, st.integers(1, 2), MINUTES, st.sampled_from(["booked", "pending"]), ACTORS),
)
def test_exact_bounds_hold_matches_alone(criteria: list[str], resource: Json) -> None:
    asked = search("Appointment", "&".join(criteria))
    assert not is_exact(asked) or not lies_within(resource, narrowing(asked)) or matches(asked, resource)


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("patient=p&date=ge2026-01-14&date=lt2026-02&status=booked&practitioner=r", True),
        ("_id=1,2", True),
        ("patient=p&patient=q", False),
        ("actor=p", False),
        ("practitioner=Patient/p", False),
        ("patient=http://elsewhere.example/Patient/p", False),
        ("status:not=booked", False),
        ("status=http://hl7.org/fhir/appointmentstatus|booked", False),
        ("date=2026-01-14,2026-01-16", False),
        ("date=ne2026-01-14", False),
        ("date=ge2026-01-14T09:00:00.5Z", False),
        ("patient.family=x", False),
        ("location=x", False),
    ],
)
def test_bounds_are_exact_where_nothing_is_left_to_decide(query: str, holds: bool) -> None:
    assert is_exact(search("Appointment", query, NEW_YORK)) is holds


@given(st.text(alphabet="aàbB ", min_size=1, max_size=4).filter(str.strip), st.text(alphabet="aàbB ", min_size=1, max_size=6))
def test_every_match_by_name_begins_as_the_bounds_say(asked: str, family: str) -> None:
    whole = search("Patient", f"family={asked}")
    names = narrowing(whole).names
    assert names is not None
    if matches(whole, {"resourceType": "Patient", "name": [{"family": family}]}):
        assert any(folded(family).startswith(name) for name in names)
