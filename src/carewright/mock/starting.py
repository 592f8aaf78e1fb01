"""A made-up system, started: a socket, what stands behind it, and a line that says where it is."""

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from carewright.kernel.clock import SystemClock
from carewright.kernel.http.server import listen
from carewright.kernel.settings import StartFailed
from carewright.mock.ehr.server import Ehr, Wish
from carewright.mock.eligibility.server import Faults, House
from carewright.mock.http import clearing_house_application, ehr_application, serve, tell_subscribers

HOST = "127.0.0.1"


async def run_ehr(port: int, wished: Callable[..., Wish], tell: Callable[[str], None], start_on: date | None = None) -> None:
    """Run an EHR on this machine until SIGTERM or SIGINT; `tell` is told where its FHIR is. Raises `StartFailed`.

    `wished(origin=…, start_on=…)` is what is wanted, once it is known where, and on which day: today, unless `start_on` says otherwise.
    """
    listener, clock = listen(HOST, port), SystemClock()
    wish = wished(origin=f"http://{HOST}:{listener.getsockname()[1]}", start_on=start_on or clock.now().date())
    tell(f"{wish.origin}{wish.profile.base}")
    ehr = Ehr(wish, clock)
    telling = asyncio.create_task(tell_subscribers(ehr.hooks))
    try:
        await serve(ehr_application(ehr), listener)
    finally:
        telling.cancel()


async def run_clearing_house(port: int, faults: Faults, tell: Callable[[str], None]) -> None:
    """Run a clearing-house on this machine until SIGTERM or SIGINT; `tell` is told where questions are posted. Raises `StartFailed`."""
    listener = listen(HOST, port)
    tell(f"http://{HOST}:{listener.getsockname()[1]}/core")
    await serve(clearing_house_application(House(faults)), listener)


def keys_in(file: Path) -> KeySet:
    """The public keys of a JWK set. Raises `StartFailed` where the file holds none."""
    try:
        found = KeySet.import_key_set(msgspec.json.decode(file.read_bytes()))
    except (OSError, msgspec.DecodeError, JoseError, KeyError, ValueError, TypeError) as fault:
        raise StartFailed(f"{file} holds no public keys (a JWK set: {{'keys': […]}}).") from fault
    if not found.keys:
        raise StartFailed(f"{file} holds no public keys (a JWK set: {{'keys': […]}}).")
    return found
