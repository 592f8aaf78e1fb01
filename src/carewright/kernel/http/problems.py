"""Refusals on the wire: RFC 9457 problem documents, from the one table that the refusal classes are."""

from typing import Any

import msgspec
from starlette.responses import Response

from carewright.kernel.errors import Refusal, TooSlow, Unauthenticated, UpstreamRefused, refusal_of

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = {503: "1", 429: "5"}
STANDARD = ("type", "title", "status", "detail", "code")


def document(refusal: Refusal) -> dict[str, Any]:
    """The members of the problem document. Facts of the refusal are extension members, and never take the place of a standard one."""
    return refusal.facts | {
        "type": f"/api/docs#{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }


def response(refusal: Refusal) -> Response:
    """An HTTP answer for a refusal."""
    return Response(msgspec.json.encode(document(refusal)), refusal.status, headers_for(refusal), MEDIA_TYPE)


def headers_for(refusal: Refusal) -> dict[str, str]:
    """Retry-After where waiting helps, WWW-Authenticate where signing in does, and the end of a connection that is too slow."""
    headers = {"Cache-Control": "no-store"}
    if refusal.status in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = str(refusal.facts.get("retry_after_seconds", RETRY_AFTER_SECONDS[refusal.status]))
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="carewright"'
    if isinstance(refusal, TooSlow):
        headers["Connection"] = "close"
    return headers


def refusal_from(body: bytes) -> Refusal:
    """The refusal that a problem document of another process stands for; a proxy between us may have answered something else."""
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
        code = msgspec.convert(members.get("code"), str)
    except (msgspec.DecodeError, UnicodeDecodeError, msgspec.ValidationError):
        return UpstreamRefused()
    facts = {name: value for name, value in members.items() if name not in STANDARD}
    return refusal_of(code, members.get("detail"), **facts)
