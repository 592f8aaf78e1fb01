"""The token endpoint, which speaks OAuth 2.0 (RFC 6749): to other systems, and to apps that people let in."""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.access.context import AccessContext
from carewright.access.model.assertion import ASSERTION_TYPE
from carewright.access.service.app_tokens import AppProof, RedeemAppCode, RefreshAppToken, grant_app_token
from carewright.access.service.tokens import PATH, grant_token
from carewright.contracts.access import ClientNotBelieved, GrantNotRight, ScopeNotAllowed
from carewright.contracts.clients import IssuedToken, RequestToken
from carewright.kernel.errors import BadInput, Refusal
from carewright.kernel.http import guard
from carewright.kernel.http.gate import address_of

SERVER_FAULTS = 500
ERRORS = {
    ClientNotBelieved.code: ("invalid_client", 401), ScopeNotAllowed.code: ("invalid_scope", 400),
    GrantNotRight.code: ("invalid_grant", 400),
}  # fmt: skip


def pages(ctx: AccessContext) -> Sequence[BaseRoute]:
    """The token endpoint."""

    async def token(request: Request) -> Response:
        try:
            return _oauth(await _granted(ctx.at(address_of(request.scope)), await guard.read_form(request)), 200)
        except Refusal as refusal:
            if refusal.status >= SERVER_FAULTS:
                raise
            error, status = ERRORS.get(refusal.code, ("invalid_request", 400))
            return _oauth({"error": refusal.facts.get("error", error)}, status)

    return [Route(PATH, token, methods=["POST"])]


async def _granted(ctx: AccessContext, form: Mapping[str, str]) -> IssuedToken:
    """What the form asks for. Raises `BadInput` with the error's name in RFC 6749, section 5.2."""
    kind, by = form.get("grant_type"), AppProof(client_id=form.get("client_id"), assertion=_assertion(form))
    if kind == "authorization_code":
        sent = {"code": form.get("code", ""), "redirect_uri": form.get("redirect_uri", ""), "verifier": form.get("code_verifier", "")}
        return await grant_app_token(ctx, RedeemAppCode(by=by, **sent))
    if kind == "refresh_token":
        wanted = RefreshAppToken(by=by, refresh_token=form.get("refresh_token", ""), scope=form.get("scope", ""))
        return await grant_app_token(ctx, wanted)
    if kind != "client_credentials":
        raise BadInput(error="unsupported_grant_type" if kind else "invalid_request")
    if by.assertion is None:
        raise BadInput(error="invalid_request")
    return await grant_token(ctx, RequestToken(assertion=by.assertion, scope=form.get("scope", ""), client_id=by.client_id))


def _assertion(form: Mapping[str, str]) -> str | None:
    """The assertion, if one was sent as RFC 7523 has it; passwords of clients are not taken. Raises `BadInput`."""
    kind = form.get("client_assertion_type")
    if "client_secret" in form or kind not in (None, ASSERTION_TYPE) or (kind is None and "client_assertion" in form):
        raise BadInput(error="invalid_request")
    return None if kind is None else form.get("client_assertion", "")


def _oauth(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, {"Cache-Control": "no-store", "Pragma": "no-cache"}, "application/json")
