"""The organizations' keys: made when an organization first seals something, kept at hand in each process, rotated, destroyed.

A keyset lies in `kernel.keyset`, wrapped by the key service and bound to its organization, purpose and version. A process asks again
every few seconds, so a new version is known everywhere before it begins to seal, and a destroyed one is gone everywhere soon after.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from prometheus_client import Counter

from carewright.kernel.clock import Clock
from carewright.kernel.db import Database, Row, Session
from carewright.kernel.errors import InternalFault, Refusal
from carewright.kernel.invariants import invariant
from carewright.kernel.pool import WAIT_SECONDS_MAX
from carewright.kernel.privacy.aead import Aead, aead_of, new_index_key, new_key
from carewright.kernel.privacy.cipher import VERSION_MAX, FieldCipher, KeysDestroyed, SealedElsewhere
from carewright.kernel.privacy.kek import REMEDIES, RUNBOOK, KeyPlace, KeyRefused, KeyService, KeysUnavailable, WrongKey
from carewright.kernel.settings import StartFailed
from carewright.kernel.sql import load

Q = load("carewright.kernel")
Purpose = Literal["field", "index"]
REMEMBERED = Counter(
    "carewright_keys_remembered_total",
    "Uses of keys that the key service did not open when it was asked again: it is away, or the keys are wrapped elsewhere. An alert.",
)
PROBE = KeyPlace(UUID(int=0), "probe", 0)
GRACE = 2
"""A new version seals only after so many times the seconds for which keys are kept: by then every process has it."""
CLOCKS_APART_SECONDS = 5.0
IN_FLIGHT = timedelta(seconds=WAIT_SECONDS_MAX + CLOCKS_APART_SECONDS)
"""Whatever was sealed just before a new version took over has begun to be stored after this: it waits for a connection at most so long, and
the clocks of two machines differ by less."""


class RegionNotServed(Refusal):
    """Keys are opened in the organization's own region alone, so that nothing of it can be made, imported or read elsewhere."""

    code = "kernel.region_not_served"
    status = 403
    issue = "suppressed"
    title = "The records of this organization belong into another region. They are neither read nor written here."


@dataclass(slots=True)
class _Kept:
    cipher: FieldCipher
    until_seconds: float


class Vault:
    """The keys of every organization that this process met. `fresh_seconds` is how long it uses them before asking again.

    `regions` are those that this installation is in; where none is named, every organization is served.
    """

    def __init__(self, service: KeyService, clock: Clock, fresh_seconds: float, regions: Collection[str] = ()) -> None:
        self._service = service
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._regions = frozenset(regions)
        self._kept: dict[UUID, _Kept] = {}
        self._known: dict[KeyPlace, bytes] = {}
        self._asking: dict[UUID, asyncio.Lock] = {}

    @property
    def grace(self) -> timedelta:
        """How long after its making a new version begins to seal."""
        return timedelta(seconds=GRACE * self._fresh_seconds)

    async def of(self, db: Database, organization_id: UUID) -> FieldCipher:
        """The organization's keys, made if it has none yet. Ask before a transaction begins: this may need a connection of its own.

        Raises `RegionNotServed`, `KeysDestroyed`, `KeysUnavailable`, or `SealedElsewhere` when they were wrapped by another key.
        """
        if (cipher := self._fresh(organization_id)) is not None:
            return cipher
        async with self._asking.setdefault(organization_id, asyncio.Lock()):
            if (cipher := self._fresh(organization_id)) is not None:
                return cipher
            await self._ensure_own_region(db, organization_id)
            rows = await db.fetch(Q.keysets_of, organization_id)
            if not rows:
                async with db.transaction() as tx:  # both or neither: half of them would be taken for all
                    await self._make(tx, organization_id, "field", 1)
                    await self._make(tx, organization_id, "index", 1)
                rows = await db.fetch(Q.keysets_of, organization_id)
            if not rows:
                raise KeysUnavailable  # the wrapping key is just being replaced
            cipher = await self._cipher(organization_id, rows)
            self._kept[organization_id] = _Kept(cipher, self._clock.monotonic_seconds() + self._seconds_to_keep(rows))
            return cipher

    def _seconds_to_keep(self, rows: Sequence[Row]) -> float:
        """No longer than until the next version takes over, so that every process begins to seal by it at the same time."""
        now = self._clock.now()
        ahead: list[timedelta] = [row["seals_from"] - now for row in rows if row["seals_from"] > now]
        return min([self._fresh_seconds, *(until.total_seconds() for until in ahead)])

    def ensure_serves(self, region: str) -> None:
        """Raise `RegionNotServed` for a region that this installation is not in."""
        if self._regions and region not in self._regions:
            raise RegionNotServed(region=region)

    async def _ensure_own_region(self, db: Database, organization_id: UUID) -> None:
        """An organization that declared none is served everywhere."""
        if self._regions and (row := await db.fetch_one(Q.jurisdiction_of, organization_id)) is not None:
            self.ensure_serves(row["region"])

    def at_hand(self, organization_id: UUID) -> FieldCipher:
        """The keys that `of` gave last, without asking anybody: for use inside a transaction."""
        return self._kept[organization_id].cipher

    async def ensure_opens(self, db: Database) -> None:
        """Raise `StartFailed` unless our key opens what is stored: a lost or wrong key must stop the start, not the first patient.

        Where nothing is stored yet, it must open what it wraps.
        """
        rows = await db.fetch(Q.keysets_by_service)
        try:
            for row in rows:
                if not self._service.take_up(row["kek_id"]):
                    raise StartFailed(
                        f"There is encrypted data under the key {row['kek_id']}, and the key given is {self._service.id}. {RUNBOOK}"
                    )
                await self._unwrapped(row)
            if not rows:
                await _wrapped(self._service, new_index_key(), PROBE)
        except WrongKey as fault:
            raise StartFailed(f"The key {self._service.id} does not open the stored keys. {RUNBOOK}") from fault
        except KeyRefused as fault:
            remedy = REMEDIES[str(fault.facts["reason"])]
            raise StartFailed(f"The key service refuses the key {self._service.id}. {remedy} {RUNBOOK}") from fault
        except KeysUnavailable as fault:
            raise StartFailed(
                f"The service of the key {self._service.id} does not answer. Nothing can be read without it. {RUNBOOK}"
            ) from fault

    async def renew(self, db: Database, organization_id: UUID) -> int:
        """Make the next version of the field key, or return one that an earlier call made and that nobody finished rotating to."""
        await self.of(db, organization_id)
        rows = [row for row in await db.fetch(Q.keysets_of, organization_id) if row["purpose"] == "field"]
        latest: int = rows[-1]["version"]
        if sum(row["retired_at"] is None for row in rows) > 1:
            return latest
        await self._make(db, organization_id, "field", latest + 1, delayed=True)
        self._kept.pop(organization_id, None)
        if all(row["version"] <= latest for row in await db.fetch(Q.keysets_of, organization_id) if row["purpose"] == "field"):
            raise KeysUnavailable  # the wrapping key is just being replaced
        return latest + 1

    async def seals_alone(self, db: Database, organization_id: UUID, version: int) -> bool:
        """Whether no process seals by an older version any more, and all that was sealed so is stored or being stored."""
        rows = await db.fetch(Q.keysets_of, organization_id)
        begins: list[datetime] = [row["seals_from"] for row in rows if row["purpose"] == "field" and row["version"] == version]
        return self._clock.now() >= begins[0] + IN_FLIGHT

    async def retire(self, db: Database, organization_id: UUID, before_version: int) -> None:
        """Mark older versions as retired: nothing live is sealed by them. They still open what backups hold."""
        await db.execute(Q.retire_keysets, organization_id, before_version, self._clock.now())

    async def destroy_retired(self, db: Database, organization_id: UUID) -> int:
        """Destroy what older versions would still open, and the answers kept under them; how many versions. The newest goes on."""
        cipher = await self.of(db, organization_id)
        async with db.transaction() as tx:
            rows = await tx.fetch(Q.destroy_retired_keysets, organization_id, self._clock.now())
            await tx.execute(Q.forget_answers_of_older_keys, organization_id, cipher.header)
        self._kept.pop(organization_id, None)
        return len(rows)

    async def rewrap(self, tx: Session, target: KeyService) -> list[UUID]:
        """Wrap every organization's keys by another key service; whose key each was. `tx` is the system's, and sees every tenant's."""
        await tx.execute(Q.lock_keysets)
        await tx.execute(Q.replace_wrapping, target.id)
        rows = await tx.fetch(Q.keysets_to_rewrap)
        anew = [await _wrapped(target, await self._unwrapped(row), _place(row)) for row in rows]
        columns = ([row[name] for row in rows] for name in ("organization_id", "purpose", "version"))
        await tx.execute(Q.rewrap_keysets, target.id, *columns, anew)
        return [row["organization_id"] for row in rows]

    async def destroy(self, tx: Session, organization_id: UUID) -> int:
        """Destroy every key of the organization, for good; returns how many there were."""
        rows = await tx.fetch(Q.destroy_keysets, organization_id, self._clock.now())
        self._kept.pop(organization_id, None)
        return len(rows)

    def _fresh(self, organization_id: UUID) -> FieldCipher | None:
        kept = self._kept.get(organization_id)
        return kept.cipher if kept is not None and self._clock.monotonic_seconds() < kept.until_seconds else None

    async def _make(self, db: Session, organization_id: UUID, purpose: Purpose, version: int, *, delayed: bool = False) -> None:
        """Store a new key unless another process was faster."""
        if version > VERSION_MAX:
            raise InternalFault("This organization has used up its key versions.")
        now = self._clock.now()
        key = new_key() if purpose == "field" else new_index_key()
        wrapped = await _wrapped(self._service, key, KeyPlace(organization_id, purpose, version))
        await db.execute(
            Q.insert_keyset, organization_id, purpose, version, wrapped, self._service.id, now, now + self.grace if delayed else now
        )

    async def _cipher(self, organization_id: UUID, rows: Sequence[Row]) -> FieldCipher:
        fields: dict[int, Aead] = {}
        current, index_key = 0, b""
        newest = [row for row in rows if row["purpose"] == "field"][-1]
        for row in rows:
            if row["wrapped"] is None:
                self._known.pop(_place(row), None)
                if row["retired_at"] is not None and row["purpose"] == "field" and row is not newest:
                    continue
                raise KeysDestroyed(organization_id=str(organization_id))
            try:
                key = await self._opened(row)
            except WrongKey as fault:
                raise SealedElsewhere("The keys of this organization were wrapped by another key.", version=row["version"]) from fault
            if row["purpose"] == "index":
                index_key = key
                continue
            fields[row["version"]] = aead_of(key)
            if row["seals_from"] <= self._clock.now() or not current:
                current = row["version"]
        invariant(bool(fields and index_key), "an organization has a field key and an index key, or neither")
        return FieldCipher(organization_id, fields, current, index_key)

    async def _opened(self, row: Row) -> bytes:
        """A key of a place never changes: one that was opened before goes on while its service is away, or after it was wrapped elsewhere.

        A service that answers and refuses (`KeyRefused`) is believed: that is how a key is taken from us.
        """
        place = _place(row)
        try:
            self._known[place] = await self._unwrapped(row)
        except (KeysUnavailable, WrongKey):
            if place not in self._known:
                raise
            REMEMBERED.inc()
        return self._known[place]

    async def _unwrapped(self, row: Row) -> bytes:
        return await self._service.unwrap(row["wrapped"], _place(row))


async def _wrapped(service: KeyService, key: bytes, place: KeyPlace) -> bytes:
    """The key wrapped, and seen to open again: what does not would be lost together with all that it seals."""
    wrapped = await service.wrap(key, place)
    invariant(await service.unwrap(wrapped, place) == key, "a wrapped key opens again")
    return wrapped


def _place(row: Row) -> KeyPlace:
    return KeyPlace(row["organization_id"], row["purpose"], row["version"])
