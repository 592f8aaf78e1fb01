"""Contracts between our own processes: what a page asks another role through its door, by the Protocols of `contracts`.

The client is `roles.remote.Remote`, which encodes the arguments, and decodes the answer by the type of the Protocol. It matters while a new
version is rolled out: an older page stands beside a newer role, and both must understand each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import msgspec
from pact import Pact

from carewright.contracts.permissions import ROLES
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.token_keys import TokenKeys
from carewright.roles.protocols import Method, methods_of, module_of
from carewright.roles.remote import Remote
from tests.pacts.contract import Contract, from_state
from tests.pacts.shapes import Shape

JSON = "application/json"
ASKER = Actor(subject="somebody", organization_id=UUID(int=1), role="patient", permissions=frozenset())


@dataclass(frozen=True)
class Call:
    """One question: a method, for whom (a state that gives a token), in which states, and what the page must find in the answer.

    In `args`, a value that `KNOWN` has stands for what the states give by that name.
    """

    protocol: type
    method: str
    asker: str
    args: tuple[Any, ...] = ()
    states: tuple[str, ...] = ()
    shape: Shape = field(default_factory=Shape)

    @property
    def module(self) -> str:
        return module_of(self.protocol)

    @property
    def signature(self) -> Method:
        return methods_of(self.protocol)[self.method]


def contracts_of(page: str, calls: Sequence[Call], known: Mapping[str, str]) -> tuple[Contract, ...]:
    """A contract with each module that a page asks. `known` are the names of the values that the states give, by the example of each."""
    modules = dict.fromkeys(call.module for call in calls)
    return tuple(Contract(page, module, [_part(call, known) for call in calls if call.module == module]) for module in modules)


def _part(call: Call, known: Mapping[str, str]) -> Any:
    method = call.signature

    def define(pact: Pact) -> None:
        asked = pact.upon_receiving(f"{call.method}, asked by {call.asker}").given(call.asker)
        for state in call.states:
            asked.given(state)
        body = msgspec.json.decode(method.encode(call.args, {}))
        asked.with_request("POST", method.path).with_header("Authorization", from_state("Bearer ${token}", "Bearer a-token", "Bearer .+"))
        asked.with_body(_from_states(body, known), JSON).will_respond_with(200)
        answer = call.shape.of(method._answer)
        asked.with_body("null" if answer is None else answer, JSON)

    async def use(address: str) -> None:
        tokens = Tokens(TokenKeys.of(b"a key of nobody, for this test alone"), SystemClock(), ROLES)
        async with httpx.AsyncClient(trust_env=False) as client:
            await getattr(Remote(call.protocol, address, client, tokens), call.method)(ASKER, *call.args)

    return define, use


def _from_states(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _from_states(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [_from_states(each, known) for each in value]
    return from_state(f"${{{known[value]}}}", value) if isinstance(value, str) and value in known else value
