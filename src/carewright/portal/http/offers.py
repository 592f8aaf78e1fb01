"""The page that a message about another time leads to: what is kept for whom until when, yes, no, and whom to call. No sign-in.

Opening it changes nothing, as for a turn (`answers`).
"""

import msgspec
from starlette.responses import Response

from carewright.contracts.offers import AnswerByLink, OfferByLink, OfferNotOpen, UnknownOffer
from carewright.contracts.scheduling import CalendarMoved, PatientBusy, TimeNotFree
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.links import LinkRefused
from carewright.portal.http.answers import gone, shown, token_of, words_for
from carewright.portal.http.page import Ask
from carewright.portal.model.offer import offer_view
from carewright.portal.model.times import walls_of

PLACE = "/answer/offer/{token}"
SAID = {
    "not_understood": "bad", "moved_on": "info", "offer_not_free": "bad", "offer_busy": "bad", "offer_not_now": "bad",
}  # fmt: skip
"""What the page says above how it stands, and in which tone. An answer that was taken needs no more: how it stands says so."""
KEYS: dict[type[Refusal], str] = {
    OfferNotOpen: "moved_on", PreconditionFailed: "moved_on", TimeNotFree: "offer_not_free", CalendarMoved: "offer_not_free",
    PatientBusy: "offer_busy",
}  # fmt: skip


async def show_offer(ask: Ask) -> Response:
    """What is offered and what for; or how it ended."""
    try:
        linked = await ask.ctx.offers.offer_by_link(ask.ctx.hosting(), OfferByLink(token=token_of(ask)))
    except (LinkRefused, UnknownOffer):
        return gone(ask, "offer_gone")
    language, words = await words_for(ask, linked.offer.patient_id)
    sites = (await ask.ctx.directory.find_sites(ask.ctx.hosting())).items
    wall = walls_of(sites, ask.ctx.settings.locale).of(linked.offer.site_id)
    phone = next((site.phone for site in sites if site.id == linked.offer.site_id), None)
    one = offer_view(linked, wall, words, ask.ctx.clock.now(), phone)
    return shown(ask, "answer_offer.html", words, language, SAID, one=one)


async def answer_offer(ask: Ask) -> Response:
    """Yes or no, by one tap. What cannot be any more is told above how it stands now."""
    said = await _said(ask)
    return ask.go(f"{ask.request.url.path}?said={said}" if said else ask.request.url.path)


async def _said(ask: Ask) -> str:
    given = {"token": token_of(ask), "answer": ask.form.get("answer", ""), "expected_version": ask.form.get("version", "")}
    try:
        command = msgspec.convert(given, AnswerByLink, strict=False)
    except msgspec.ValidationError:
        return "not_understood"
    try:
        await ask.ctx.offers.answer_by_link(ask.ctx.hosting(), command, ask.key)
    except (LinkRefused, UnknownOffer):
        return ""
    except Refusal as refusal:
        if refusal.status >= 500:
            raise
        return KEYS.get(type(refusal), "offer_not_now")
    return ""
