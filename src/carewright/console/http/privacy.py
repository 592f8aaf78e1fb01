"""The privacy officer's pages: who looked at a patient's record, the proof of an entry, unusual access, and the reviews of broken glass."""

from typing import Any
from uuid import UUID

import msgspec
from starlette.responses import Response, StreamingResponse

from carewright.console.http.page import Ask, uuid_or_none
from carewright.contracts.audit import AuditEventsPage, FindAuditEvents
from carewright.contracts.break_glass import BreakGlass, CloseReview, ListReviews
from carewright.contracts.oversight import CloseUnusual, ListUnusual, Unusual
from carewright.contracts.record_file import INDEX, NDJSON, Index, lines_of
from carewright.contracts.records import ExportRecord
from carewright.kernel.archive import zipped
from carewright.kernel.errors import BadInput, NotFound

PRIVACY = "/staff/privacy"
READ = "audit.read"
REVIEW = "access.break_glass.review"
LOOK = "oversight.review"
EXPORT = "records.export"


async def show_privacy(ask: Ask) -> Response:
    """What is still to be reviewed, and the entries about one patient if one was asked for."""
    return await _shown(ask)


async def close_review(ask: Ask) -> Response:
    """Close a review with what was found; what the form lacks is asked for beside it."""
    given = {name: ask.form.get(name) for name in ("break_glass_id", "outcome", "finding")}
    try:
        command = msgspec.convert(given, CloseReview)
    except msgspec.ValidationError:
        return await _shown(ask, 422, review_error="Say whether it was justified, and what you found, in 3 to 500 letters.")
    await ask.ctx.access.close_review(ask.ctx.actor, command)
    return ask.go(PRIVACY)


async def close_unusual(ask: Ask) -> Response:
    """Close an unusual access with what was found; what the form lacks is asked for beside it."""
    given = {name: ask.form.get(name) for name in ("unusual_id", "outcome", "finding")}
    try:
        command = msgspec.convert(given, CloseUnusual)
    except msgspec.ValidationError:
        return await _shown(ask, 422, unusual_error="Say whether it was justified, and what you found, in 3 to 500 letters.")
    await ask.ctx.oversight.close_unusual(ask.ctx.actor, command)
    return ask.go(PRIVACY)


async def download_proof(ask: Ask) -> Response:
    """One entry with everything that somebody needs to check it without us, as a file."""
    proof = await ask.ctx.audit.prove_event(ask.ctx.actor, ask.id)
    headers = {"Content-Disposition": f'attachment; filename="audit-{ask.id}.json"'}
    return Response(msgspec.json.format(msgspec.json.encode(proof)), 200, headers, "application/json")


async def download_record(ask: Ask) -> Response:
    """Everything that is held about one patient, for the patient or because the law asks for it, as one file."""
    given = {"patient_id": ask.request.path_params["id"], "reason": ask.request.path_params["reason"]}
    try:
        command = msgspec.convert(given, ExportRecord, strict=False)
    except msgspec.ValidationError as fault:
        raise NotFound from fault
    ctx = ask.ctx
    first = await ctx.records.export_record(ctx.actor, command)
    index = Index(ctx.settings.hospital_name, ctx.clock.now())
    headers = {"Content-Disposition": f'attachment; filename="record-{command.patient_id}.zip"'}
    content = zipped(NDJSON, lines_of(ctx.records, ctx.actor, command, first, index), {INDEX: index})
    return StreamingResponse(content, 200, headers, "application/zip")


async def _shown(ask: Ask, status: int = 200, *, review_error: str = "", unusual_error: str = "") -> Response:
    ask.ctx.actor.require(READ)
    asked = ask.request.query_params.get("patient", "").strip()[:40]
    patient_id = uuid_or_none(asked)
    wrong = "This is not a patient's number. It has 32 letters and digits, in five groups." if asked and patient_id is None else ""
    reviews, unusual, found = await _reviews(ask), await _unusual(ask), await _entries(ask, patient_id) if patient_id else None
    agents = (*(one.subject for one in reviews), *(one.agent for one in unusual), *(one.agent for one in (found.items if found else ())))
    values: dict[str, Any] = {
        "asked": asked, "patient_error": wrong, "review_error": review_error, "said": said, "reviews": reviews, "unusual": unusual,
        "unusual_error": unusual_error, "may_look": ask.ctx.actor.may(LOOK), "found": found, "patient_id": patient_id,
        "called": await ask.called(agents),
        "may_export": ask.ctx.actor.may(EXPORT), "may_review": ask.ctx.actor.may(REVIEW),
    }  # fmt: skip
    return ask.show("privacy.html", 422 if wrong else status, **values)


async def _reviews(ask: Ask) -> tuple[BreakGlass, ...]:
    if not ask.ctx.actor.may(REVIEW):
        return ()
    return (await ask.ctx.access.list_reviews(ask.ctx.actor, ListReviews())).items


async def _unusual(ask: Ask) -> tuple[Unusual, ...]:
    if not ask.ctx.actor.may(LOOK):
        return ()
    return (await ask.ctx.oversight.list_unusual(ask.ctx.actor, ListUnusual())).items


async def _entries(ask: Ask, patient_id: UUID) -> AuditEventsPage:
    after = ask.request.query_params.get("after") or None
    try:
        query = msgspec.convert({"patient_id": patient_id, "after": after}, FindAuditEvents)
    except msgspec.ValidationError as fault:
        raise BadInput from fault
    return await ask.ctx.audit.find_events(ask.ctx.actor, query)


def said(event: str) -> str:
    """What a use case's name says in words: `patients.patient.read` is "Read patient"."""
    _, noun, verb = [*event.split("."), "", ""][:3]
    return f"{verb} {noun}".replace("_", " ").strip().capitalize()
