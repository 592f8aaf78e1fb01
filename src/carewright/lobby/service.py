"""What the pages of stations run in: the context, and whom they ask."""

from dataclasses import dataclass

from carewright.contracts.access import Access
from carewright.contracts.flow import Kiosks, Lobby
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.feed import Feed
from carewright.lobby.settings import LobbySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyContext(Context):
    """The context with what the lobby may ask, and of whom."""

    settings: LobbySettings
    bearers: Bearers
    access: Access
    lobby: Lobby
    kiosks: Kiosks
    feed: Feed
