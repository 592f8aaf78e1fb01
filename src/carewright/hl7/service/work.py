"""One message at work: who asks, what it says, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from carewright.hl7 import store
from carewright.hl7.context import Codes, Hl7Context
from carewright.hl7.model.codes import DoesNotFit
from carewright.hl7.model.message import Message
from carewright.hl7.model.pid import Person, person_in
from carewright.hl7.model.siu import Wish, wish_in
from carewright.hl7.store import LinkKind, NewLink
from carewright.kernel.privacy.cipher import FieldCipher

OTHER_PATIENT = "hl7.other_patient"


@dataclass(frozen=True)
class Work:
    """`mark` is the message's own: whatever it asks of others it asks under keys made of it, so that nothing happens twice."""

    ctx: Hl7Context
    cipher: FieldCipher
    codes: Codes
    message: Message
    client_id: UUID
    mark: bytes
    made: list[tuple[LinkKind, UUID]] = field(default_factory=list)
    """What the sender's ids stand for from now on, whatever comes of the rest."""

    @cached_property
    def wish(self) -> Wish:
        return wish_in(self.message)

    @cached_property
    def person(self) -> Person:
        return person_in(self.message)

    def key(self, what: str) -> str:
        """An idempotency key for one thing that the message asks for."""
        return f"hl7-{what}-{self.mark.hex()}"

    def links(self) -> Sequence[NewLink]:
        """Each of the sender's ids, and what it stands for from now on: the last that was made; nothing where nothing was."""
        return [NewLink(self.ctx.ids.new(), self._mark(each), each, *self.made[-1]) for each in self.wish.ids] if self.made else ()

    async def linked(self, kind: LinkKind) -> UUID | None:
        """What the sender's ids stand for, if it is of that kind."""
        marks = [self._mark(each) for each in self.wish.ids]
        found = await store.linked(self.ctx.db, self.cipher.organization_id, marks) if marks else None
        return found[1] if found and found[0] == kind else None

    async def ensure_of(self, named: UUID, patient_id: UUID) -> None:
        """Raise `DoesNotFit` where what is `patient_id`'s is not of whom the message names, nor of a record that was merged into theirs."""
        if named != patient_id and (await self.ctx.patients.get_patient(self.ctx.actor, patient_id)).replaced_by != named:
            raise DoesNotFit(OTHER_PATIENT)

    def _mark(self, own_id: str) -> bytes:
        return link_mark(self.cipher, self.client_id, own_id)


def link_mark(cipher: FieldCipher, client_id: UUID, own_id: str) -> bytes:
    """By which hash it is kept what a sender's own id stands for."""
    return cipher.mark(store.LINK, "mark", f"{client_id}\0{own_id}".encode())
