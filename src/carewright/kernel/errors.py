"""Refusals: every way the system says no, with a stable code.

A refusal is an answer, not a fault: it carries a `code` that is never renamed, an HTTP status, a FHIR issue type
(http://hl7.org/fhir/R4/valueset-issue-type.html) and a plain sentence. Facts are ids and numbers, never a person's data.
"""

from typing import ClassVar

Fact = str | int | float | bool | None | list[str] | list[int] | list[dict[str, str | int | None]]


class Refusal(Exception):
    """The root of every refusal. Subclasses state `code`, `status`, `issue` and a default sentence in `title`."""

    code: ClassVar[str] = "kernel.refused"
    status: ClassVar[int] = 400
    issue: ClassVar[str] = "processing"
    title: ClassVar[str] = "The request was refused."
    is_audited: ClassVar[bool] = False
    """Whether the audit log has it whatever its status: somebody may have tried to get round a guard of ours."""
    by_code: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init__(self, detail: str | None = None, **facts: Fact) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.facts = facts

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Refusal.by_code[cls.code] = cls


def refusal_of(code: str, detail: str | None = None, **facts: Fact) -> Refusal:
    """Rebuild a refusal from its code, for answers that came over the wire or out of the database."""
    kind = Refusal.by_code.get(code)
    return kind(detail, **facts) if kind else UpstreamRefused(detail, upstream_code=code, **facts)


class BadInput(Refusal):
    code = "kernel.bad_input"
    status = 400
    issue = "invalid"
    title = "Something in the request is not valid."


class Unauthenticated(Refusal):
    code = "kernel.unauthenticated"
    status = 401
    issue = "login"
    title = "Please sign in: a valid bearer token is needed."


class Forbidden(Refusal):
    code = "kernel.forbidden"
    status = 403
    issue = "forbidden"
    title = "Your role does not allow this."


class NotFound(Refusal):
    code = "kernel.not_found"
    status = 404
    issue = "not-found"
    title = "There is nothing here under this id."


class MethodNotAllowed(Refusal):
    code = "kernel.method_not_allowed"
    status = 405
    issue = "not-supported"
    title = "This address does not take this method."


class NotAcceptable(Refusal):
    code = "kernel.not_acceptable"
    status = 406
    issue = "not-supported"
    title = "This address answers with JSON only."


class TooSlow(Refusal):
    code = "kernel.too_slow"
    status = 408
    issue = "timeout"
    title = "The request did not arrive in time. Nothing was changed; send it again."


class TooLarge(Refusal):
    code = "kernel.too_large"
    status = 413
    issue = "too-long"
    title = "The request is larger than we accept."


class UnsupportedMedia(Refusal):
    code = "kernel.unsupported_media"
    status = 415
    issue = "not-supported"
    title = "Send the body as application/json."


class IdempotencyKeyMissing(Refusal):
    """Idempotency-Key draft (draft-ietf-httpapi-idempotency-key-header): 400 when a required key is missing."""

    code = "kernel.idempotency_key_missing"
    status = 400
    issue = "required"
    title = "Send an Idempotency-Key header, so that a retry cannot do this twice."


class IdempotencyInFlight(Refusal):
    """Idempotency-Key draft: 409 while the first request with this key is still being worked on."""

    code = "kernel.idempotency_in_flight"
    status = 409
    issue = "duplicate"
    title = "The first request with this Idempotency-Key is still being worked on. Try again in a moment."


class IdempotencyKeyReused(Refusal):
    """Idempotency-Key draft: 422 when a key comes again with another payload."""

    code = "kernel.idempotency_key_reused"
    status = 422
    issue = "duplicate"
    title = "This Idempotency-Key was used for a different request. Use a new key."


class PreconditionFailed(Refusal):
    code = "kernel.precondition_failed"
    status = 412
    issue = "conflict"
    title = "It was changed in the meantime. Load it again and decide anew."


def ensure_version(version: int, expected: int | None) -> None:
    """Raise `PreconditionFailed` where the caller decided on another version than there is; None is whoever decides on any."""
    if expected is not None and expected != version:
        raise PreconditionFailed(version=version)


class PreconditionRequired(Refusal):
    code = "kernel.precondition_required"
    status = 428
    issue = "required"
    title = "Send an If-Match header with the ETag you last saw."


class TooManyRequests(Refusal):
    code = "kernel.too_many_requests"
    status = 429
    issue = "throttled"
    title = "Too many requests. Wait a moment and try again."


class Unavailable(Refusal):
    code = "kernel.unavailable"
    status = 503
    issue = "transient"
    title = "This cannot be answered just now. Nothing was changed; try again in a moment."


class Overloaded(Unavailable):
    """There was no room for this request (`kernel/http/shedding.py`). Nothing was begun, so whatever it was may be repeated."""

    code = "kernel.overloaded"
    status = 503
    issue = "throttled"
    title = "So many are asking just now that this has to wait. Nothing was changed; try again in a moment."


class OutcomeUnknown(Unavailable):
    """The connection broke while a change was being committed: a retry with the same key tells what happened.

    A kind of `Unavailable`, so that whoever waits for the database to come back (relays, followers, timers) waits here too.
    """

    code = "kernel.outcome_unknown"
    status = 503
    issue = "incomplete"
    title = "The connection broke while your change was being saved. Repeat the same request with the same key to learn what happened."


class UpstreamRefused(Refusal):
    code = "kernel.upstream_refused"
    status = 502
    issue = "processing"
    title = "Another part of the system refused the request."


class InternalFault(Refusal):
    code = "kernel.internal_fault"
    status = 500
    issue = "exception"
    title = "Something on our side broke. It has been recorded; nothing was half saved."
