"""Valkey: carries the wake-up from process to process, and the buckets of limits. It holds nothing that would be missed if it were lost."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files

from prometheus_client import Counter
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from carewright.kernel import telemetry
from carewright.kernel.limits import Ask, Limits, Take
from carewright.kernel.settings import StartFailed
from carewright.kernel.wake import Wake

CHANNEL = "carewright:wake"
COALESCE_SECONDS = 0.005
"""Commits closer together than this share one message."""
RETRY_SECONDS = 1.0
PING_SECONDS_MAX = 5.0
LIMITS_SECONDS_MAX = 1.0
LIMITS = files("carewright.kernel").joinpath("limits.lua").read_text("utf-8")
BUCKETS = "{carewright:limits}:"
"""In braces, so that a cluster keeps all buckets on one node and one call can take from many (Valkey: hash tags)."""
SENT = Counter("carewright_wakes_sent_total", "Wake-ups sent to other processes.")
log = telemetry.logger(__name__)


async def carry(wake: Wake, url: str, origin: bytes) -> None:
    """Pass this process's commits on, and wake up on those of others, until cancelled. Without Valkey readers only look less often."""
    while True:
        try:
            async with connection(url) as client, asyncio.TaskGroup() as both:
                both.create_task(_send(wake, client, origin))
                both.create_task(_receive(wake, client, origin))
        except* (ValkeyError, OSError):
            log.warning("wake.unavailable")
            await asyncio.sleep(RETRY_SECONDS)


def connection(url: str, seconds_max: float | None = None) -> Valkey:
    """A client, not yet connected. Raises `StartFailed` for something that is no URL of a Valkey."""
    try:
        client: Valkey = Valkey.from_url(url, socket_timeout=seconds_max, socket_connect_timeout=seconds_max)
    except ValueError as fault:
        raise StartFailed("The Valkey URL is not valid. It looks like redis://:password@host:6379/0.") from fault
    return client


def ensure_valid(url: str) -> None:
    """Raise `StartFailed` for something that is no URL of a Valkey. One that is away just now is no reason to stay away too."""
    _ = connection(url)


async def ensure_reachable(url: str) -> None:
    """Raise `StartFailed` unless a Valkey answers there."""
    try:
        async with connection(url, PING_SECONDS_MAX) as client:
            await client.ping()
    except (ValkeyError, OSError) as fault:
        raise StartFailed("Valkey cannot be reached. Check the Valkey URL and that the server is up.") from fault


async def _send(wake: Wake, client: Valkey, origin: bytes) -> None:
    while True:
        await wake.committed.wait()
        wake.committed.clear()
        await client.publish(CHANNEL, origin)
        SENT.inc()
        await asyncio.sleep(COALESCE_SECONDS)


async def _receive(wake: Wake, client: Valkey, origin: bytes) -> None:
    async with client.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        while True:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None and message["data"] != origin:
                wake.ring()


async def share_limits(limits: Limits, url: str) -> None:
    """Count together with the other processes, until cancelled. Without Valkey each process counts by itself."""
    while True:
        try:
            async with connection(url, LIMITS_SECONDS_MAX) as client:
                await client.ping()
                await limits.share(_buckets_in(client))
        except (ValkeyError, OSError):
            log.warning("limits.alone")
            await asyncio.sleep(RETRY_SECONDS)


def _buckets_in(client: Valkey) -> Ask:
    script = client.register_script(LIMITS)

    async def ask(takes: Sequence[Take]) -> list[float]:
        keys = [f"{BUCKETS}{take.key}" for take in takes]
        told = [value for take in takes for value in (take.rate.per_second, take.rate.most, take.tokens, int(take.if_there))]
        try:
            return [float(left) for left in await script(keys, told)]
        except ValkeyError as fault:
            raise ConnectionError from fault

    return ask
