"""The part of access's language that is about systems which sign every request that they make (CDS Hooks, Trusting CDS Clients)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from carewright.kernel.errors import Refusal


class ProveCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed this request? `paths` are the addresses here, without scheme and host, that the signature may be for."""

    assertion: str
    paths: Annotated[tuple[str, ...], Meta(min_length=1)]


class IssuerTaken(Refusal):
    code = "callers.issuer_taken"
    status = 409
    issue = "duplicate"
    title = "Another client is registered under this issuer."
