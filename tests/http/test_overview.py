"""What the overview names to be looked at, by each site's own limits: set on the page and by the API, with what is usual until then."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clinic import Clinic, ok, open_clinic, refused, register, until_known
from tests.staff_browser import staff_signed_in

LIMITS = "/api/v1/site-limits"
USUAL = {"full_percent": 95, "long_minutes": 60}


@pytest.fixture
async def clinic(clinic: Clinic) -> Clinic:
    """One of this test's own."""
    return await open_clinic(clinic.system)


async def put(clinic: Clinic, role: str = "operations", **limits: Any) -> httpx.Response:
    return await clinic.system.request(role, "PUT", LIMITS, json={"site_id": clinic.site_id} | USUAL | limits)


async def found(clinic: Clinic, role: str = "nurse") -> Any:
    return ok(await clinic.system.request(role, "GET", LIMITS, params={"site_id": clinic.site_id}))


async def test_an_hour_is_full_by_the_limit_of_its_site(clinic: Clinic) -> None:
    start = (await clinic.free())[0]
    ok(await clinic.book(await register(clinic.system), start), 201)
    assert await found(clinic) == {"site_id": clinic.site_id} | USUAL
    page = f"/staff/overview?place={clinic.site_id}&day={start[:10]}"
    operations = await staff_signed_in(clinic.system, "operations")
    await operations.go(page)
    assert "Nothing is full" in operations.text, "half of the hour is taken"
    await operations.send("/staff/overview/limits", full="50", long="45")
    assert await found(clinic) == {"site_id": clinic.site_id, "full_percent": 50, "long_minutes": 45}
    await operations.go(page)
    assert f"Podiatry {clinic.service_id[:8]}: full at" in operations.text
    await operations.client.aclose()
    nurse = await staff_signed_in(clinic.system, "nurse")
    await nurse.go(page)
    assert "An hour is full from 50 % on, and a wait long from 45 minutes on." in nurse.text
    assert "/staff/overview/limits" not in nurse.forms.found
    await nurse.client.aclose()


@pytest.mark.parametrize("limits", [{"full": "49", "long": "60"}, {"full": "101", "long": "60"}, {"full": "95", "long": "soon"}, {}])
async def test_absurd_limits_are_told_so_and_change_nothing(clinic: Clinic, limits: dict[str, str]) -> None:
    operations = await staff_signed_in(clinic.system, "operations")
    await operations.go(f"/staff/overview?place={clinic.site_id}")
    answer = await operations.answer_to("/staff/overview/limits", **limits)
    assert (answer.status_code, "Say a percentage from 50 to 100" in answer.text) == (422, True)
    assert await found(clinic) == {"site_id": clinic.site_id} | USUAL
    await operations.client.aclose()


@pytest.mark.parametrize("limits", [{"full_percent": 49}, {"long_minutes": 4}, {"long_minutes": 1441}, {"full_percent": None}, {"of": 1}])
async def test_the_api_refuses_them_too(clinic: Clinic, limits: dict[str, Any]) -> None:
    refused(await put(clinic, **limits), 400, "kernel.bad_input")


async def test_operations_alone_set_them_and_of_a_site_that_is_there(clinic: Clinic) -> None:
    await until_known(lambda: put(clinic, full_percent=100, long_minutes=5))
    assert (await found(clinic, "administrator"))["full_percent"] == 100
    for role in ("nurse", "front-desk", "patient"):
        refused(await put(clinic, role), 403, "kernel.forbidden")
    refused(await clinic.system.request("patient", "GET", LIMITS, params={"site_id": clinic.site_id}), 403, "kernel.forbidden")
    refused(await put(clinic, site_id=str(uuid4())), 404, "flow.unknown_site")
