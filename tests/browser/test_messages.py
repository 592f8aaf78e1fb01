"""The work list of HL7 v2 in a real browser: what did not fit, fixed by a mapping and by hand, tried again, and seen to."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from playwright.async_api import Page, expect

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.installation import token_key_file
from tests.browser.accessibility import problems_of
from tests.browser.conftest import DESKTOP, PHONE, Visits
from tests.browser.test_staff import choose, sign_in
from tests.clinic import ok
from tests.system import System

LIFETIME = timedelta(minutes=30)
UUID_LIKE = re.compile(r"[0-9a-f]{8}-")


async def sent(system: System, code: str, kind: str = "", staff: str = "") -> None:
    """An appointment that another system asks for, in words that nobody knows, at no time; or by a code of `staff` alone."""
    organization_id = system.known.organization_id
    assert organization_id is not None
    signer = Tokens(TokenKeys.of_file(token_key_file(system.data)), SystemClock(), ROLES)
    desk = msgspec.structs.replace(signer.actor("administrator", "tester", organization_id), authenticated_at=SystemClock().now())
    command = {"name": "Ward", "scopes": sorted(ROLES["integration"]), "keys_address": "https://ward.example.org/keys.json"}
    base = system.addresses.get("access") or next(iter(system.addresses.values()))
    headers = {"Authorization": f"Bearer {signer.issue(desk, LIFETIME)}"}
    client = ok(await system.client.post(f"{base}/internal/v1/access/register_client", json={"command": command}, headers=headers))
    site = ok(await system.request("front-desk", "GET", "/api/v1/sites"))["items"][0]["id"]
    lines = (
        f"MSH|^~\\&|WARD|W|CW|CW|20261101||SIU^S12|{code}|P|2.5.1", f"SCH||{code}|||||{kind or code}",
        f"PID|1||{code}^^^W^MR||Beispiel^Berta", "RGS|1|A", f"AIS|1|A|{kind or code}", f"AIL|1|A|^^^{site}",
        *([f"AIP|1|A|{staff}"] if staff else []),
    )  # fmt: skip
    token = signer.issue(signer.actor("integration", f"client/{UUID(client['id'])}", organization_id), LIFETIME)
    sending = {"Authorization": f"Bearer {token}", "Content-Type": "application/hl7-v2"}
    address = f"{system.address_of('/hl7')}/hl7/v2"
    answer = await system.client.post(address, content="\r".join(lines).encode(), headers=sending)
    assert "MSA|AE|" in answer.text, answer.text


async def opened(page: Page, system: System, role: str, code: str) -> None:
    """From the staff's first page to the message."""
    await sign_in(page, system, role)
    await choose(page, "Messages")
    assert await problems_of(page) == []
    await page.get_by_role("listitem").filter(has_text=code).get_by_role("link", name="Look at it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The sender uses a code that we do not know.")
    assert await problems_of(page) == []


async def status_of(page: Page, address: str) -> int:
    answer = await page.goto(address)
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("viewport", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_a_scheduler_gives_a_code_its_meaning_and_corrects_the_message(visits: Visits, one_process: System, viewport: Any) -> None:
    code = f"W{uuid4().hex[:8]}"
    await sent(one_process, code)
    page = await visits.open(signed_in=False, viewport=viewport)
    await opened(page, one_process, "scheduler", code)
    await page.get_by_label(f"The kind of visit that {code} stands for").select_option(index=1)
    await page.get_by_role("button", name="Keep this and try again").click()
    await expect(page.get_by_role("alert")).to_contain_text("Something that we need is not in the message. SCH-11.4")
    assert await problems_of(page) == []
    await page.get_by_role("link", name="Read and correct it").click()
    content = page.get_by_label("The message")
    read = await content.input_value()
    assert "Beispiel" in read
    assert await problems_of(page) == []
    await content.fill("not a message")
    await page.get_by_role("button", name="Try it as it stands here").click()
    await expect(page.get_by_role("alert")).to_contain_text("not an HL7 v2 message")
    await content.fill(read.replace("SIU^S12", "ADT^A28"))
    await page.get_by_role("button", name="Try it as it stands here").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    await expect(page.get_by_role("listitem").filter(has_text=code)).to_have_count(0)


async def test_a_practitioner_is_chosen_by_name(visits: Visits, one_process: System) -> None:
    code = f"W{uuid4().hex[:8]}"
    services = ok(await one_process.request("front-desk", "GET", "/api/v1/services", params={"limit": 1}))["items"]
    await sent(one_process, code, services[0]["visit_types"][0]["id"], code)
    page = await visits.open(signed_in=False, viewport=PHONE)
    await opened(page, one_process, "scheduler", code)
    choice = page.get_by_label(f"The practitioner that {code} stands for")
    names = await choice.locator("option").all_text_contents()
    assert len(names) > 2
    assert not any(UUID_LIKE.search(each) for each in names)
    await choice.select_option(index=1)
    await page.get_by_role("button", name="Keep this and try again").click()
    await expect(page.get_by_role("alert")).to_contain_text("Something that we need is not in the message.")


async def test_an_administrator_sees_to_a_message_without_reading_it(visits: Visits, one_process: System) -> None:
    code = f"W{uuid4().hex[:8]}"
    await sent(one_process, code)
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await opened(page, one_process, "administrator", code)
    await expect(page.get_by_text("Beispiel")).to_have_count(0)
    await expect(page.get_by_role("link", name="Read and correct it")).to_have_count(0)
    address = page.url
    assert await status_of(page, f"{address}/content") == 403
    await page.goto(address)
    await page.get_by_role("button", name="Try it again as it is").click()
    await expect(page.get_by_role("alert")).to_contain_text("It still does not fit.")
    await page.get_by_label("How it was seen to").fill("Booked by telephone")
    await page.get_by_role("button", name="Take it off the list").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    await expect(page.get_by_role("listitem").filter(has_text=code)).to_have_count(0)
    assert await status_of(page, address) == 404


async def test_the_work_list_is_no_page_of_others(visits: Visits, one_process: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await sign_in(page, one_process, "nurse")
    await expect(page.get_by_role("link", name="Messages")).to_have_count(0)
    assert await status_of(page, "/staff/messages") == 403
