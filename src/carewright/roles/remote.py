"""A Protocol resolved to another process: one HTTP call a method, with a short-lived token that speaks for the actor."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from carewright.contracts.deeds import event_of
from carewright.kernel import audit
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.context import Context
from carewright.kernel.errors import OutcomeUnknown, Refusal, Unavailable
from carewright.kernel.http import problems
from carewright.kernel.http.doors import door
from carewright.kernel.http.shedding import SAID_PRIORITY
from carewright.kernel.priority import current
from carewright.kernel.retries import RetryBudget
from carewright.kernel.rng import new_rng
from carewright.roles.protocols import Method, methods_of, module_of

TOKEN_LIFETIME = timedelta(seconds=60)
TIMEOUT_SECONDS = 15.0
AGAIN_SECONDS = (0.05, 0.2)
"""After some part of a second from the first to the second."""


class Remote:
    """A Protocol whose implementation answers at `base_url`."""

    def __init__(self, protocol: type, base_url: str, client: httpx.AsyncClient, tokens: Tokens) -> None:
        self._methods = methods_of(protocol)
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._tokens = tokens
        self._budget = RetryBudget("role")
        self._rng = new_rng()

    def __getattr__(self, name: str) -> Any:
        method = self._methods[name]

        async def call(actor: Actor, *args: Any, **kwargs: Any) -> Any:
            body, keys = method.encode(args, kwargs), self._tokens.keys()
            answer = await self._reached(method, body, self._tokens.issue(actor, TOKEN_LIFETIME))
            if answer.status_code == httpx.codes.UNAUTHORIZED and self._tokens.keys(look=True) != keys:
                answer = await self._post(method, body, self._tokens.issue(actor, TOKEN_LIFETIME))  # the other side knew a new key first
            if answer.status_code != httpx.codes.OK:
                raise problems.refusal_from(answer.content)
            return method.decode_answer(answer.content)

        return call

    async def _reached(self, method: Method, body: bytes, token: str) -> httpx.Response:
        """The answer. Where nobody took the connection nothing was begun, whatever is asked: it is tried once more, a moment later.

        A peer may just be starting again. One that refuses (`Overloaded`) has said when to come; that is for whoever asked us.
        """
        self._budget.asked()
        try:
            return await self._post(method, body, token)
        except OutcomeUnknown:
            raise
        except Unavailable:
            if not self._budget.may_repeat():
                raise
        await asyncio.sleep(self._rng.uniform(*AGAIN_SECONDS))
        return await self._post(method, body, token)

    async def _post(self, method: Method, body: bytes, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if (priority := current()) is not None:
            headers[SAID_PRIORITY] = priority.label
        try:
            return await self._client.post(self._base_url + method.path, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            raise Unavailable from fault
        except httpx.HTTPError as fault:
            raise OutcomeUnknown from fault
        except AttributeError as fault:  # anyio asks a connection for its peer's name, and the peer has just been killed
            raise Unavailable from fault


def new_client(tls: ssl.SSLContext | None) -> httpx.AsyncClient:
    """The connections of this process to its peers. With `tls` both sides show a certificate of our own authority."""
    return httpx.AsyncClient(
        verify=tls or True, timeout=TIMEOUT_SECONDS, limits=httpx.Limits(max_connections=200, max_keepalive_connections=50), trust_env=False
    )


def served(protocol: type, implementation: object, tokens: Tokens, context: Context) -> list[Any]:
    """The other end: routes that answer a Protocol's methods. The same use cases check the same permissions."""
    nobody, module = context.acting(audit.NOBODY), module_of(protocol)

    def turned_away(use_case: str) -> Callable[[Refusal], Awaitable[None]]:
        return partial(audit.note_refusal, nobody, event_of(module, use_case), {})

    return [
        door(method.path, _call(method, getattr(implementation, name)), tokens, turned_away(name))
        for name, method in methods_of(protocol).items()
    ]


def _call(method: Method, implementation: Callable[..., Awaitable[object]]) -> Callable[[Actor, bytes], Awaitable[object]]:
    async def call(actor: Actor, body: bytes) -> object:
        return await implementation(actor, **method.decode(body))

    return call
