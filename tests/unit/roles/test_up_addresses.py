"""Which addresses `carewright up` gives to browsers and to its processes."""

from pathlib import Path
from typing import Any

import pytest

from carewright.roles.installation import Installation
from carewright.roles.up import Start, Up
from tests.unit.portal.double import ORGANIZATION_ID


def environment(data: Path, **wanted: Any) -> dict[str, str]:
    """What the processes of such a start would get, in a data directory with a demonstration hospital."""
    Installation(organization_id=ORGANIZATION_ID, demonstration_patient_id=ORGANIZATION_ID, demonstration_password_hash="x").write(data)
    given: dict[str, Any] = {"data": data, "host": "127.0.0.1", "port": 0, "environ": {}} | wanted
    return Start(Up(**given), lambda _: None, lambda _: None)._environment()


def port_of(address: str) -> str:
    return address.rpartition(":")[2].partition("/")[0]


def test_browsers_get_the_name_and_processes_the_number(tmp_path: Path) -> None:
    given = environment(tmp_path, split=True)
    peers = dict(pair.split("=", 1) for pair in given["CAREWRIGHT_SYSTEM_PEERS"].split(","))
    assert all(address.startswith("http://127.0.0.1:") for address in peers.values())
    assert given["CAREWRIGHT_ACCESS_PASSKEY_ORIGIN"] == f"http://localhost:{port_of(peers['portal'])}"
    assert given["CAREWRIGHT_ACCESS_PUBLIC_URL"] == f"http://localhost:{port_of(peers['console'])}"
    assert given["CAREWRIGHT_ACCESS_OIDC_ISSUER"] == f"http://localhost:{port_of(peers['identity'])}/identity"
    assert given["CAREWRIGHT_EDGE_LOCALHOST"] == "true"


def test_one_process_has_one_address_for_everybody(tmp_path: Path) -> None:
    given = environment(tmp_path)
    assert given["CAREWRIGHT_ACCESS_PASSKEY_ORIGIN"] == given["CAREWRIGHT_ACCESS_PUBLIC_URL"]


@pytest.mark.parametrize("name", ["CAREWRIGHT_ACCESS_PUBLIC_URL", "CAREWRIGHT_ACCESS_PASSKEY_ORIGIN"])
def test_an_address_that_was_given_is_where_passkeys_belong(tmp_path: Path, name: str) -> None:
    given = environment(tmp_path, environ={name: "https://care.example.org", "CAREWRIGHT_ACCESS_OIDC_ISSUER": "https://login.example.org"})
    assert "CAREWRIGHT_ACCESS_PASSKEY_ORIGIN" not in given
    assert "CAREWRIGHT_ACCESS_PUBLIC_URL" not in given


def test_a_machine_without_the_name_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Start, "_choose_ports", lambda _: {"all": 8080})
    given = environment(tmp_path, host="::1")
    assert given["CAREWRIGHT_ACCESS_PUBLIC_URL"] == "http://[::1]:8080"
    assert not given.keys() & {"CAREWRIGHT_ACCESS_PASSKEY_ORIGIN", "CAREWRIGHT_EDGE_LOCALHOST"}
