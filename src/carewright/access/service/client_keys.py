"""The keys that other systems publish, fetched through the guard of outgoing requests and remembered for a while."""

from datetime import datetime, timedelta

import httpx
import msgspec

from carewright.access.model.assertion import keys_published
from carewright.access.model.oidc import NotBelieved
from carewright.contracts.clients import PublicKey
from carewright.kernel.clock import Clock
from carewright.kernel.errors import Refusal
from carewright.kernel.http.outgoing import Outgoing

KEPT = timedelta(minutes=5)
"""How long a key that was taken down may still serve."""
ASKED_AGAIN = timedelta(seconds=10)
"""How soon an unknown key id makes us look again: there may be a new key, or somebody may be making ids up."""
ADDRESSES_KEPT_MAX = 1_000


class PublishedKeys:
    """What stands at the addresses of keys, as it was a moment ago."""

    def __init__(self, clock: Clock, outgoing: Outgoing) -> None:
        self._clock = clock
        self._outgoing = outgoing
        self._kept: dict[str, tuple[datetime, tuple[PublicKey, ...]]] = {}

    async def at(self, address: str, kid: str) -> tuple[PublicKey, ...]:
        """The keys at an address; asked anew when they are old, or none is called `kid`. Raises `NotBelieved` where none can be had."""
        known, now = self._kept.get(address), self._clock.now()
        if known is not None:
            age, missing = now - known[0], all(key.kid != kid for key in known[1])
            if age < (ASKED_AGAIN if missing else KEPT):
                return known[1]
        keys = await self._fetched(address)
        if len(self._kept) >= ADDRESSES_KEPT_MAX:
            self._kept.clear()
        self._kept[address] = (now, keys)
        return keys

    async def _fetched(self, address: str) -> tuple[PublicKey, ...]:
        try:
            answer = await self._outgoing.fetch("GET", address, headers={"Accept": "application/json"})
            document = msgspec.json.decode(answer.content) if answer.status_code == httpx.codes.OK else None
        except (Refusal, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise NotBelieved("keys") from fault
        if not isinstance(document, dict):
            raise NotBelieved("keys")
        return keys_published(document)
