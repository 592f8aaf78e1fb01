"""Consents of the hospital in memory: what pages see of them, without access's rules."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from carewright.contracts import access
from carewright.contracts.consents import Consent
from carewright.kernel.authz import Actor

if TYPE_CHECKING:
    from tests.unit.portal.double import Hospital

SOMEBODY = UUID(int=(9 << 64) | 2)


class DoubleConsents:
    """The part of `DoubleAccess` that is about acting for somebody else."""

    hospital: "Hospital"
    start: Callable[[str], access.StartedSession]

    async def list_consents(self, actor: Actor) -> access.ConsentsPage:
        given = tuple(one for one in self.hospital.consents if f"patient/{one.patient_id}" == actor.subject)
        received = tuple(one for one in self.hospital.consents if f"patient/{one.proxy_patient_id}" == actor.subject)
        return access.ConsentsPage(given=given, received=received)

    async def give_consent(self, actor: Actor, command: access.GiveConsent) -> access.GivenConsent:
        actor.require("access.consent.give")
        assert actor.patient_id
        consent = self.consent(actor.patient_id, None, scope=command.scope, ends_at=command.until_at)
        return access.GivenConsent(consent=consent, code="ABCD-EFGH-JKLM-NPQR")

    def consent(self, patient_id: UUID, proxy_id: UUID | None, **more: Any) -> Consent:
        """A consent of this patient."""
        now = self.hospital.clock.now()
        known: dict[str, Any] = {"scope": "book", "ends_at": now + timedelta(days=30)} | more
        made = Consent(
            id=self.hospital.ids.new(), patient_id=patient_id, proxy_patient_id=proxy_id, relationship="child", proof="portal",
            starts_at=now, given_at=now, given_by=f"patient/{patient_id}", accepted_at=now if proxy_id else None, **known,
        )  # fmt: skip
        self.hospital.consents.append(made)
        return made

    async def accept_consent(self, actor: Actor, command: access.AcceptConsent) -> Consent:
        actor.require("access.consent.give")
        if command.code != "ABCD-EFGH-JKLM-NPQR":
            raise access.ConsentNotRight
        return self.consent(SOMEBODY, actor.patient_id)

    async def withdraw_consent(self, actor: Actor, consent_id: UUID) -> Consent:
        actor.require("access.consent.give")
        found = next((one for one in self.hospital.consents if one.id == consent_id), None)
        if found is None:
            raise access.UnknownConsent
        self.hospital.consents.remove(found)
        return found

    async def act_for(self, actor: Actor, command: access.ActFor) -> access.StartedSession:
        actor.require("access.session.own")
        if command.consent_id is not None and command.consent_id not in [one.id for one in self.hospital.consents]:
            raise access.UnknownConsent
        return self.start("proxy" if command.consent_id else "patient")
