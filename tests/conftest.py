"""What every tier shares: marks by folder, and no network where a test needs no server."""

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("carewright", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("carewright")  # how long an example takes is no finding: machines are shared

pytest_plugins = ["tests.journal", "tests.servers", "tests.system", "tests.independent", "tests.hl7_sender"]
TESTS = Path(__file__).parent
TIERS = ("store", "http", "roles", "foreign", "browser", "faults")


def tier_of(item: pytest.Item) -> str:
    """The folder below tests/ that a test lies in."""
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (tier := tier_of(item)) in TIERS:
            item.add_marker(tier)


@pytest.fixture(autouse=True)
def network_only_where_a_server_is_tested(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test outside the tiers above that reaches for a server belongs into one of them."""
    if tier_of(request.node) in TIERS:
        return

    def refuse(_: socket.socket, address: object) -> None:
        raise AssertionError(f"This test connects to {address}. Tests that need a server live in tests/{', tests/'.join(TIERS)}.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
