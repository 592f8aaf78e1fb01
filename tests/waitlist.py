"""What tests of the waitlist need: a policy, somebody who waits, what was asked and said, and a relay that delivers facts and runs jobs."""

from typing import Any

import msgspec

from carewright.contracts.offers import AnswerOffer, ListOffers, Offer, OfferEnded
from carewright.contracts.scheduling import (
    Appointment,
)
from carewright.contracts.waitlist import (
    JoinWaitlist,
    OfferWay,
    PolicyTerms,
    SetWaitlistPolicy,
    WaitlistEntry,
    Wishes,
)
from carewright.kernel import jobs
from carewright.kernel.events import Event
from carewright.scheduling.jobs import JOBS
from carewright.scheduling.module import MODULE
from carewright.scheduling.service import freed, offers, waitlist
from tests.scheduling_hospital import Hospital
from tests.servers import facts_of


async def policy(hospital: Hospital, way: OfferWay = "cascade", **terms: Any) -> None:
    command = SetWaitlistPolicy(site_id=hospital.world.city.id, terms=PolicyTerms(way=way, **({"notice_minutes": 0} | terms)))
    await waitlist.set_waitlist_policy(hospital.desk(), command)


async def wait(hospital: Hospital, patient: int = 1, *, given_up: Appointment | None = None, **wishes: Any) -> WaitlistEntry:
    given: dict[str, Any] = {"site_ids": (hospital.world.city.id,), "notice_minutes": 0}
    wanted = Wishes(**(given | wishes))
    command = JoinWaitlist(
        patient_id=hospital.world.patients[patient], visit_type_id=hospital.world.kinds.solo.id, wishes=wanted,
        given_up_id=given_up.id if given_up else None,
    )  # fmt: skip
    made = await waitlist.join_waitlist(hospital.desk(), command)
    hospital.here.clock.advance(seconds=1)
    return made


async def now(hospital: Hospital, one: WaitlistEntry) -> WaitlistEntry:
    return await waitlist.get_waiting(hospital.desk(), one.id)


async def asked(hospital: Hospital) -> list[Offer]:
    """What was offered to those who wait, oldest first."""
    found = (await offers.list_offers(hospital.desk(), ListOffers())).items
    return [each for each in found if each.purpose != "moved"]


async def open_ones(hospital: Hospital) -> list[Offer]:
    return [each for each in await asked(hospital) if each.status == "open"]


async def say(hospital: Hospital, offer: Offer, answer: str = "accepted", process: Any = None) -> Offer:
    number = hospital.world.patients.index(offer.patient_id)
    command = msgspec.convert({"offer_id": offer.id, "answer": answer}, AnswerOffer)
    return await offers.answer_offer(hospital.patient(number, process), command)


class Relay:
    """What the relay and the worker do: every fact once, in order, and the jobs that follow, until nothing is left."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital, self.handled = hospital, 0

    async def run(self) -> None:
        while await self._facts() + await jobs.run_due(self.hospital.here.system(), JOBS):
            pass

    async def again(self) -> None:
        """The same facts and jobs once more, as after a crash between the effect and its note."""
        self.handled = 0
        ctx = self.hospital.here.system()
        for fact in await facts_of(self.hospital.desk()):
            if isinstance(fact, OfferEnded) and fact.freed_id:
                await freed.offer_freed_time(ctx.working_in(fact.organization_id), fact.freed_id)
        await self.run()

    async def _facts(self) -> int:
        facts = (await facts_of(self.hospital.desk()))[self.handled :]
        for fact in facts:
            await self.deliver(fact)
        self.handled += len(facts)
        return len(facts)

    async def deliver(self, fact: Event) -> None:
        ctx = self.hospital.here.system().working_in(fact.organization_id)
        if (handle := MODULE.subscriptions.get(type(fact))) is not None:
            async with ctx.db.transaction() as tx:
                await handle(ctx, tx, fact)
