"""One pull at work: who asks, what is linked, and what was found to differ."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from carewright.contracts.ehr import TAKEN, Connection, Difference, Kind, NotUnderstood
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.model.deciding import winner
from carewright.ehr.model.profiles import PROFILES, Profile
from carewright.ehr.service.asking import Ehr
from carewright.ehr.store import Link, NewLink
from carewright.kernel import audit
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.privacy.cipher import FieldCipher

DIFFERS = "ehr.differs"
ONLY_THEIRS = "ehr.only_theirs"
AMBIGUOUS = "ehr.ambiguous"
OTHER_PERSON = "ehr.other_person"
GONE = "ehr.gone_there"
NOT_FOUND = frozenset({404, 410})
Take = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Work:
    """`ctx` acts for the EHR. `counts` is what came of each resource, as `Kind outcome`."""

    ctx: EhrContext
    cipher: FieldCipher
    ehr: Ehr
    began_at: datetime
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def connection(self) -> Connection:
        return self.ehr.connection

    @property
    def profile(self) -> Profile:
        return PROFILES[self.connection.profile]

    def mark(self, theirs: str) -> bytes:
        return store.mark_of(self.cipher, self.connection.id, theirs)

    async def linked(self, kind: Kind, theirs: str) -> Link | None:
        return await store.linked(self.ctx.db, self.cipher.organization_id, self.connection.id, kind, self.mark(theirs))

    async def link(
        self, kind: Kind, theirs: str, ours: UUID | None, patient_id: UUID | None = None, start_at: datetime | None = None
    ) -> Link | None:  # fmt: skip
        """What of theirs is what of ours from now on; None where one of the two has its own already."""
        now, id_ = self.ctx.clock.now(), self.ctx.ids.new()
        new = NewLink(
            id=id_, connection_id=self.connection.id, kind=kind, theirs=theirs, ours=ours, patient_id=patient_id, start_at=start_at
        )
        async with self.ctx.db.transaction() as tx:
            if not await store.put_link(tx, self.cipher, new, now):
                return None
            await audit.record(tx, self._entry("ehr.link.put", "C", kind, ours, patient_id))
        return Link(id=id_, ours=ours, changed_at=now)

    async def differs(
        self, kind: Kind, theirs: str, reason: str, ours: UUID | None = None, elements: tuple[str, ...] = (),
        patient_id: UUID | None = None,
    ) -> None:  # fmt: skip
        """Keep that the two do not say the same, and in what."""
        self.counts[f"{kind} {reason}"] += 1
        found = Difference(
            id=self.ctx.ids.new(), kind=kind, reason=reason, ours=ours, elements=tuple(sorted(elements)), found_at=self.ctx.clock.now()
        )
        async with self.ctx.db.transaction() as tx:
            if await store.put_difference(tx, self.cipher.organization_id, self.connection.id, self.mark(theirs), found, patient_id):
                await audit.record(tx, self._entry("ehr.difference.put", "C", kind, ours, patient_id))

    async def agrees(self, kind: Kind, theirs: str, ours: UUID) -> None:
        """The two say the same."""
        self.counts[f"{kind} agreed"] += 1
        async with self.ctx.db.transaction() as tx:
            if await store.drop_difference(tx, self.cipher.organization_id, self.connection.id, kind, self.mark(theirs)):
                await audit.record(tx, self._entry("ehr.difference.drop", "D", kind, ours, None))

    async def settle(
        self, kind: Kind, theirs: str, said_at: datetime | None, link: Link, elements: tuple[str, ...], take: Take,
        patient_id: UUID | None = None,
    ) -> None:  # fmt: skip
        """Where the two differ in `elements`, whoever is master wins: `take` changes ours to what they say. Either way it is on record."""
        if link.ours is None:
            return
        if not elements:
            await self.agrees(kind, theirs, link.ours)
            return
        reason = DIFFERS
        if winner(self.connection.masters[kind], said_at, link.changed_at) == "theirs":
            reason = await taken(take)
        await self.differs(kind, theirs, reason, link.ours, elements, patient_id)

    def _entry(self, event: str, action: audit.Action, kind: Kind, ours: UUID | None, patient_id: UUID | None) -> audit.Entry:
        about = (audit.Entity(type=kind, id=ours),) if ours else ()
        return audit.entry(self.ctx, event, action, patient_id=patient_id, entities=about)


async def taken(take: Take) -> str:
    """`TAKEN`, or the code of the module of ours that refuses. What cannot be done just now is raised on."""
    try:
        await take()
    except (Unavailable, NotUnderstood):
        raise
    except Refusal as refusal:
        return refusal.code
    return TAKEN
