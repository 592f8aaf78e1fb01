"""Audit's settings: defaults, limits and units."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """`origin` names the log in its checkpoints, `signing_key_file` holds the 32 bytes that sign them.

    `every_seconds`: how often new entries are sealed. `witness_file` and `witness_url` get every checkpoint, at most one in
    `witness_seconds`: a file beyond the reach of whoever could change the database, and a witness that speaks C2SP tlog-witness.
    `witness_s3_*`: a bucket with object lock, which gets one in `witness_s3_seconds` and keeps each for `witness_s3_days`. Credentials
    come from the file or the environment (`kernel/sigv4.py`).
    """

    origin: str = "carewright/audit"
    signing_key_file: str = ""
    every_seconds: float = 1.0
    witness_file: str = ""
    witness_url: str = ""
    witness_seconds: float = 2.0
    witness_s3_endpoint: str = ""
    witness_s3_bucket: str = ""
    witness_s3_region: str = "us-east-1"
    witness_s3_prefix: str = "carewright-audit/"
    witness_s3_path_style: bool = True
    witness_s3_credentials_file: str = ""
    witness_s3_days: int = 2557
    witness_s3_seconds: float = 300.0
