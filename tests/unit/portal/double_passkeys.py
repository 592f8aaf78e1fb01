"""Passkeys of the hospital in memory: what pages see of them. A credential holds when it is the word that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from carewright.contracts import access
from carewright.contracts.passkeys import AddPasskey, Passkey, PasskeyAsked, RedeemPasskey, StartPasskey
from carewright.kernel.authz import Actor

if TYPE_CHECKING:
    from tests.unit.portal.double import Hospital

RIGHT = "what the browser signed"


@dataclass
class KeptPasskeys:
    """Where browsers make passkeys, the secrets of those that were asked something, and the passkeys."""

    origin: str | None = "http://portal.test"
    bindings: set[str] = field(default_factory=set)
    kept: list[Passkey] = field(default_factory=list)


class DoublePasskeys:
    """The part of `DoubleAccess` that is about passkeys."""

    hospital: "Hospital"
    start: Callable[[str], access.StartedSession]

    def _refuse(self, method: str) -> None:
        if waiting := self.hospital.refusals.get(method):
            raise waiting.pop(0)

    async def find_passkey_origin(self, actor: Actor) -> str | None:
        actor.require("access.sign_in")
        return self.hospital.passkeys.origin

    async def my_apps(self, actor: Actor) -> tuple[()]:
        actor.require("access.session.own")
        return ()

    async def start_passkey(self, actor: Actor, command: StartPasskey) -> PasskeyAsked:
        actor.require("access.session.own")
        self._refuse("start_passkey")
        return self._asked(command)

    async def start_passkey_sign_in(self, actor: Actor, command: StartPasskey) -> PasskeyAsked:
        actor.require("access.sign_in")
        self._refuse("start_passkey_sign_in")
        return self._asked(command)

    def _asked(self, command: StartPasskey) -> PasskeyAsked:
        self.hospital.passkeys.bindings.add(command.binding)
        return PasskeyAsked(options="{}", expires_at=self.hospital.clock.now() + timedelta(minutes=5))

    async def add_passkey(self, actor: Actor, command: AddPasskey) -> Passkey:
        actor.require("access.session.own")
        self._refuse("add_passkey")
        self._take(command.binding, command.credential)
        made = Passkey(id=self.hospital.ids.new(), name=command.name, created_at=self.hospital.clock.now())
        self.hospital.passkeys.kept.append(made)
        return made

    async def redeem_passkey(self, actor: Actor, command: RedeemPasskey) -> access.StartedSession:
        actor.require("access.sign_in")
        self._refuse("redeem_passkey")
        self._take(command.binding, command.credential)
        return self.start("patient")

    def _take(self, binding: str, credential: str) -> None:
        if binding not in self.hospital.passkeys.bindings or credential != RIGHT:
            raise access.PasskeyNotRight
        self.hospital.passkeys.bindings.remove(binding)

    async def my_passkeys(self, actor: Actor) -> tuple[Passkey, ...]:
        actor.require("access.session.own")
        return tuple(self.hospital.passkeys.kept)

    async def remove_passkey(self, actor: Actor, passkey_id: UUID) -> None:
        actor.require("access.session.own")
        self._refuse("remove_passkey")
        found = next((one for one in self.hospital.passkeys.kept if one.id == passkey_id), None)
        if found is None:
            raise access.UnknownPasskey
        self.hospital.passkeys.kept.remove(found)
