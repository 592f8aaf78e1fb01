"""A store that speaks Amazon S3's protocol over HTTP: signatures checked, versions kept, locked ones never deleted.

Written from the S3 API reference and the signature's description, and from nothing of ours, so that a mistake in the signer shows.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from carewright.kernel.clock import ManualClock
from tests.aws_signature import signature

KEY_ID, SECRET, REGION = "AKIDTESTTESTTEST", "secret/of+the=test", "eu-central-1"
LATE_SECONDS_MAX = 900
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class Version:
    key: str
    id: str
    content: bytes
    mode: str = ""
    until: str = ""
    is_marker: bool = False


@dataclass
class Bucket:
    """`page` is how many versions a listing shows at once. `fault` makes it a store that something is wrong with."""

    name: str
    clock: ManualClock
    url: str = ""
    versions: list[Version] = field(default_factory=list)
    page: int = 1000
    fault: str = ""

    def put(self, key: str, content: bytes, mode: str = "", until: str = "", *, is_marker: bool = False) -> Version:
        made = Version(key, f"v{len(self.versions):04d}", content, mode, until, is_marker)
        self.versions.append(made)
        return made

    def find(self, key: str, version: str | None) -> Version | None:
        found = [each for each in self.versions if each.key == key and version in (None, each.id)]
        return found[-1] if found and not found[-1].is_marker else None

    def is_hidden(self, key: str) -> bool:
        return self.find(key, None) is None

    def listed(self) -> list[Version]:
        """In the order of the reference: by key, and of one key the newest first."""
        newest_first = self.versions[::-1]
        return sorted(newest_first, key=lambda each: each.key)


class _Handler(BaseHTTPRequestHandler):
    bucket: ClassVar[Bucket]
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        bucket = type(self).bucket
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if (refused := self._not_signed(content, parts.path, parts.query)) is not None:
            return self._answer(403, _error(refused))
        name, _, key = unquote(parts.path).removeprefix("/").partition("/")
        if name != bucket.name:
            return self._answer(404, _error("NoSuchBucket"))
        if self.command == "PUT":
            return self._put(bucket, key, content)
        if self.command == "DELETE":
            return self._delete(bucket, key, query.get("versionId"))
        if not key and "versions" in query:
            return self._list(bucket, query)
        found = bucket.find(key, query.get("versionId"))
        if found is None:
            return self._answer(404, _error("NoSuchKey"))
        headers = {"x-amz-version-id": found.id}
        if found.mode:
            headers |= {"x-amz-object-lock-mode": found.mode, "x-amz-object-lock-retain-until-date": found.until}
        return self._answer(200, found.content, headers)

    do_GET = do_PUT = do_HEAD = do_DELETE = handle_one  # noqa: N815  (named by the library)

    def _put(self, bucket: Bucket, key: str, content: bytes) -> None:
        mode, until = self.headers.get("x-amz-object-lock-mode", ""), self.headers.get("x-amz-object-lock-retain-until-date", "")
        if mode and bucket.fault == "no object lock":
            return self._answer(400, _error("InvalidRequest"))
        if mode and base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode() != self.headers.get("Content-MD5"):
            return self._answer(400, _error("InvalidDigest"))
        if bucket.fault == "ignores locks":
            mode = until = ""
        if bucket.fault == "shorter":
            until = (datetime.fromisoformat(until) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._answer(200, b"", {"x-amz-version-id": bucket.put(key, content, mode, until).id})

    def _delete(self, bucket: Bucket, key: str, version: str | None) -> None:
        if version is None:
            bucket.put(key, b"", is_marker=True)
            return self._answer(204, b"")
        found = bucket.find(key, version)
        if found is not None and found.mode == "COMPLIANCE" and datetime.fromisoformat(found.until) > bucket.clock.now():
            return self._answer(403, _error("AccessDenied"))
        bucket.versions = [each for each in bucket.versions if each is not found]
        return self._answer(204, b"")

    def _list(self, bucket: Bucket, query: dict[str, str]) -> None:
        if bucket.fault == "entities":
            return self._answer(200, b'<!DOCTYPE x [<!ENTITY a "aaaa">]><ListVersionsResult>&a;</ListVersionsResult>')
        found = [each for each in bucket.listed() if each.key.startswith(query.get("prefix", ""))]
        marker, version = query.get("key-marker", ""), query.get("version-id-marker")
        if version:
            place = next(index for index, each in enumerate(found) if (each.key, each.id) == (marker, version))
            found = found[place + 1 :]
        else:
            found = [each for each in found if each.key > marker]
        shown, more = found[: bucket.page], len(found) > bucket.page
        items = "".join(_shown(each) for each in shown)
        last = (
            f"<NextKeyMarker>{escape(shown[-1].key)}</NextKeyMarker><NextVersionIdMarker>{shown[-1].id}</NextVersionIdMarker>"
            if more
            else ""
        )
        head = f'<ListVersionsResult xmlns="{NAMESPACE}"><IsTruncated>{str(more).lower()}</IsTruncated>{last}'
        text = f'<?xml version="1.0"?>{head}{items}</ListVersionsResult>'
        return self._answer(200, text.encode())

    def _not_signed(self, content: bytes, path: str, query: str) -> str | None:
        """The code of what is wrong with the signature, or None."""
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if kind != "AWS4-HMAC-SHA256" or set(given) != {"Credential", "SignedHeaders", "Signature"}:
            return "AccessDenied"
        key_id, day, region, service, end = given["Credential"].split("/")
        names, moment = given["SignedHeaders"].split(";"), self.headers["x-amz-date"]
        sent = {name.lower() for name in self.headers}
        if (key_id, region, service, end, day) != (KEY_ID, REGION, "s3", "aws4_request", moment[:8]):
            return "AuthorizationHeaderMalformed"
        if "host" not in names or not {name for name in sent if name.startswith("x-amz-")} <= set(names):
            return "AccessDenied"
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(content).hexdigest():
            return "XAmzContentSHA256Mismatch"
        at = datetime.strptime(moment + "+0000", "%Y%m%dT%H%M%SZ%z")
        if abs((type(self).bucket.clock.now() - at).total_seconds()) > LATE_SECONDS_MAX:
            return "RequestTimeTooSkewed"
        pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(query, keep_blank_values=True))
        lines = [
            self.command, quote(unquote(path), safe="/-_.~"), "&".join(f"{n}={v}" for n, v in pairs),
            "".join(f"{name}:{self.headers[name].strip()}\n" for name in names), ";".join(names), self.headers["x-amz-content-sha256"],
        ]  # fmt: skip
        right = signature(SECRET, moment, f"{day}/{region}/s3/aws4_request", lines)
        return None if hmac.compare_digest(right, given["Signature"]) else "SignatureDoesNotMatch"

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _shown(version: Version) -> str:
    kind = "DeleteMarker" if version.is_marker else "Version"
    return f"<{kind}><Key>{escape(version.key)}</Key><VersionId>{version.id}</VersionId></{kind}>"


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


@contextmanager
def serving(bucket: Bucket) -> Iterator[Bucket]:
    """The store, at an address of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
