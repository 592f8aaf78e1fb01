"""Staff sign in, in a real browser, at a provider of others: redirects, cookies and the content security policy must suit it too."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import DESKTOP, Visits
from tests.independent import CLIENT_SECRET
from tests.system import System, own_folder, started


@pytest.fixture
async def elsewhere(one_process: System, independent_issuer: str, tmp_path: Path) -> AsyncIterator[System]:
    """The same hospital (the same seed makes it), whose staff sign in at the other provider."""
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET)
    port = free_port()
    environ = {
        "CAREWRIGHT_ACCESS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CAREWRIGHT_ACCESS_ORGANIZATION_ID": str(one_process.known.organization_id),
        "CAREWRIGHT_ACCESS_OIDC_ISSUER": independent_issuer,
        "CAREWRIGHT_ACCESS_OIDC_CLIENT_ID": "carewright",
        "CAREWRIGHT_ACCESS_OIDC_CLIENT_SECRET_FILE": str(secret),
        "CAREWRIGHT_ACCESS_OIDC_ROLE_CLAIM": "groups",
        "CAREWRIGHT_ACCESS_OIDC_ROLES": "doctors=physician",
    }
    with own_folder() as folder:
        async with started(folder / "data", "--demo-size", "tiny", "--port", str(port), environ=environ) as system:
            yield system


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own libraries
async def test_staff_sign_in_at_an_independent_provider(visits: Visits, elsewhere: System) -> None:
    page = await visits.open(signed_in=False, viewport=DESKTOP)
    await page.goto(elsewhere.address_of("/staff") + "/staff")
    await page.get_by_role("button", name="Continue to sign in").click()
    await page.get_by_placeholder("sub").fill("ada")
    await page.get_by_role("button", name="Authorize").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ada")
    await expect(page.get_by_text("Physician").first).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
