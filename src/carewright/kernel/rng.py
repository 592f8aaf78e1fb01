"""The only place that makes chance; everything else gets it from the context."""

import random
import secrets
from uuid import UUID


def new_rng() -> random.Random:
    """A generator with an unknown seed, for choices among equals. It guards no secret."""
    return random.Random(secrets.randbits(64))  # noqa: S311  # nosec B311  # chooses among free times, guards no secret


def new_origin() -> UUID:
    """The id of a process that starts."""
    return UUID(bytes=secrets.token_bytes(16), version=4)


def new_secret(size: int) -> bytes:
    """`size` bytes that nobody can guess."""
    return secrets.token_bytes(size)


def new_shift(most: int) -> int:
    """A number from 1 to `most` that nobody can guess."""
    return 1 + secrets.randbelow(most)
