"""The gate: whose address counts, what may come twice, and who gets told to wait."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from carewright.kernel import telemetry
from carewright.kernel.authz import Actor
from carewright.kernel.errors import BadInput, NotFound, TooManyRequests
from carewright.kernel.http.gate import Careful, Gate, address_of
from carewright.kernel.http.settings import EdgeSettings
from carewright.kernel.limits import Limits
from carewright.kernel.settings import StartFailed
from tests.samples import known_id

SECRET = b"0123456789abcdef0123456789abcdef"
FEW = {
    "actor_reads_per_minute": 3, "actor_changes_per_minute": 2, "machine_requests_per_minute": 5, "address_requests_per_minute": 6,
    "address_sign_ins_per_minute": 2, "address_holds_per_minute": 1,
}  # fmt: skip
CAREFUL = (Careful("/sign-in", "sign_in"), Careful("/sign-in/code", "sign_in"), Careful("/visits/{id}/hold", "hold"))
PROXY = "10.0.0.9"


def gate(**settings: Any) -> Gate:
    return Gate(EdgeSettings(**FEW | settings), Limits(lambda: 0.0), SECRET, CAREFUL)


def scope(address: str = "203.0.113.5", path: str = "/", method: str = "GET", **headers: str) -> dict[str, Any]:
    return {
        "type": "http", "method": method, "path": path, "client": (address, 4711), "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip


async def admitted(gate: Gate, count: int, **given: Any) -> int:
    passed = 0
    for _ in range(count):
        try:
            await gate.admit(scope(**given))
            passed += 1
        except TooManyRequests:
            continue
    return passed


async def test_an_address_may_ask_so_often_and_no_more() -> None:
    there = gate()
    assert await admitted(there, 20) == 6
    assert await admitted(there, 20, address="203.0.113.6") == 6


async def test_guessing_and_hoarding_have_limits_of_their_own() -> None:
    there = gate()
    assert await admitted(there, 2, path="/sign-in/code", method="POST") == 2
    assert await admitted(there, 1, path="/sign-in", method="POST") == 0
    assert await admitted(there, 1, path="/sign-in") == 1, "looking at the page is no guess"
    there = gate()
    assert await admitted(there, 1, path="/visits/1/hold", method="POST") == 1
    assert await admitted(there, 2, path="/visits/2/hold/", method="POST") == 0
    for path in ("/visits/1/holds", "/visits/1/2/hold", "/visits//hold"):
        assert await admitted(gate(), 3, path=path, method="POST") == 3


async def test_an_address_that_nobody_knows_is_turned_away_sooner() -> None:
    there = gate(address_unknowns_per_minute=2)
    for _ in range(2):
        asked = scope()
        await there.admit(asked)
        there.note_unknown(asked)
    assert await admitted(there, 1) == 0
    assert await admitted(there, 1, address="203.0.113.6") == 1


async def test_health_files_and_our_own_processes_are_not_counted() -> None:
    there = gate()
    for path in ("/live", "/ready", "/static/portal.css", "/internal/v1/directory/sites"):
        assert await admitted(there, 50, path=path) == 50


async def test_this_machine_counts_for_its_actors_only() -> None:
    assert await admitted(gate(), 50, address="127.0.0.1") == 50
    assert await admitted(gate(), 50, address="::1") == 50


async def test_one_ipv6_network_is_one_address() -> None:
    there = gate()
    assert await admitted(there, 4, address="2001:db8:1:2::1") == 4
    assert await admitted(there, 4, address="2001:db8:1:2:ffff::9") == 2
    assert await admitted(there, 4, address="2001:db8:1:3::1") == 4
    assert await admitted(there, 4, address="::ffff:203.0.113.5") == 4
    assert await admitted(there, 4) == 2, "a mapped address is the address"


async def test_who_is_not_trusted_cannot_speak_for_another() -> None:
    there = gate()
    for number in range(6):
        await there.admit(scope(x_forwarded_for=f"198.51.100.{number}"))
    with pytest.raises(TooManyRequests):
        await there.admit(scope(x_forwarded_for="198.51.100.77"))


async def test_a_trusted_proxy_is_believed_for_the_last_hop_it_saw() -> None:
    there = gate(trusted_proxies="10.0.0.0/8")
    seen = scope(PROXY, x_forwarded_for="127.0.0.1, 198.51.100.7, 10.0.0.3", x_forwarded_proto="https")
    await there.admit(seen)
    assert (seen["client"][0], seen["scheme"]) == ("198.51.100.7", "https")
    assert address_of(seen) == "198.51.100.7"
    for number in range(6):
        await there.admit(scope(PROXY, x_forwarded_for=f"198.51.100.{number}"))
    assert await admitted(there, 9, address=PROXY, x_forwarded_for="192.0.2.1, 198.51.100.7") == 5 - 1 + 1


@pytest.mark.parametrize("claimed", ["", "unknown", "10.0.0.3", "<script>", "1.2.3", "::g"])
async def test_an_address_that_cannot_be_read_is_nobodys(claimed: str) -> None:
    there = gate(trusted_proxies="10.0.0.0/8")
    nobodys = scope(PROXY, x_forwarded_for=claimed)
    await there.admit(nobodys)
    assert address_of(nobodys) is None
    assert await admitted(there, 9, address=PROXY, x_forwarded_for=claimed) == 5
    assert await admitted(there, 1, address=PROXY, x_forwarded_for="nonsense") == 0, "they all share one bucket"


@pytest.mark.parametrize("path", ["/metrics", "/roles"])
async def test_what_operators_read_is_not_there_for_others(path: str) -> None:
    await gate().admit(scope("127.0.0.1", path))
    await gate(operator_networks="203.0.113.0/24").admit(scope(path=path))
    with pytest.raises(NotFound):
        await gate().admit(scope(path=path))
    with pytest.raises(NotFound):
        await gate().admit(scope("127.0.0.1", path, x_forwarded_for="203.0.113.5"))
    with pytest.raises(NotFound):
        await gate(trusted_proxies="127.0.0.1").admit(scope("127.0.0.1", path, x_forwarded_for="127.0.0.1, 203.0.113.5"))


@pytest.mark.parametrize("name", ["authorization", "content-type", "host", "if-match", "idempotency-key", "content-length", "cookie"])
async def test_a_header_that_two_could_read_differently_comes_once(name: str) -> None:
    asked = scope()
    asked["headers"] = [(name.encode(), b"a"), (b"accept", b"x"), (b"accept", b"y")]
    await gate().admit(asked)
    asked["headers"].append((name.encode(), b"b"))
    with pytest.raises(BadInput):
        await gate().admit(asked)


def actor(role: str = "scheduler", subject: str = "anna") -> Actor:
    return Actor(subject=subject, organization_id=known_id(1), role=role)


def paced(there: Gate, who: Actor, method: str) -> int:
    passed = 0
    for _ in range(20):
        try:
            there.ensure_pace(who, method)
            passed += 1
        except TooManyRequests:
            continue
    return passed


def test_an_actor_has_a_pace_for_reading_and_one_for_changing() -> None:
    there = gate()
    assert (paced(there, actor(), "GET"), paced(there, actor(), "POST")) == (3, 2)
    assert paced(there, actor(subject="ben"), "HEAD") == 3
    assert paced(there, actor("integration", "laboratory"), "POST") == 5


async def test_no_address_and_no_subject_is_kept_as_it_is() -> None:
    limits = Limits()
    there = Gate(EdgeSettings(), limits, SECRET)
    await there.admit(scope())
    there.ensure_pace(actor(subject="anna@example.org"), "GET")
    kept = " ".join(limits._buckets)
    assert len(limits._buckets) == 2
    assert "203.0.113.5" not in kept
    assert "anna" not in kept


async def test_the_same_address_has_another_name_under_another_key() -> None:
    first, second = Limits(), Limits()
    await Gate(EdgeSettings(), first, SECRET).admit(scope())
    await Gate(EdgeSettings(), second, SECRET[::-1]).admit(scope())
    assert set(first._buckets).isdisjoint(second._buckets)


@pytest.mark.parametrize("setting", ["trusted_proxies", "operator_networks"])
def test_a_network_that_is_none_stops_the_start(setting: str) -> None:
    with pytest.raises(StartFailed, match=f"CAREWRIGHT_EDGE_{setting.upper()}"):
        gate(**{setting: "10.0.0.0/40"})


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422, 428, 429])
async def test_whoever_tries_what_we_take_is_logged_without_what_was_sent_and_not_without_end(status: int) -> None:
    tried = gate()
    first, other = scope("192.0.2.7"), scope("192.0.2.8")
    for each in (first, other):
        await tried.admit(each)
    with capture_logs() as lines:
        for _ in range(200):
            tried.note_refused(first, "/api/v1/patients/{patient_id}", status)
        tried.note_refused(other, "/api/v1/patients/{patient_id}", status)
        tried.note_refused(other, "/api/v1/patients/{patient_id}", 200)
    assert len(lines) == 60 + 1, "who floods us does not flood the log, nor hide anybody else"
    assert len({line["peer"] for line in lines}) == 2
    assert all(telemetry.ID.fullmatch(line["peer"]) for line in lines), "an address is told as a keyed hash"
    wanted = {
        "event": "request.refused",
        "method": "GET",
        "route": "/api/v1/patients/{patient_id}",
        "status": status,
        "log_level": "warning",
    }
    assert {name: lines[0][name] for name in wanted} == wanted
    assert set(lines[0]) == {*wanted, "peer"}
