"""What exports and published files have in common: lines of resources, and of which of them is asked."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from carewright.contracts.fhir.basics import Resource
from carewright.kernel.errors import BadInput

NDJSON = "application/fhir+ndjson"


def ndjson(resources: Iterable[Resource]) -> bytes:
    """One a line."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in resources)


def since_in(text: str) -> datetime:
    """The instant of `_since`; a plus sign that was not escaped arrives as a space. Raises `BadInput` for what is no instant."""
    try:
        since = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        raise BadInput("`_since` is an instant with its offset, such as 2026-11-26T09:30:00Z.", parameter="_since")
    return since
