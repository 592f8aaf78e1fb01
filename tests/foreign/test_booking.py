"""A whole visit with each client that others wrote: found, held, booked, read, listed and cancelled."""

from typing import Any

import pytest

from tests.clinic import Clinic
from tests.foreign.installed import Clients


async def cancelled(clinic: Clinic, clients: Clients, script: str, told: dict[str, str]) -> None:
    """The client saw each state come, and what it cancelled is cancelled."""
    seen: dict[str, Any] = clients.ask(script, told)
    assert seen["statuses"] == ["proposed", "pending", "booked", "cancelled"]
    assert seen["listed"] == [seen["id"]]
    assert (await clinic.appointment(seen["id"]))["status"] == "cancelled"


@pytest.mark.requirement("R4.foreign")
@pytest.mark.parametrize("script", ["with_fhirpy.py", "with_fhirclient.py"])
async def test_a_client_in_python_finds_holds_books_and_cancels(
    clinic: Clinic, python_clients: Clients, told: dict[str, str], script: str
) -> None:
    await cancelled(clinic, python_clients, script, told)


@pytest.mark.requirement("R4.foreign")
@pytest.mark.parametrize("script", ["with_fhir_kit.mjs", "with_medplum.mjs"])
async def test_a_client_in_node_finds_holds_books_and_cancels(
    clinic: Clinic, node_clients: Clients, told: dict[str, str], script: str
) -> None:
    await cancelled(clinic, node_clients, script, told)
