"""Time that stands still until a file is there, and runs `rate` times as fast from then on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FROM, RATE, FILE = "FAST_TIME_FROM", "FAST_TIME_RATE", "FAST_TIME_FILE"
"""The variables that say so: an instant (ISO 8601), a number, and the file with whose writing time begins to run."""


@dataclass
class FastTime:
    """`began` is when the machine's clock said that the file was written, in seconds since 1970."""

    start: datetime
    rate: float
    file: Path
    began: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "FastTime":
        return cls(datetime.fromisoformat(environ[FROM]), float(environ[RATE]), Path(environ[FILE]))

    def environ(self) -> dict[str, str]:
        return {FROM: self.start.isoformat(), RATE: str(self.rate), FILE: str(self.file)}

    def begin(self) -> None:
        self.file.touch()

    def now(self) -> datetime:
        if self.began is None:
            if not self.file.exists():
                return self.start
            self.began = self.file.stat().st_mtime
        return self.start + timedelta(seconds=(datetime.now(UTC).timestamp() - self.began) * self.rate)

    def monotonic_seconds(self) -> float:
        """So that it can stand for any other clock."""
        return self.now().timestamp()

    def real_seconds(self, until: datetime) -> float:
        """How long it takes until then; none for what is past."""
        return max(0.0, (until - self.now()).total_seconds() / self.rate)
