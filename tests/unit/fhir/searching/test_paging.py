"""Order, pages and their links, and what belongs to a page."""

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.including import references_of, referring
from carewright.fhir.model.searching.ordering import order
from carewright.fhir.model.searching.paging import Cursor, decoded, encoded, links, page
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.refusals import BadCursor
from carewright.fhir.store import search_definitions
from tests.unit.fhir.searching.asking import BASE, Json, search, server


def slot(number: int, start: int | None = None, status: str = "free") -> Json:
    begins = {} if start is None else {"start": f"2026-01-{start:02}T09:00:00Z"}
    return {"resourceType": "Slot", "id": f"s{number:03}", "status": status, "schedule": {"reference": f"Schedule/c{number % 3}"}} | begins


def seal(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


SLOTS = st.lists(
    st.builds(slot, st.integers(0, 99), st.one_of(st.none(), st.integers(1, 5)), st.sampled_from(["free", "busy"])),
    max_size=12,
    unique_by=lambda each: str(each["id"]),
)
SORTS = st.sampled_from(["start", "-start", "status,-start", "-status,start", "_id", "-_id", "schedule"])


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("start", ["s2", "s4", "s1", "s3"]),
        ("-start", ["s1", "s2", "s4", "s3"]),
        ("status,-start", ["s4", "s1", "s2", "s3"]),
        ("-_id", ["s4", "s3", "s2", "s1"]),
    ],
)
def test_what_has_no_value_comes_last_and_equals_go_by_their_ids(sort: str, ids: list[str]) -> None:
    slots = [slot(1, 3), slot(2, 1), slot(3), slot(4, 1, "busy")]
    assert [each["id"].replace("s00", "s") for each in order(search("Slot", f"_sort={sort}"), slots)] == ids


def test_every_type_has_its_order() -> None:
    people: list[Json] = [
        {"resourceType": "Patient", "id": "1", "name": [{"given": ["Bea"], "family": "Öre"}], "birthDate": "1980"},
        {"resourceType": "Patient", "id": "2", "name": [{"text": "Adams"}], "birthDate": "1979-12-31", "active": True},
        {
            "resourceType": "Patient",
            "id": "3",
            "name": [{"family": "Zander", "given": ["Al"]}],
            "generalPractitioner": [{"reference": "A/1"}],
        },
    ]
    by = {code: [each["id"] for each in order(search("Patient", f"_sort={code}"), people)] for code in ("name", "birthdate", "active")}
    assert by == {"name": ["2", "1", "3"], "birthdate": ["2", "1", "3"], "active": ["2", "1", "3"]}
    assert order(search("Patient", "_sort=general-practitioner"), people)[0]["id"] == "3"
    measured = [{"resourceType": "Observation", "id": str(number), "valueQuantity": {"value": number}} for number in (9, 10, 2.5)]
    assert [each["id"] for each in order(search("Observation", "_sort=-value-quantity"), measured)] == ["10", "9", "2.5"]


def test_several_values_count_by_the_lowest_and_backwards_by_the_highest() -> None:
    people = [{"resourceType": "Patient", "id": n, "name": [{"family": f} for f in names]} for n, names in (("1", "bz"), ("2", "cd"))]
    assert [each["id"] for each in order(search("Patient", "_sort=family"), people)] == ["1", "2"]
    assert [each["id"] for each in order(search("Patient", "_sort=-family"), people)] == ["1", "2"]


@given(SLOTS, SORTS, st.randoms(use_true_random=False))
def test_an_order_is_the_same_whatever_came_first(slots: list[Json], sort: str, chance: random.Random) -> None:
    shuffled = slots.copy()
    chance.shuffle(shuffled)
    asked = search("Slot", f"_sort={sort}")
    assert order(asked, shuffled) == order(asked, slots)
    assert len(order(asked, slots)) == len(slots)


@given(SLOTS, SLOTS, SORTS, st.integers(1, 4))
def test_paging_shows_each_resource_once_while_others_come_in(slots: list[Json], late: list[Json], sort: str, count: int) -> None:
    asked = search("Slot", f"_sort={sort}&_count={count}")
    known = {each["id"] for each in slots}
    coming = [each for each in late if each["id"] not in known]
    shown: list[Json] = []
    cursor: Cursor | None = None
    here = list(slots)
    for _ in range(len(slots) + len(late) + 1):
        one = page(asked, here, cursor)
        assert len(one.resources) <= count
        shown += one.resources
        if one.next is None:
            break
        cursor = decoded(asked, encoded(one.next))
        here += [coming.pop()] if coming else []
    ids = [each["id"] for each in shown]
    assert len(ids) == len(set(ids))
    assert known <= set(ids)


@given(SLOTS, SORTS, st.integers(1, 4))
def test_pages_backwards_are_those_that_were_seen(slots: list[Json], sort: str, count: int) -> None:
    asked = search("Slot", f"_sort={sort}&_count={count}")
    pages = [page(asked, slots)]
    while (cursor := pages[-1].next) and len(pages) <= len(slots):
        pages.append(page(asked, slots, cursor))
    assert pages[0].previous is None
    for earlier, later in pairwise(pages):
        assert later.previous is not None
        assert page(asked, slots, later.previous).resources == earlier.resources


def test_a_page_goes_on_where_its_last_resource_was_taken_away() -> None:
    asked = search("Slot", "_sort=start&_count=2")
    slots = [slot(number, number) for number in range(1, 6)]
    first = page(asked, slots)
    rest = [each for each in slots if each not in first.resources]
    assert [each["id"] for each in page(asked, rest, first.next).resources] == ["s003", "s004"]


def test_a_page_of_none_and_a_count_of_none_have_no_neighbours() -> None:
    assert page(search("Slot", "_count=5"), []).next is None
    assert page(search("Slot", "_count=0"), [slot(1)]).resources == ()


def test_links_show_what_was_understood_and_lead_on() -> None:
    asked = search("Slot", "status=free&colour=blue&_sort=start&_count=9999", strict=False)
    slots = [slot(number, 1) for number in range(501)]
    made = links(asked, page(asked, slots), seal)
    assert set(made) == {"self", "first", "next"}
    assert made["self"] == made["first"] == f"{BASE}/Slot?status=free&_sort=start&_count=500"
    again = search("Slot", urlsplit(made["next"]).query.replace("%3D", "="))
    assert again.cursor is not None
    last = page(again, slots, decoded(again, urlsafe_b64decode(again.cursor)))
    assert [each["id"] for each in last.resources] == ["s500"]
    back = links(again, last, seal)
    assert set(back) == {"self", "first", "previous"}
    assert "_cursor=" in back["self"]


def test_a_link_carries_every_value_unharmed() -> None:
    pairs = [("_tag", "http://t|a+b & c=d#é%"), ("_count", "50")]
    asked = parse(search_definitions(), "Slot", pairs, server())
    assert parse_qsl(urlsplit(links(asked, page(asked, []), seal)["self"]).query) == pairs


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b'["x",["Slot/1"],false]',
        b'["{digest}",[],false]',
        b'["{digest}",[1.5,"Slot/1"],false]',
        b'["{digest}",[null,null],false]',
    ],
)
def test_a_cursor_of_something_else_is_refused(data: bytes) -> None:
    asked = search("Slot", "_sort=start")
    mine = page(search("Slot", "_sort=start&_count=1"), [slot(1), slot(2)]).next
    assert mine is not None
    with pytest.raises(BadCursor):
        decoded(asked, data.replace(b"{digest}", mine.digest.encode()))


def test_a_cursor_is_of_one_search_whatever_its_pages_look_like() -> None:
    cursor = page(search("Slot", "_sort=start&_count=1"), [slot(1), slot(2)]).next
    assert cursor is not None
    assert decoded(search("Slot", "_sort=start&_count=7&_summary=data&_include=Slot:schedule"), encoded(cursor)) == cursor
    for other in ("_sort=-start", "_sort=start&status=free", "_sort=status"):
        with pytest.raises(BadCursor):
            decoded(search("Slot", other), encoded(cursor))


APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a1",
    "slot": [{"reference": "Slot/s1"}],
    "participant": [
        {"actor": {"reference": "Patient/p1"}},
        {"actor": {"reference": f"{BASE}/Practitioner/r1"}},
        {"actor": {"reference": "http://elsewhere.example/Patient/p2"}},
        {"actor": {"display": "somebody"}},
    ],
}


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("_include=Appointment:actor", {"Patient/p1", "Practitioner/r1"}),
        ("_include=Appointment:actor:Patient", {"Patient/p1"}),
        ("_include=Appointment:patient&_include=Appointment:slot", {"Patient/p1", "Slot/s1"}),
        ("_include=*", {"Patient/p1", "Practitioner/r1", "Slot/s1"}),
        ("_include=Slot:schedule", set()),
        ("_revinclude=Encounter:appointment", set()),
        ("status=booked", set()),
    ],
)
def test_an_include_names_what_a_match_refers_to_on_this_server(query: str, places: set[str]) -> None:
    assert references_of(search("Appointment", query), [APPOINTMENT]) == places


def test_what_was_included_leads_on_only_where_that_was_asked() -> None:
    asked = search("Appointment", "_include=Appointment:slot&_include:iterate=Slot:schedule")
    assert references_of(asked, [slot(1)], is_iterated=True) == {"Schedule/c1"}
    assert references_of(search("Appointment", "_include=Slot:schedule"), [slot(1)], is_iterated=True) == frozenset()


def test_a_reverse_include_is_a_search_for_what_refers_to_the_matches() -> None:
    asked = search("Schedule", "_revinclude=Slot:schedule&_revinclude=Appointment:slot")
    schedules = [{"resourceType": "Schedule", "id": "c1"}, {"resourceType": "Schedule", "id": "c2"}]
    (slots,) = referring(asked, schedules)
    assert [matches(slots, each) for each in (slot(0), slot(1), slot(2))] == [False, True, True]
    assert referring(asked, []) == ()


def test_a_reverse_include_may_be_of_one_target_alone() -> None:
    asked = search("Patient", "_revinclude=Observation:subject:Device&_revinclude=Observation:focus:Patient")
    (focussed,) = referring(asked, [{"resourceType": "Patient", "id": "p"}])
    assert [each.parameter.code for each in focussed.criteria] == ["focus"]
