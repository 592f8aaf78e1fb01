"""Audit's settings: defaults, limits and units."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """`origin` names the log in its checkpoints, `signing_key_file` holds the 32 bytes that sign them.

    `every_seconds`: how often new entries are sealed. `witness_file` and `witness_url` get every checkpoint, at most one in
    `witness_seconds`: a file beyond the reach of whoever could change the database, and a witness that speaks C2SP tlog-witness.
    """

    origin: str = "carewright/audit"
    signing_key_file: str = ""
    every_seconds: float = 1.0
    witness_file: str = ""
    witness_url: str = ""
    witness_seconds: float = 2.0
