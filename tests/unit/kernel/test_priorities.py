"""Which priority an address has."""

from typing import Any

import pytest
from starlette.routing import Route as Page

from carewright.kernel.http.priorities import UNKNOWN, Address, Addresses, listed, priority_of
from carewright.kernel.http.routes import Nothing, Route
from carewright.kernel.priority import Priority, current, working_as

HANDLE: Any = None
ROUTES = [
    Route("GET", "/api/v1/rooms/{room_id}", HANDLE, "Get.", None, Nothing),
    Route("PUT", "/api/v1/rooms/{room_id}", HANDLE, "Put.", None, Nothing),
    Route("POST", "/api/v1/rooms/find", HANDLE, "Find.", None, Nothing, priority=Priority.LOOK),
    Route("POST", "/api/v1/alerts/{alert_id}/acknowledge", HANDLE, "Acknowledge.", None, Nothing, priority=Priority.EMERGENCY),
]
PAGES = [
    Page("/", HANDLE), Page("/live", HANDLE), Page("/feeds/{token}.ics", HANDLE), Page("/static/{name:path}", HANDLE),
    Page("/fhir/{kind}", HANDLE, methods=["GET", "POST"]), Page("/fhir/{kind}/{id}", HANDLE, methods=["GET", "PUT"]),
    Page("/fhir/Visit/{id}/$end", HANDLE, methods=["POST"]), Page("/both", HANDLE, methods=["GET", "POST"]),
]  # fmt: skip
DECLARED = {
    "/live": None, "/static/{name:path}": None, "/feeds/{token}.ics": Priority.REPORT, "/both": Priority.PRESENCE,
    "POST /fhir/Encounter": Priority.PRESENCE,
}  # fmt: skip
ADDRESSES = Addresses(listed(ROUTES, PAGES, DECLARED))
ID = "019a0000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "pattern", "priority"),
    [
        ("GET", f"/api/v1/rooms/{ID}", "/api/v1/rooms/{room_id}", Priority.LOOK),
        ("HEAD", f"/api/v1/rooms/{ID}", "/api/v1/rooms/{room_id}", Priority.LOOK),
        ("PUT", f"/api/v1/rooms/{ID}", "/api/v1/rooms/{room_id}", Priority.CHANGE),
        ("POST", "/api/v1/rooms/find", "/api/v1/rooms/find", Priority.LOOK),
        ("POST", f"/api/v1/alerts/{ID}/acknowledge", "/api/v1/alerts/{alert_id}/acknowledge", Priority.EMERGENCY),
        ("GET", "/", "/", Priority.LOOK),
        ("GET", "/live", "/live", None),
        ("GET", "/static/fonts/a/b.css", "/static/{name:path}", None),
        ("GET", "/feeds/abc.ics", "/feeds/{token}.ics", Priority.REPORT),
        ("GET", "/both", "/both", Priority.PRESENCE),
        ("POST", "/both", "/both", Priority.PRESENCE),
        ("GET", "/fhir/Encounter", "/fhir/{kind}", Priority.LOOK),
        ("POST", "/fhir/Encounter", "/fhir/Encounter", Priority.PRESENCE),
        ("POST", "/fhir/Patient", "/fhir/{kind}", Priority.CHANGE),
        ("GET", "/fhir/Visit/1", "/fhir/{kind}/{id}", Priority.LOOK),
        ("POST", "/fhir/Visit/1/$end", "/fhir/Visit/{id}/$end", Priority.CHANGE),
        ("GET", "/nobody/serves/this", UNKNOWN, Priority.LOOK),
        ("BREW", "/fhir/Patient", UNKNOWN, Priority.CHANGE),
        ("GET", "/{}/{:path}/" + "x/" * 5000, UNKNOWN, Priority.LOOK),
    ],
)
def test_an_address_has_the_priority_that_its_route_says_or_its_method(method: str, path: str, pattern: str, priority: Any) -> None:
    assert ADDRESSES.of(method, path) == Address(pattern, priority)


def test_a_route_is_read_or_changed_unless_it_says_more() -> None:
    assert [priority_of(route) for route in ROUTES] == [Priority.LOOK, Priority.CHANGE, Priority.LOOK, Priority.EMERGENCY]


def test_work_has_the_priority_of_its_request_and_none_without() -> None:
    assert current() is None
    with working_as(Priority.EMERGENCY):
        with working_as(Priority.LOOK):
            assert current() is Priority.LOOK
        assert current() is Priority.EMERGENCY
    assert current() is None
