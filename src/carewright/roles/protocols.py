"""What a Protocol of `contracts` says, as data: its methods, and their arguments and answers as JSON."""

import inspect
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from carewright.kernel.errors import BadInput


class Method:
    """One method of a Protocol. The first argument is always the actor and travels as a token, never as JSON."""

    def __init__(self, protocol: type, name: str) -> None:
        hints = typing.get_type_hints(getattr(protocol, name), include_extras=True)
        parameters = list(inspect.signature(getattr(protocol, name)).parameters.values())[2:]
        self.name = name
        self.path = f"/internal/v1/{protocol.__name__.lower()}/{name}"
        self._names = [parameter.name for parameter in parameters]
        fields = [
            (each.name, hints[each.name]) if each.default is inspect.Parameter.empty else (each.name, hints[each.name], each.default)
            for each in parameters
        ]
        self._arguments = msgspec.defstruct(f"{name}_arguments", fields, frozen=True, forbid_unknown_fields=True)
        self._answer: Any = hints["return"]

    def encode(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """The arguments as JSON."""
        return msgspec.json.encode(dict(zip(self._names, args, strict=False)) | dict(kwargs))

    def decode(self, raw: bytes) -> dict[str, Any]:
        """The arguments as values. Raises `BadInput`."""
        try:
            arguments = msgspec.json.decode(raw, type=self._arguments)
        except msgspec.DecodeError as fault:
            raise BadInput(f"The arguments are not valid: {fault}.") from fault
        return {name: getattr(arguments, name) for name in self._names}

    def decode_answer(self, raw: bytes) -> Any:
        return msgspec.json.decode(raw, type=self._answer)


def module_of(protocol: type) -> str:
    """The module whose contract the Protocol is part of."""
    return protocol.__module__.rpartition(".")[2]


@lru_cache
def methods_of(protocol: type) -> dict[str, Method]:
    """Every method of a Protocol and of the parts that it is made of, by name."""
    parts = reversed(protocol.__mro__)
    names = [name for part in parts for name, member in vars(part).items() if inspect.iscoroutinefunction(member)]
    return {name: Method(protocol, name) for name in names}
