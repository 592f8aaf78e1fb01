"""Asking patients whether another time suits them, from the page of what is out of service: one or all by one tap, and what they say."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import Response

from carewright.console.http.outage import ANSWER_MINUTES, CHANGED, GONE, OUT, look, shown
from carewright.console.http.page import Ask, uuid_of, valid
from carewright.contracts.offers import (
    AnswerOffer,
    MakeOffer,
    OfferNotOpen,
    OfferStillOpen,
    TooLateToAsk,
    UnknownOffer,
    WithdrawOffer,
)
from carewright.contracts.scheduling import CalendarMoved, IllegalStep, OutsideRules, PatientBusy, TimeNotFree
from carewright.kernel.errors import BadInput, PreconditionFailed, Refusal

ASK = f"{OUT}/ask"
ASK_ALL = f"{OUT}/ask-all"
WITHDRAW = f"{OUT}/withdraw"
ACCEPT = f"{OUT}/accept"
SETTLED = "That was settled a moment ago. This is how it stands now."
WORDS: Mapping[type[Refusal], str] = {
    TimeNotFree: GONE, CalendarMoved: GONE, OutsideRules: GONE, PreconditionFailed: CHANGED, IllegalStep: CHANGED,
    PatientBusy: "The patient has another appointment at that time. Please speak with them.",
    OfferStillOpen: "Somebody else has just asked them. This is how it stands now.",
    TooLateToAsk: "It begins too soon to wait for an answer. Please call them.", OfferNotOpen: SETTLED, UnknownOffer: SETTLED,
}  # fmt: skip
"""What the page says where something could not be done."""


async def ask_one(ask: Ask) -> Response:
    """Ask one patient about the time that was proposed."""
    given = {
        "appointment_id": ask.form.get("appointment", ""), "start": ask.form.get("start", ""), "expected_version": ask.version,
    }  # fmt: skip
    try:
        await ask.ctx.offers.make_offer(ask.ctx.actor, valid(MakeOffer, given), ask.key)
    except tuple(WORDS) as refusal:
        return await _refused(ask, refusal)
    return _back(ask, "ask", asked=1)


async def ask_all(ask: Ask) -> Response:
    """Ask everybody who was not asked, can be reached, and for whom there is a time. Each by themselves: one that fails stops no other."""
    minutes = ask.form.get("minutes", "")
    if minutes not in map(str, ANSWER_MINUTES):
        raise BadInput("Say for how long they may answer.", parameter="minutes")
    found = await look(ask)
    settled = {each.appointment_id for each in found.offers if each.status in ("open", "declined")}
    asked = unasked = 0
    for one in found.hit:
        instead = found.proposed.get(one.id)
        if one.id in settled:
            continue
        if one.patient_id not in found.reached or instead is None or instead.start is None:
            unasked += 1
            continue
        command = MakeOffer(appointment_id=one.id, start=instead.start, answer_minutes=int(minutes), expected_version=one.version)
        try:
            await ask.ctx.offers.make_offer(ask.ctx.actor, command, f"{ask.key or ask.ctx.ids.new()}-{one.id}")
            asked += 1
        except tuple(WORDS):
            unasked += 1
    return _back(ask, "ask", asked=asked, unasked=unasked)


async def withdraw(ask: Ask) -> Response:
    """Ask no longer; what was kept is free again."""
    command = WithdrawOffer(offer_id=uuid_of(ask.form.get("offer", "")), expected_version=ask.version)
    try:
        await ask.ctx.offers.withdraw_offer(ask.ctx.actor, command, ask.key)
    except tuple(WORDS) as refusal:
        return await _refused(ask, refusal)
    return _back(ask, "withdraw")


async def accept(ask: Ask) -> Response:
    """Move the appointment to the time that is kept for it: the patient said so otherwise, or nobody may wait any longer."""
    command = AnswerOffer(offer_id=uuid_of(ask.form.get("offer", "")), answer="accepted", expected_version=ask.version)
    try:
        await ask.ctx.offers.answer_offer(ask.ctx.actor, command, ask.key)
    except tuple(WORDS) as refusal:
        return await _refused(ask, refusal)
    return _back(ask, "move")


async def _refused(ask: Ask, refusal: Refusal) -> Response:
    return await shown(ask, 409, next(words for kind, words in WORDS.items() if isinstance(refusal, kind)))


def _back(ask: Ask, done: str, **counts: int) -> Response:
    return ask.go(f"{OUT.format(id=ask.id)}?{urlencode({'done': done} | counts)}")
