"""Signing in at the identity provider, and asking for a permission: how long each takes.

The provider is the built-in one, spoken to by its own addresses in this process; its password hash is the cheapest that Argon2 knows, so
that what is measured is the way there and back and not the hash.
"""

import statistics
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette

from bench.world import ORGANIZATION, Ground, system
from carewright.access.context import AccessContext
from carewright.access.service.provider import IdentityProvider
from carewright.access.service.sign_in import complete_sign_in, start_sign_in
from carewright.access.settings import AccessSettings
from carewright.contracts.access import CompleteSignIn, StartSignIn
from carewright.contracts.permissions import ROLES
from carewright.identity.http import pages
from carewright.identity.service import IdentityContext, new_key
from carewright.identity.settings import IdentitySettings
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.memory import set_aside

HERE = "http://127.0.0.1:8080"
ISSUER = f"{HERE}/identity"
CLIENT, SECRET, PASSWORD, BINDING = "bench", "bench-secret", "made up", "b" * 32
SIGN_INS = 500
CHECKS = 1_000_000


async def measure(ground: Ground, told: Any) -> list[dict[str, Any]]:
    """A row for each figure."""
    dsn = await ground.database("access")
    async with system(ground, dsn) as started:
        base: AccessContext = started.context("access")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_provider(base), client=("127.0.0.1", 5)), base_url=HERE) as browser:
            ctx = _signing_in(base, browser)
            told(f"{SIGN_INS} sign-ins")
            await _signed_in(ctx, browser)
            set_aside()
            took = sorted([await _signed_in(ctx, browser) for _ in range(SIGN_INS)])
        told(f"{CHECKS:,} permission checks")
        check = _check(started.tokens.actor("scheduler", "bench", ORGANIZATION))
    return [
        {"what": "sign-in at the provider, password hash left out, p50, ms", "measured": statistics.median(took)},
        {"what": f"the same, p99 of {SIGN_INS}, ms", "measured": took[len(took) * 99 // 100], "wanted": "< 200"},
        {"what": "permission check, µs", "measured": check, "wanted": "< 20"},
    ]


def _provider(base: Context) -> Starlette:
    """The built-in provider, with everybody's password the same."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    settings = IdentitySettings(
        embedded=True, issuer=ISSUER, client_id=CLIENT, redirect_uri=f"{HERE}/staff/callback", password_hash=cheap,
        organization_id=ORGANIZATION,
    )  # fmt: skip
    world = {name: getattr(base, name) for name in Context.__dataclass_fields__}
    return Starlette(routes=list(pages(IdentityContext(**world, settings=settings, secret=SECRET, key=new_key()))))


def _signing_in(base: AccessContext, client: httpx.AsyncClient) -> AccessContext:
    """Access's context with that provider for its own."""
    settings = AccessSettings(
        public_url=HERE, organization_id=ORGANIZATION, oidc_issuer=ISSUER, oidc_client_id=CLIENT,
        oidc_roles=",".join(f"{role}={role}" for role in ROLES if role not in ("patient", "proxy", "integration")),
    )  # fmt: skip
    provider = IdentityProvider(settings, base.clock, client)
    provider._secret = SECRET  # noqa: SLF001  (a file of its own is what every other way in takes)
    return replace(base, settings=settings, provider=provider)


async def _signed_in(ctx: AccessContext, browser: httpx.AsyncClient) -> float:
    """Milliseconds from the first click to a session: to the provider, name and password, and back."""
    began = time.perf_counter()
    started = await start_sign_in(ctx, StartSignIn(binding=BINDING))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(started.address).query).items()}
    page = (await browser.get(started.address)).text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    form = asked | {"form_token": token, "account": "nurse", "password": PASSWORD}
    sent_back = await browser.post(f"{ISSUER}/authorize", data=form, headers={"Origin": HERE})
    answer = {name: values[0] for name, values in parse_qs(urlsplit(sent_back.headers["location"]).query).items()}
    await complete_sign_in(ctx, CompleteSignIn(state=answer["state"], code=answer["code"], iss=answer["iss"], binding=BINDING))
    return 1e3 * (time.perf_counter() - began)


def _check(actor: Actor) -> float:
    """Microseconds of one check that passes."""
    began = time.perf_counter()
    for _ in range(CHECKS):
        actor.require("scheduling.appointment.book")
    return 1e6 * (time.perf_counter() - began) / CHECKS
