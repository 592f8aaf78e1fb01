"""A bucket as a witness: an object for each checkpoint, locked by the store so that nobody deletes or replaces it before its day.

It speaks the protocol of Amazon S3, as MinIO, Ceph and others do (Amazon S3 API reference: PutObject, HeadObject, GetObject,
ListObjectVersions; user guide: Locking objects with Object Lock). COMPLIANCE is the mode in which not even the account's owner may delete.
"""

import asyncio
import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from xml.etree import ElementTree  # nosec B405  # it reads no document types

import httpx

from carewright.audit.model.checkpoint import size_of
from carewright.audit.settings import AuditSettings
from carewright.audit.witness.port import ANSWER_BYTES_MAX, TIMEOUT_SECONDS, NotTaken, SawOther
from carewright.kernel.clock import Clock
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.settings import StartFailed
from carewright.kernel.sigv4 import AwsCredentials, NoCredentials, Target, credentials_in, encoded, signed

SIZE_DIGITS = 20
MODE, UNTIL = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
READERS_MAX = 16
NAMESPACE = "{*}"


class Version(NamedTuple):
    """One version of an object. What lies hidden under a delete marker is one too."""

    key: str
    id: str


class BucketWitness:
    """Keys end in the log's size, with leading zeros, so that a listing has them in order."""

    def __init__(self, settings: AuditSettings, clock: Clock, transport: httpx.AsyncBaseTransport) -> None:
        self._settings, self._clock = settings, clock
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport)
        self._base = address_of(settings)
        self.every_seconds = settings.witness_s3_seconds

    @property
    def name(self) -> str:
        return f"s3 {self._base}/{self._settings.witness_s3_prefix}"

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str:  # noqa: ARG002  (a bucket checks no proof)
        """Put the checkpoint, unless a larger one lies there; it is taken once the store says that it is locked."""
        size = size_of(note)
        try:
            if larger := await self._newest_behind(size):
                raise SawOther(larger)
            await self._put(self._key(size), note.encode())
        except (httpx.HTTPError, Refusal, ElementTree.ParseError) as fault:
            raise NotTaken from fault
        return note

    async def kept(self) -> list[tuple[str, str]]:
        """Every version of every checkpoint in the bucket, with its place in words. Raises `Unavailable`: half of them prove nothing."""
        try:
            found = [each async for each in self._versions()]
            gate = asyncio.Semaphore(READERS_MAX)
            notes = await asyncio.gather(*(self._read(gate, each) for each in found))
        except (httpx.HTTPError, Refusal, ElementTree.ParseError) as fault:
            raise Unavailable(f"The checkpoints in {self._base} cannot be read.") from fault
        return [(f"the checkpoint in the bucket at {each.key}, version {each.id},", note) for each, note in zip(found, notes, strict=True)]

    async def _newest_behind(self, size: int) -> int:
        """The largest size in the bucket above `size`, or 0: what stands behind a key is a short listing, mostly an empty one."""
        prefix = self._settings.witness_s3_prefix
        names = [each.key.removeprefix(prefix) async for each in self._versions(self._key(size))]
        return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)

    async def _put(self, key: str, content: bytes) -> None:
        until = (self._clock.now() + timedelta(days=self._settings.witness_s3_days)).replace(microsecond=0)
        checksum = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        headers = {"Content-MD5": checksum, "Content-Type": "text/plain; charset=utf-8", MODE: "COMPLIANCE", UNTIL: _text(until)}
        answer = await self._ask("PUT", key, content=content, headers=headers)
        version = answer.headers.get("x-amz-version-id", "")
        there = await self._ask("HEAD", key, {"versionId": version} if version else {})
        if not version or there.headers.get(MODE) != "COMPLIANCE" or _moment(there.headers.get(UNTIL, "")) < until:
            raise Unavailable("The store took the checkpoint and did not lock it.")

    async def _read(self, gate: asyncio.Semaphore, version: Version) -> str:
        async with gate:
            answer = await self._ask("GET", version.key, {"versionId": version.id})
        return answer.content[:ANSWER_BYTES_MAX].decode("utf-8", "replace")

    async def _versions(self, after: str = "") -> AsyncIterator[Version]:
        """Every version below our prefix, behind the key `after`."""
        marker = {"key-marker": after} if after else {}
        while True:
            answer = await self._ask("GET", "", {"versions": "", "prefix": self._settings.witness_s3_prefix, **marker})
            page = _parsed(answer.content)
            for each in page.iterfind(f"{NAMESPACE}Version"):
                yield Version(_value(each, "Key"), _value(each, "VersionId"))
            if _value(page, "IsTruncated") != "true":
                return
            marker = {"key-marker": _value(page, "NextKeyMarker"), "version-id-marker": _value(page, "NextVersionIdMarker")}

    async def _ask(
        self, method: str, key: str, query: dict[str, str] | None = None, *, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One signed request, answered with 200. Raises `Unavailable` for any other answer."""
        url = httpx.URL(f"{self._base}/{encoded(key, '/')}")
        asked = "&".join(sorted(f"{encoded(name)}={encoded(value)}" for name, value in (query or {}).items()))
        given = {"host": url.netloc.decode(), "x-amz-content-sha256": hashlib.sha256(content).hexdigest(), **(headers or {})}
        proven = signed(
            self._credentials(), self._settings.witness_s3_region, "s3", self._clock.now(), given, content,
            Target(method, url.raw_path.decode(), asked),
        )  # fmt: skip
        answer = await self._client.request(method, f"{url}?{asked}" if asked else url, content=content, headers=proven)
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"The store answered with {answer.status_code}.")
        return answer

    def _credentials(self) -> AwsCredentials:
        """Read for each request: whoever renews them writes the file anew. Raises `NoCredentials`."""
        file = self._settings.witness_s3_credentials_file
        found = credentials_in({"AWS_SHARED_CREDENTIALS_FILE": file} if file else os.environ)
        if found is None:
            raise NoCredentials
        return found

    def _key(self, size: int) -> str:
        return f"{self._settings.witness_s3_prefix}{size:0{SIZE_DIGITS}d}"


def address_of(settings: AuditSettings) -> str:
    """Where the bucket is: below the endpoint's path, or a name below the endpoint's name. Raises `StartFailed`."""
    url = httpx.URL(settings.witness_s3_endpoint.rstrip("/"))
    if url.scheme not in ("http", "https") or not url.host or not settings.witness_s3_bucket:
        raise StartFailed("A witness in S3 needs CAREWRIGHT_AUDIT_WITNESS_S3_ENDPOINT and CAREWRIGHT_AUDIT_WITNESS_S3_BUCKET.")
    if settings.witness_s3_path_style:
        return f"{str(url).rstrip('/')}/{settings.witness_s3_bucket}"
    return str(url.copy_with(host=f"{settings.witness_s3_bucket}.{url.host}")).rstrip("/")


def _parsed(content: bytes) -> ElementTree.Element:
    """XML without a document type, so that there are no entities to expand."""
    if b"<!DOCTYPE" in content:
        raise Unavailable("The store answered with what no listing looks like.")
    return ElementTree.fromstring(content)  # noqa: S314  # nosec B314  # no document types; the guard limits its length


def _value(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{NAMESPACE}{name}") or ""


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    """A moment of ISO 8601 in UTC. Raises `Unavailable` for anything else."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as fault:
        raise Unavailable("The store says no day up to which the checkpoint is locked.") from fault
