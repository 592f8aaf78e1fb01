"""Wiring of the built-in identity provider."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from carewright.identity.http import PREFIX, PRIORITIES, pages
from carewright.identity.service import IdentityContext, is_here, new_key
from carewright.identity.settings import IdentitySettings
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.kernel.settings import StartFailed


async def start(base: Context, settings: IdentitySettings, _: Callable[[type], Any]) -> Running:
    """Nothing, unless it is switched on; then it insists on being reachable from this machine alone."""
    secret = _secret(settings) if settings.embedded else ""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    return Running(IdentityContext(**world, settings=settings, secret=secret, key=new_key()))


def _secret(settings: IdentitySettings) -> str:
    if not (is_here(settings.issuer) and is_here(settings.redirect_uri)):
        raise StartFailed("The built-in identity provider is for this machine alone: issuer and redirect_uri must be loopback addresses.")
    named = settings.client_id and settings.organization_id
    if not (named and settings.issuer.endswith(PREFIX) and settings.password_hash.startswith("$argon2id$")):
        raise StartFailed(
            f"The built-in identity provider needs an issuer ending in {PREFIX}, a client_id, an organization_id and an Argon2id hash."
        )
    try:
        return Path(settings.client_secret_file).read_text("utf-8").strip()
    except OSError as fault:
        raise StartFailed(f"The file with the client's secret cannot be read: {fault.strerror}.") from fault


MODULE = Module(
    name="identity",
    start=start,
    settings=IdentitySettings,
    prefixes=(PREFIX,),
    has_tables=False,
    pages=pages,
    priorities=PRIORITIES,
)
