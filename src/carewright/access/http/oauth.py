"""The endpoints of OAuth 2.0, for other systems and for apps that people let in: tokens, what they are good for, and giving them back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.access.context import AccessContext
from carewright.access.http.openid import documents
from carewright.access.model.assertion import ASSERTION_TYPE
from carewright.access.service.app_tokens import RedeemAppCode, RefreshAppToken, grant_app_token
from carewright.access.service.client_proof import ClientProof
from carewright.access.service.introspection import IntrospectToken, introspect_token
from carewright.access.service.revocation import RevokeToken, revoke_token
from carewright.access.service.tokens import grant_token
from carewright.contracts import smart
from carewright.contracts.access import ClientNotBelieved, GrantNotRight, ScopeNotAllowed
from carewright.contracts.clients import BEARER, IssuedToken, RequestToken
from carewright.kernel.errors import BadInput, Forbidden, Refusal
from carewright.kernel.http import guard
from carewright.kernel.http.gate import address_of

SERVER_FAULTS = 500
ERRORS = {
    ClientNotBelieved.code: ("invalid_client", 401), ScopeNotAllowed.code: ("invalid_scope", 400),
    GrantNotRight.code: ("invalid_grant", 400), Forbidden.code: ("insufficient_scope", 403),
}  # fmt: skip
Form = Mapping[str, str]


def pages(ctx: AccessContext) -> Sequence[BaseRoute]:
    """The endpoints, each of which takes a form, and the documents about them."""

    def at(path: str, answer: Callable[[AccessContext, Request, Form], Awaitable[object]]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return _oauth(await answer(ctx.at(address_of(request.scope)), request, await guard.read_form(request)), 200)
            except Refusal as refusal:
                if refusal.status >= SERVER_FAULTS:
                    raise
                error, status = ERRORS.get(refusal.code, ("invalid_request", 400))
                return _oauth({"error": refusal.facts.get("error", error)}, status)

        return Route(path, endpoint, methods=["POST"])

    return [at(smart.TOKEN_PATH, _granted), at(smart.INTROSPECT_PATH, _told), at(smart.REVOKE_PATH, _given_back), *documents(ctx)]


async def _granted(ctx: AccessContext, _: Request, form: Form) -> IssuedToken:
    """What the form asks for. Raises `BadInput` with the error's name in RFC 6749, section 5.2."""
    kind, by = form.get("grant_type"), _proof(form)
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


async def _told(ctx: AccessContext, request: Request, form: Form) -> object:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    shown = bearer.strip() if scheme.lower() == BEARER.lower() else ""
    return await introspect_token(ctx, IntrospectToken(token=_token(form), by=_proof(form), bearer=shown or None))


async def _given_back(ctx: AccessContext, _: Request, form: Form) -> object:
    await revoke_token(ctx, RevokeToken(token=_token(form), by=_proof(form)))
    return {}


def _token(form: Form) -> str:
    """The token that the form is about; `token_type_hint` is not needed, since ours tell what they are. Raises `BadInput`."""
    if not form.get("token"):
        raise BadInput(error="invalid_request")
    return form["token"]


def _proof(form: Form) -> ClientProof:
    """Who the form says it is of, by RFC 7523 if it has an assertion; passwords of clients are not taken. Raises `BadInput`."""
    kind = form.get("client_assertion_type")
    if "client_secret" in form or kind not in (None, ASSERTION_TYPE) or (kind is None and "client_assertion" in form):
        raise BadInput(error="invalid_request")
    return ClientProof(client_id=form.get("client_id"), assertion=None if kind is None else form.get("client_assertion", ""))


def _oauth(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, {"Cache-Control": "no-store", "Pragma": "no-cache"}, "application/json")
