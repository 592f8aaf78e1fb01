"""The whole system inside the test's own process: every module, relay and live copy on a real PostgreSQL, asked without a socket.

For tests that ask tens of thousands of times. `Inside` is a `System` for `tests.clinic`; `ask` is the quick way in: one ASGI call.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec

from carewright.kernel.authz import Actor
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import Overloaded
from carewright.kernel.http import app
from carewright.kernel.http.settings import EdgeSettings
from carewright.roles import lifecycle
from carewright.roles.installation import Installation, audit_key_file, token_key_file
from carewright.roles.keys import ensure_key_file
from carewright.roles.registry import MODULES, SECTIONS
from carewright.roles.settings import SystemSettings
from tests.system import System

ORIGIN = "http://inside.test"
READY_SECONDS_MAX = 30
A_LOT = 10**9
TOKEN_LIFETIME = timedelta(hours=4)
ASK_AGAIN_MAX, ASK_AGAIN_SECONDS = 200, 0.1
OVERLOADED = Overloaded.code.encode()


@dataclass
class Answer:
    """What came back: status, headers as they were sent, body."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def whole(self) -> bytes:
        """Everything that the caller can read."""
        return b"\n".join([*(name + b": " + value for name, value in self.headers), self.body])


@dataclass
class Inside(System):
    """`application` is the ASGI application, `system` what runs behind it, `origins` what it may ask besides the public internet."""

    application: Any = None
    system: Any = None
    origins: str = ""

    def signed(self, actor: Actor) -> str:
        """A bearer token for `actor`, who proved who they are a moment ago."""
        token: str = self.system.tokens.issue(msgspec.structs.replace(actor, authenticated_at=SystemClock().now()), TOKEN_LIFETIME)
        return token

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request; `target` is the path with its query, as it stands in the request line.

        Who is turned away because so many ask at once, asks again: on a busy machine that says nothing of what was asked.
        """
        answer = await self._asked(method, target, headers, body)
        for _ in range(ASK_AGAIN_MAX):
            if answer.status != 503 or OVERLOADED not in answer.body:
                break
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            answer = await self._asked(method, target, headers, body)
        return answer

    async def listen(self, target: str, headers: Mapping[str, str], answer: Answer) -> None:
        """Ask for a stream, which goes on `answer` until the server ends it."""
        await self._asked("GET", target, headers, b"", answer)

    async def _asked(self, method: str, target: str, headers: Mapping[str, str], body: bytes, answer: Answer | None = None) -> Answer:
        answer, sent = answer or Answer(), False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        path, _, query = target.partition("?")
        given = [(b"host", b"inside.test"), *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
            "path": httpx.URL(ORIGIN + path).path, "raw_path": path.encode(), "query_string": query.encode(), "headers": given,
            "client": ("127.0.0.1", 1), "server": ("inside.test", 80), "state": {},
        }  # fmt: skip
        await self.application(scope, receive, send)
        return answer


@asynccontextmanager
async def inside(database_url: str, data: Path, organization_id: UUID, origins: str = "", **own: Any) -> AsyncIterator[Inside]:
    """The system on a migrated database; its key files are made in `data`. `own` are settings of modules, `origins` may be asked."""
    limits: dict[str, Any] = {each: A_LOT for each in EdgeSettings.__dataclass_fields__ if each.endswith("_per_minute")}
    sections = {name: kind() for name, kind in SECTIONS.items()} | {
        "system": SystemSettings(database_url=database_url, token_key_file=str(token_key_file(data))),
        "audit": SECTIONS["audit"](signing_key_file=str(audit_key_file(data))),
        "edge": EdgeSettings(outgoing_origins=origins, **limits),
    }
    sections |= own
    await ensure_key_file(sections)
    async with lifecycle.running(MODULES, sections) as system:
        health = app.Health(
            roles={module.name: list(module.prefixes) for module in MODULES},
            ready={name: started.ready for name, started in system.running.items()},
        )
        work = [asyncio.ensure_future(each) for each in lifecycle.background(system, MODULES)]
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while health.missing():
                    await system.wake.wait(0.05)
            application = lifecycle.asgi(system, MODULES, health)
            known = Installation(organization_id=organization_id, database_url=database_url, addresses={"all": ORIGIN})
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=ORIGIN) as client:
                yield Inside(data, cast(Any, None), known, client, application=application, system=system, origins=origins)
        finally:
            await lifecycle._end(work)


def of(whole: Inside, organization_id: UUID) -> Inside:
    """The same system, seen from another hospital."""
    known = msgspec.structs.replace(whole.known, organization_id=organization_id)
    return Inside(whole.data, whole.process, known, whole.client, application=whole.application, system=whole.system, origins=whole.origins)
