"""The systems that the scenarios run in, one way after the other."""

from collections.abc import AsyncIterator

import pytest

from tests.clinic import Clinic, open_clinic
from tests.system import TINY, System, own_folder, started

HOLD_SECONDS = 12
"""Short, so that a hold can be watched running out; long enough for a slow machine to book it before."""
WAYS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "one process": ((), {}),
    "one process, calls through JSON": ((), {"CAREWRIGHT_SYSTEM_JSON_EVERYWHERE": "true"}),
    "process per role": (("--split",), {}),
}


@pytest.fixture(scope="session", params=list(WAYS))
async def system(request: pytest.FixtureRequest) -> AsyncIterator[System]:
    options, environ = WAYS[request.param]
    with own_folder() as folder:
        holds = {"CAREWRIGHT_SCHEDULING_HOLD_SECONDS": str(HOLD_SECONDS)}
        async with started(folder / "data", *TINY, *options, environ=environ | holds) as running:
            yield running


@pytest.fixture
async def clinic(system: System) -> Clinic:
    return await open_clinic(system)
