"""The built-in identity provider in a test's hand: its settings, a browser at its addresses, and somebody who signs in."""

from typing import cast
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette

from carewright.access.model.oidc import challenge_of
from carewright.identity.http import pages
from carewright.identity.service import IdentityContext
from carewright.identity.settings import IdentitySettings
from carewright.kernel.errors import Refusal
from carewright.kernel.http import problems

HERE = "http://127.0.0.1:8080"
BACK = f"{HERE}/staff/callback"
PASSWORD = "made up"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
SECRET = "the client's secret"
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code", "client_id": "console", "redirect_uri": BACK, "scope": "openid profile", "state": "s-1", "nonce": "n-1",
    "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
}  # fmt: skip
GOOD = IdentitySettings(
    embedded=True, issuer=f"{HERE}/identity", client_id="console", redirect_uri=BACK, password_hash=HASH, client_secret_file="secret",
    organization_id=UUID(int=6),
)  # fmt: skip


def browser_at(ctx: IdentityContext) -> httpx.AsyncClient:
    """A browser of this machine."""
    app = Starlette(routes=list(pages(ctx)), exception_handlers={Refusal: lambda _, fault: problems.response(cast(Refusal, fault))})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 5)), base_url=HERE)


async def sign_in(browser: httpx.AsyncClient, account: str = "nurse", password: str = PASSWORD, **changes: str) -> httpx.Response:
    shown = await browser.get("/identity/authorize", params=ASKED)
    token = shown.text.partition('name="form_token" value="')[2].partition('"')[0]
    form = ASKED | changes | {"form_token": token, "account": account, "password": password}
    return await browser.post("/identity/authorize", data=form, headers={"Origin": HERE})
