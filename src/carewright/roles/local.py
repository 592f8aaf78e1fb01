"""A Protocol resolved to an object of this process: whoever is turned away leaves an entry in the journal.

On demand through JSON, so that nothing passes here that could not pass a wire.
"""

import inspect
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.deeds import event_of
from carewright.kernel import audit
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.errors import Refusal
from carewright.roles.protocols import methods_of, module_of


class Audited:
    """Wraps an implementation so that refusals are noted, whichever rim or process asked."""

    def __init__(self, protocol: type, implementation: object, context: Context) -> None:
        self._module = module_of(protocol)
        self._implementation = implementation
        self._context = context

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._implementation, name)

        async def audited(actor: Actor, *args: Any, **kwargs: Any) -> Any:
            try:
                return await call(actor, *args, **kwargs)
            except Refusal as refusal:
                asked = inspect.signature(call).bind(actor, *args, **kwargs).arguments
                await audit.note_refusal(self._context.acting(actor), event_of(self._module, name), dict(_ids(asked)), refusal)
                raise

        return audited


def _ids(arguments: dict[str, Any]) -> Iterator[tuple[str, UUID]]:
    """What a call named: its ids, and those at the top of its commands."""
    for name, value in arguments.items():
        if isinstance(value, UUID):
            yield name, value
        elif isinstance(value, msgspec.Struct) and not isinstance(value, Actor):
            fields = ((field, getattr(value, field)) for field in value.__struct_fields__)
            yield from ((field, each) for field, each in fields if isinstance(each, UUID))


class ThroughJson:
    """Wraps an implementation so that arguments and answers make the round trip a remote call would."""

    def __init__(self, protocol: type, implementation: object) -> None:
        self._methods = methods_of(protocol)
        self._implementation = implementation

    def __getattr__(self, name: str) -> Any:
        method = self._methods[name]
        call = getattr(self._implementation, name)

        async def through_json(actor: Actor, *args: Any, **kwargs: Any) -> Any:
            arguments = method.decode(method.encode(args, kwargs))
            return method.decode_answer(msgspec.json.encode(await call(actor, **arguments)))

        return through_json
