"""What is held back in an incident: tokens that were signed before a moment, clients that may not come in, hosts that nothing goes out to.

Every process keeps what it knows in memory (`restraint_table.py` reads it each second), so that nobody is asked on the way of a request.
A host is held back for the whole installation: connections go out for everybody.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.kernel.errors import Refusal

Kind = Literal["tokens", "client", "peer"]


class PeerQuarantined(Refusal):
    code = "kernel.peer_quarantined"
    status = 503
    issue = "suppressed"
    title = "Nothing goes out to this system until somebody releases it: it is quarantined."


class Restraint(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is held back. `name` is a subject for tokens and clients, a host for a peer."""

    organization_id: UUID
    id: UUID
    kind: Kind
    name: str
    since: datetime


class Restraints:
    """What this process knows to be held back."""

    def __init__(self) -> None:
        self.take(())

    def take(self, known: Iterable[Restraint]) -> None:
        """Know these, and no others."""
        signed_from: dict[tuple[UUID, str], float] = {}
        clients: set[tuple[UUID, str]] = set()
        peers: set[str] = set()
        for each in known:
            whose = (each.organization_id, each.name)
            if each.kind == "tokens":
                signed_from[whose] = max(signed_from.get(whose, 0.0), each.since.timestamp())
            elif each.kind == "client":
                clients.add(whose)
            else:
                peers.add(each.name.lower())
        self._signed_from, self._clients, self._peers = signed_from, frozenset(clients), frozenset(peers)

    def takes_token(self, organization_id: UUID, subject: str, issued_at: float) -> bool:
        """Whether a signed token of this subject counts that was issued at this instant (seconds since the epoch)."""
        return issued_at >= self._signed_from.get((organization_id, subject), 0.0)

    def holds_client(self, organization_id: UUID, subject: str) -> bool:
        return (organization_id, subject) in self._clients

    def ensure_peer(self, host: str) -> None:
        """Raise `PeerQuarantined` for a host that nothing goes out to."""
        if host.lower() in self._peers:
            raise PeerQuarantined
