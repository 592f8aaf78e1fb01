"""Asking services of others before a booking, all at once and not for long; and telling them what became of their cards."""

import asyncio
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.cds import store
from carewright.cds.context import CdsContext
from carewright.cds.model.asking import NotAdvice, advice_in, call_of, outcome_of_card, user_of
from carewright.cds.store import Keyed
from carewright.contracts.cds import AdviceFound, AskAdvice, FeedbackSent, Json, SendFeedback, ServiceSaid, UnknownAskedService
from carewright.contracts.fhir import people, scheduling
from carewright.contracts.scheduling import Slot, TimeNotFree
from carewright.contracts.starts import FindTimes
from carewright.kernel import audit, telemetry
from carewright.kernel.errors import Refusal

ASK = "cds.ask"
TOKEN_SECONDS = 240
KEYS = "/cds/keys"
FEEDBACK = "/feedback"
TOO_SLOW, BAD_ANSWER = "too-slow", "bad-answer"
log = telemetry.logger(__name__)


async def ask_advice(ctx: CdsContext, command: AskAdvice) -> AdviceFound:
    """What the services of this site say of a time that is free. None of them is waited for longer than the settings say, whatever it does.

    Raises `Forbidden`, `TimeNotFree`, and what reading the patient refuses.
    """
    ctx.actor.require(ASK)
    patient = people.patient(await ctx.patients.get_patient(ctx.actor, command.patient_id))
    appointment = _proposed(ctx.ids.new(), await _slot(ctx, command), command.patient_id)
    asked = await store.services_to_ask(ctx.db, await ctx.cipher(), command.time.site_id)
    async with ctx.db.transaction() as tx:
        entries = (audit.entry(ctx, "cds.appointment.tell", "R", patient_id=command.patient_id, entities=_about(each)) for each in asked)
        await audit.record(tx, *entries)
    said = await asyncio.gather(*(_said(ctx, each, command.patient_id, patient, appointment) for each in asked))
    return AdviceFound(items=tuple(said))


async def send_feedback(ctx: CdsContext, command: SendFeedback) -> FeedbackSent:
    """Tell a service what became of its card. Raises `UnknownAskedService`."""
    ctx.actor.require(ASK)
    asked = await store.service_by_id(ctx.db, await ctx.cipher(), command.service_id)
    if asked is None:
        raise UnknownAskedService
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, "cds.feedback.send", "E", entities=_about(asked)))
    body = msgspec.json.encode(outcome_of_card(command, ctx.clock.now().isoformat()))
    try:
        status, _, _ = await _posted(ctx, asked, asked.service.address + FEEDBACK, body)
    except (Refusal, TimeoutError):
        return FeedbackSent(taken=False)
    return FeedbackSent(taken=200 <= status < 300)


async def _slot(ctx: CdsContext, command: AskAdvice) -> Slot:
    """Who would serve then. Raises `TimeNotFree`."""
    time = command.time
    query = FindTimes(
        visit_type_id=time.visit_type_id, site_id=time.site_id, from_at=time.start, until_at=time.start, limit=1,
        practitioner_id=time.practitioner_id,
    )  # fmt: skip
    page = await ctx.scheduling.find_times(ctx.actor, query)
    if not page.items or page.items[0].start != time.start:
        raise TimeNotFree
    return page.items[0]


def _proposed(id_: UUID, slot: Slot, patient_id: UUID) -> Json:
    made = scheduling.proposed(slot, str(id_), "", "", "")
    made["participant"].append({"actor": {"reference": f"Patient/{patient_id}"}, "status": "needs-action"})
    return made


async def _said(ctx: CdsContext, asked: Keyed, patient_id: UUID, patient: Json, appointment: Json) -> ServiceSaid:
    """What one service answers; whatever it does becomes a code."""
    one = asked.service
    call = call_of(ctx.ids.new(), user_of(one.id, ctx.actor.subject), appointment, patient_id, patient, one.prefetch)
    try:
        status, content_type, content = await _posted(ctx, asked, one.address, msgspec.json.encode(call))
        if status != 200:
            return _failed(asked, f"status-{status}")
        return ServiceSaid(service_id=one.id, name=one.name, cards=advice_in(content, content_type))
    except TimeoutError:
        return _failed(asked, TOO_SLOW)
    except NotAdvice:
        return _failed(asked, BAD_ANSWER)
    except Refusal as refusal:
        return _failed(asked, refusal.code)


def _failed(asked: Keyed, error: str) -> ServiceSaid:
    log.warning("cds.service.failed", service_id=str(asked.service.id), error=error)
    return ServiceSaid(service_id=asked.service.id, name=asked.service.name, error=error)


async def _posted(ctx: CdsContext, asked: Keyed, address: str, body: bytes) -> tuple[int, str, bytes]:
    """Status, media type and content of the answer. Raises `TimeoutError`, and what `Outgoing.fetch` refuses."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {_token(ctx, asked, address)}"}
    async with asyncio.timeout(ctx.settings.answer_seconds):
        answer = await ctx.outgoing.fetch("POST", address, content=body, headers=headers)
    return answer.status_code, answer.headers.get("content-type", ""), answer.content


def _token(ctx: CdsContext, asked: Keyed, address: str) -> str:
    """Our proof, for this address, once (CDS Hooks, Trusting CDS Clients)."""
    key, now = ECKey.import_key(dict(asked.key)), int(ctx.clock.now().timestamp())
    issuer = ctx.settings.public_url.rstrip("/")
    head = {"alg": "ES384", "typ": "JWT", "kid": key.kid, "jku": f"{issuer}{KEYS}/{asked.service.id}"}
    claims = {"iss": issuer, "aud": address, "iat": now, "exp": now + TOKEN_SECONDS, "jti": str(ctx.ids.new())}
    return jwt.encode(head, claims, key, algorithms=["ES384"])


def _about(asked: Keyed) -> tuple[audit.Entity, ...]:
    return (audit.Entity(type="Endpoint", id=asked.service.id),)
