"""What access's use cases run in: the common context and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from carewright.access.model.oidc import Provider
from carewright.access.settings import AccessSettings
from carewright.contracts.access import ensure_recent
from carewright.contracts.clients import PublicKey
from carewright.kernel.context import Context


class Vouching(Protocol):
    """The identity provider, as sign-in needs it."""

    async def discovered(self) -> Provider: ...

    async def claims_for(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, object]: ...


class Publishing(Protocol):
    """Where other systems publish their keys."""

    async def at(self, address: str, kid: str) -> tuple[PublicKey, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessContext(Context):
    """`provider` is the identity provider of the staff, `published` the keys that other systems publish."""

    settings: AccessSettings
    provider: Vouching
    published: Publishing

    def require_recent(self) -> None:
        """Raise `StepUpNeeded` unless the actor proved who they are a moment ago."""
        ensure_recent(self.actor.authenticated_at, self.clock.now(), self.settings.step_up_minutes)
