"""Settings of the system as a whole, as `CAREWRIGHT_SYSTEM_<FIELD>` or the `[system]` table of a settings file."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSettings:
    """`peers` says where modules of other processes answer: `directory=http://10.0.0.5:8080,patients=http://…`.

    `token_key_file` holds the keys that sign bearer tokens; a new one signs `token_key_delay_seconds` after it was made, when every
    process knows it. `drain_seconds` is how long a process still answers after SIGTERM while load balancers notice that it is not ready.
    `json_everywhere` sends calls between modules of one process through JSON too.
    """

    database_url: str = ""
    valkey_url: str = ""
    token_key_file: str = ""
    token_key_delay_seconds: float = 5.0
    host: str = "127.0.0.1"
    port: int = 8080
    peers: str = ""
    drain_seconds: float = 0.0
    stop_seconds_max: int = 20
    pool_connections: int = 6
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    trace_endpoint: str | None = None
    trace_ratio: float = 0.05
    json_everywhere: bool = False
