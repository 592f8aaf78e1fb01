"""What a witness is."""

from collections.abc import Sequence
from typing import Protocol

ANSWER_BYTES_MAX = 20_000
TIMEOUT_SECONDS = 10.0


class NotTaken(Exception):
    """A witness could not be reached, or refused the checkpoint."""


class SawOther(NotTaken):
    """A witness has seen the log at another size than we thought."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class Witness(Protocol):
    """Takes checkpoints, at most one in `every_seconds`.

    `take` returns the note as the witness keeps it, with its signature if it signs. Raises `NotTaken`.
    """

    @property
    def name(self) -> str: ...

    @property
    def every_seconds(self) -> float: ...

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str: ...
