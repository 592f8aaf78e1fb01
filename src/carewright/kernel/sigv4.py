"""AWS Signature Version 4, for AWS and for what speaks its protocols, and the credentials that somebody set.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import configparser
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from carewright.kernel.errors import Unavailable

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """Who we are to AWS. Only the first part may be shown."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


class Target(NamedTuple):
    """What is asked for. Path and query are `encoded`, the query's pairs sorted.

    Services but S3 sign a path that is encoded twice; of those we ask for "/" alone.
    """

    method: str = "POST"
    path: str = "/"
    query: str = ""


POST = Target()


class NoCredentials(Unavailable):
    code = "kernel.no_aws_credentials"
    title = "There are no credentials to sign this request with."


def credentials_in(environ: Mapping[str, str]) -> AwsCredentials | None:
    """Those that AWS's own variables hold, or that the file holds which they name; None where they do neither. Raises `NoCredentials`.

    Ask for each request, so that a file may be renewed.
    """
    if environ.get("AWS_ACCESS_KEY_ID"):
        return _credentials(environ, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    file = environ.get("AWS_SHARED_CREDENTIALS_FILE")
    return _in_file(Path(file), environ.get("AWS_PROFILE", "default")) if file else None


def encoded(text: str, besides: str = "") -> str:
    """Percent-encoded as the signature wants it: all but letters, digits, `-_.~` and what `besides` names."""
    return quote(text, safe=f"-_.~{besides}")


def signed(
    credentials: AwsCredentials, region: str, service: str, at: datetime, headers: Mapping[str, str], body: bytes,
    target: Target = POST,
) -> dict[str, str]:  # fmt: skip
    """The `headers`, which name the host, with those that sign all of them, the target and the body at the instant `at` (UTC)."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    given = {name.lower(): value.strip() for name, value in headers.items()} | {"x-amz-date": stamp}
    if credentials.session_token:
        given["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(given))
    lines = "".join(f"{name}:{given[name]}\n" for name in sorted(given))
    canonical = f"{target.method}\n{target.path}\n{target.query}\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    proof = f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return given | {"authorization": proof}


def _credentials(given: Mapping[str, str], key_id: str, secret: str, session: str) -> AwsCredentials:
    try:
        return AwsCredentials(given[key_id], given[secret], given.get(session, ""))
    except KeyError as fault:
        raise NoCredentials from fault


def _in_file(path: Path, profile: str) -> AwsCredentials:
    read = configparser.ConfigParser(interpolation=None)
    try:
        read.read_string(path.read_text("utf-8"))
        return _credentials(read[profile], "aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as fault:
        raise NoCredentials from fault
