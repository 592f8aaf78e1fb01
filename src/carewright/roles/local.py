"""A Protocol resolved to an object of this process; on demand through JSON, so that nothing passes here that could not pass a wire."""

from typing import Any

import msgspec

from carewright.kernel.authz import Actor
from carewright.roles.protocols import methods_of


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
