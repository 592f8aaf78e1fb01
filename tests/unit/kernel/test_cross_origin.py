"""Which addresses other sites' pages may read: the longest that fits decides, and the apps' origins are asked for now and then."""

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.types import Scope

from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.cross_origin import KNOWN_SECONDS, CrossOrigin, SharedWith

SHARED: dict[str, SharedWith] = {"/fhir": "known", "/fhir/metadata": "anybody"}
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
APP = b"https://app.example.org"


class Registered:
    """Whoever registers apps: `origins`, or nobody who answers."""

    def __init__(self, *origins: str) -> None:
        self.origins: Iterable[str] | None = origins
        self.asked = 0

    async def ask(self) -> Iterable[str]:
        self.asked += 1
        if self.origins is None:
            raise Unavailable
        return self.origins


def asking(path: str, origin: bytes = APP) -> Scope:
    return {"type": "http", "path": path, "headers": [(b"origin", origin)]}


async def allowed(door: CrossOrigin, path: str, origin: bytes = APP) -> bytes | None:
    return dict(await door.headers_for(asking(path, origin))).get(b"access-control-allow-origin")


async def test_the_longest_address_decides_and_a_word_that_goes_on_is_another() -> None:
    door = CrossOrigin(SHARED, ManualClock(NOW), Registered(APP.decode()).ask)
    assert await allowed(door, "/fhir") == await allowed(door, "/fhir/Patient/1") == APP
    assert await allowed(door, "/fhir/metadata", b"https://other.example.org") == b"*"
    assert await allowed(door, "/fhir/metadatas", b"https://other.example.org") is None
    assert await door.headers_for(asking("/fhirs")) == await door.headers_for(asking("/")) == ()


async def test_origins_are_asked_for_now_and_then_and_stay_known_while_nobody_answers() -> None:
    clock, registered = ManualClock(NOW), Registered()
    door = CrossOrigin(SHARED, clock, registered.ask)
    for _ in range(10):
        assert await allowed(door, "/fhir") is None
    assert registered.asked == 1
    registered.origins = [APP.decode()]
    clock.advance(seconds=KNOWN_SECONDS)
    assert await allowed(door, "/fhir") == APP
    registered.origins = None
    clock.advance(seconds=KNOWN_SECONDS)
    assert await allowed(door, "/fhir") == APP
