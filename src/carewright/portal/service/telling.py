"""What the portal tells patients by message: of their appointments, offers, passkeys and turns."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.elsewhere import LinkToTurn, NoteUnreached
from carewright.contracts.notifications import TEMPLATES, Channel, Moment, Notice, Recipient, TemplateName
from carewright.contracts.offers import LinkToOffer, NoteOfferUnreached, OfferNotOpen, OfferPurpose, UnknownOffer
from carewright.contracts.patients import ContactPoint, Patient, UnknownPatient
from carewright.kernel.authz import Actor
from carewright.kernel.errors import IdempotencyKeyReused
from carewright.portal.context import PortalContext
from carewright.portal.model import sign_in
from carewright.portal.model.appointments import was_only_held
from carewright.portal.model.jobs import Confirmation, DelayHeard, OfferHeard, PasskeyChange, TurnCalled, TurnSoonHeard, TurnTold

TELL_OF_PASSKEY = "portal.tell_of_passkey"
"""The job that tells a patient that a passkey was added or removed."""
TELL_OF_DELAY = "portal.tell_of_delay"
"""The job that tells a patient that their appointment begins later, or as booked after all."""
LATE_IN_STEPS = 5
"""Minutes: nobody believes a delay to the minute."""
STILL_TO_BE = frozenset({"booked", "arrived", "checked-in"})
ASK_BY_OFFER = "portal.ask_by_offer"
"""The job that asks a patient whether another time suits them."""
OFFERED: Mapping[OfferPurpose, tuple[TemplateName, TemplateName]] = {
    "moved": ("appointment_offer", "appointment_offer_link"), "waitlist": ("waitlist_offer", "waitlist_offer_link"),
    "earlier": ("earlier_offer", "earlier_offer_link"),
}  # fmt: skip
"""By which template an offer is told, without and with the address of its own page."""
ASK_NEAR = "portal.ask_near"
"""The job that tells a patient that their turn is soon."""
CALL_IN = "portal.call_in"
"""The job that tells a patient that it is their turn."""
TELL_ELSEWHERE = "portal.tell_elsewhere"
"""The job that tells a patient that they may wait elsewhere, or that they have to set out."""
LINKED: Mapping[TemplateName, TemplateName] = {"turn_elsewhere": "turn_elsewhere_link", "turn_come": "turn_come_link"}
CALLED_FOR = timedelta(minutes=10)
"""Later nobody is waited for any more."""
CONFIRM = "portal.confirm"
"""The job that tells a patient what became of an appointment."""
CHANNELS: Mapping[str, Channel] = {"phone": "sms", "email": "email"}


async def tell(
    ctx: PortalContext, host: Actor, patient: Patient, template: TemplateName, contact: ContactPoint, *, until_at: datetime | None = None,
    key: str | None = None, about_id: UUID | None = None, **values: str | Moment,
) -> None:  # fmt: skip
    """Say something to a patient in their language. The hospital's name goes with everything."""
    notice = Notice(
        template=template, recipient=Recipient(kind="patient", id=str(patient.id)), channel=CHANNELS[contact.system],
        contact=contact.value, language=patient.language, until_at=until_at, about_id=about_id,
        values={"hospital": ctx.settings.hospital_name, **values},
    )  # fmt: skip
    await ctx.notifications.notify(host, notice, key)


async def confirm_by_message(ctx: PortalContext, about: Confirmation) -> None:
    """Tell the patient what became of an appointment, once; nothing where a later change has been made, which tells of itself.

    Safe to repeat: the message has a key of its own.
    """
    host = ctx.hosting(about.organization_id)
    one = await ctx.scheduling.get_appointment(host, about.appointment_id)
    if one.version != about.version or one.start <= ctx.clock.now() or was_only_held(one):
        return
    patient = await ctx.patients.get_patient(host, one.patient_id)
    contact = sign_in.preferred_contact(patient)
    if contact is not None:
        said: dict[str, str | Moment] = {"when": Moment(at=one.start, zone=one.time_zone), "site": one.site_name}
        if "code" in TEMPLATES[about.template]:
            said["code"] = (await ctx.kiosks.check_in_code(host, one.id)).code
        await tell(
            ctx, host, patient, about.template, contact, until_at=one.start, key=f"portal.confirm:{one.id}:{one.version}", about_id=one.id,
            **said,
        )  # fmt: skip


async def tell_of_passkey(ctx: PortalContext, about: PasskeyChange) -> None:
    """Tell the patient that a way into their record changed, in case it was somebody else.

    Safe to repeat: the message has a key of its own.
    """
    await _tell_who(ctx, about, about.template, key=f"{TELL_OF_PASSKEY}:{about.passkey_id}:{about.template}")


async def tell_of_delay(ctx: PortalContext, about: DelayHeard) -> None:
    """Tell the patient how much later their appointment begins; nothing where it was moved, cancelled or should have begun by then.

    Safe to repeat, as `confirm_by_message`.
    """
    host, later = ctx.hosting(about.organization_id), timedelta(minutes=about.minutes)
    one = await ctx.scheduling.get_appointment(host, about.appointment_id)
    begins = about.start + later
    if one.status not in STILL_TO_BE or one.start != about.start or begins <= ctx.clock.now():
        return
    minutes = str(-(-about.minutes // LATE_IN_STEPS) * LATE_IN_STEPS)
    said: dict[str, str | Moment] = {"when": Moment(at=one.start, zone=one.time_zone), "site": one.site_name}
    later_words: TemplateName = "appointment_later_emergency" if about.by_emergency else "appointment_later"
    template: TemplateName = later_words if about.tell == "later" else "appointment_as_booked"
    key = f"{TELL_OF_DELAY}:{about.appointment_id}:{about.version}"
    await _tell_patient(
        ctx, host, one.patient_id, template, key=key, until_at=begins, values=said | ({"minutes": minutes} if about.tell == "later" else {})
    )


async def ask_near(ctx: PortalContext, about: TurnSoonHeard) -> None:
    """Tell the patient that their turn is soon, unless that was some time ago. Safe to repeat, as `tell_of_passkey`."""
    key, until = f"{ASK_NEAR}:{about.entry_id}", about.at + CALLED_FOR
    await _tell_who(ctx, about, "turn_soon", key=key, until_at=until, ticket=about.ticket)


async def call_in(ctx: PortalContext, about: TurnCalled) -> None:
    """Tell the patient that it is their turn, unless that was some time ago. Safe to repeat, as `tell_of_passkey`."""
    key, until = f"{CALL_IN}:{about.entry_id}:{about.version}", about.at + CALLED_FOR
    await _tell_who(ctx, about, "turn_called", key=key, until_at=until, ticket=about.ticket)


async def tell_elsewhere(ctx: PortalContext, about: TurnTold) -> None:
    """Tell who waits that they may do so elsewhere, or who does that they have to set out. Safe to repeat, as `tell_of_passkey`.

    Whoever cannot be told is shown to the desk, at once or when the message was given up.
    """
    host, key = ctx.hosting(about.organization_id), f"{TELL_ELSEWHERE}:{about.entry_id}:{about.version}"
    template, link = await _with_link(ctx, host, about)
    until, said = about.at + CALLED_FOR, {"ticket": about.ticket} | link
    with suppress(IdempotencyKeyReused):  # said before, with another link: that one works
        if not await _tell_patient(ctx, host, about.patient_id, template, key=key, until_at=until, values=said, about_id=about.entry_id):
            await ctx.queues.note_unreached(host, NoteUnreached(entry_id=about.entry_id))


async def ask_by_offer(ctx: PortalContext, about: OfferHeard) -> None:
    """Ask a patient whether another time suits them; nothing where that is settled already. Safe to repeat, as `tell_of_passkey`.

    Whoever cannot be asked is shown to the desk, at once or when the message was given up.
    """
    host = ctx.hosting(about.organization_id)
    try:
        offer = await ctx.offers.get_offer(host, about.offer_id)
    except UnknownOffer:  # whoever it was made to was erased
        return
    if offer.status != "open":
        return
    said: dict[str, str | Moment] = {
        "site": offer.site_name, "instead": Moment(at=offer.start, zone=offer.time_zone),
        "until": Moment(at=offer.expires_at, zone=offer.time_zone),
    }  # fmt: skip
    if offer.purpose != "waitlist":
        said["when"] = Moment(at=offer.booked_start, zone=offer.time_zone)
    template, linked = OFFERED[offer.purpose]
    if ctx.settings.public_url:
        try:
            made = await ctx.offers.link_to_offer(host, LinkToOffer(offer_id=offer.id))
        except OfferNotOpen:
            return
        template, said["link"] = linked, f"{ctx.settings.public_url.rstrip('/')}/answer/offer/{made.token}"
    key, until = f"{ASK_BY_OFFER}:{offer.id}", offer.expires_at
    with suppress(IdempotencyKeyReused):  # said before, with another link: that one works
        if not await _tell_patient(ctx, host, offer.patient_id, template, key=key, until_at=until, values=said, about_id=offer.id):
            await ctx.offers.note_offer_unreached(host, NoteOfferUnreached(offer_id=offer.id))


async def _with_link(ctx: PortalContext, host: Actor, about: TurnTold) -> tuple[TemplateName, dict[str, str]]:
    """By which template it is told, with the address of the turn's own page where these pages have one."""
    if not ctx.settings.public_url:
        return about.template, {}
    made = await ctx.queues.link_to_turn(host, LinkToTurn(entry_id=about.entry_id))
    return LINKED[about.template], {"link": f"{ctx.settings.public_url.rstrip('/')}/answer/turn/{made.token}"}


async def _tell_who(
    ctx: PortalContext, about: PasskeyChange | TurnCalled | TurnSoonHeard, template: TemplateName, *, key: str,
    until_at: datetime | None = None, **values: str,
) -> None:  # fmt: skip
    """Say something to the patient that a job is about."""
    host = ctx.hosting(about.organization_id)
    await _tell_patient(ctx, host, about.patient_id, template, key=key, until_at=until_at, values=values)


async def _tell_patient(
    ctx: PortalContext, host: Actor, patient_id: UUID, template: TemplateName, *, key: str, until_at: datetime | None,
    values: Mapping[str, str | Moment], about_id: UUID | None = None,
) -> bool:  # fmt: skip
    """Say something to a patient. Nobody is told of whoever was erased, or has no contact: then the answer is False."""
    try:
        patient = await ctx.patients.get_patient(host, patient_id)
    except UnknownPatient:
        return False
    contact = sign_in.preferred_contact(patient)
    if contact is None:
        return False
    await tell(ctx, host, patient, template, contact, key=key, until_at=until_at, about_id=about_id, **values)
    return True
