"""Cookies: what they are called, what a browser is told of them, and what fits into one."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel.http.cookies import BYTES_MAX, CLEAR, PREFIX, Cookies
from carewright.kernel.http.guard import PLACE_LENGTH_MAX, local_path
from carewright.kernel.invariants import InvariantBroken

DAY = 24 * 3600


def asked(scheme: str = "https", cookie: str = "") -> Request:
    headers = [(b"host", b"a.test"), (b"cookie", cookie.encode())]
    return Request({"type": "http", "scheme": scheme, "method": "GET", "path": "/", "query_string": b"", "headers": headers})


def told(response: Response) -> list[str]:
    return response.headers.getlist("set-cookie")


@pytest.mark.parametrize("cookies", [Cookies(asked()), Cookies(asked("http"), secure=True)])
def test_over_https_a_cookie_is_the_hosts_own(cookies: Cookies) -> None:
    response = Response()
    cookies.put(response, "one", "v", DAY)
    cookies.drop(response, "one", "two")
    assert [each.partition("=")[0] for each in told(response)] == ["__Host-one", "__Host-one", "__Host-two"]
    for each in told(response):
        parts = set(each.split("; ")[1:])
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= parts
        assert not any(part.startswith("Domain") for part in parts)


def test_on_plain_http_names_are_plain_since_browsers_refuse_the_prefix_there() -> None:
    response = Response()
    Cookies(asked("http")).put(response, "one", "v", DAY)
    assert told(response) == [f"one=v; HttpOnly; Max-Age={DAY}; Path=/; SameSite=lax"]


def test_a_cookie_that_anybody_could_have_set_is_not_looked_at() -> None:
    both = f"one=theirs; {PREFIX}one=ours"
    assert Cookies(asked(cookie=both)).get("one") == "ours"
    assert Cookies(asked(cookie="one=theirs")).get("one") == ""
    assert Cookies(asked("http", both)).get("one") == "theirs"


def test_signing_out_clears_what_the_browser_keeps() -> None:
    response = Response()
    Cookies(asked()).sign_out(response, "one")
    assert response.headers["clear-site-data"] == CLEAR
    assert "Max-Age=0" in told(response)[0]


def test_a_cookie_that_no_browser_keeps_is_never_sent() -> None:
    with pytest.raises(InvariantBroken):
        Cookies(asked()).put(Response(), "one", "v" * BYTES_MAX, DAY)


@pytest.mark.parametrize("letter", ["a", ";", '"', ","])
def test_the_longest_place_fits_whatever_it_is_made_of(letter: str) -> None:
    place = "/" + letter * (PLACE_LENGTH_MAX - 1)
    assert local_path(place, "/") == place
    Cookies(asked()).put(Response(), "carewright_place", place, DAY)


@pytest.mark.parametrize("place", ["/" + "a" * PLACE_LENGTH_MAX, "/日本", "//evil.test", "/\\evil.test", "https://evil.test"])
def test_another_place_is_none(place: str) -> None:
    assert local_path(place, "/here") == "/here"
