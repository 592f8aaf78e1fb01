"""The provider's addresses: discovery, keys, the page with the form, and the exchange of a code."""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from carewright.identity import model, service
from carewright.identity.model import Wrong
from carewright.identity.service import IdentityContext
from carewright.kernel.errors import Forbidden
from carewright.kernel.http import guard
from carewright.kernel.http.cookies import Cookies
from carewright.kernel.http.gate import address_of
from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority
from carewright.kernel.transport import origin_in

TEMPLATES = Path(__file__).resolve().parent / "templates"
PREFIX = "/identity"
OPENED = "identity.page.open"
"""The audit log's name for what a page refuses."""
BROWSER = "carewright_identity"
BROWSER_SECONDS = 600
ASKED = (
    "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    "prompt", "max_age",
)  # fmt: skip
PRIORITIES: Declared = {f"{PREFIX}/authorize": Priority.PRESENCE, f"{PREFIX}/token": Priority.PRESENCE}
"""The staff sign in here: without that nobody is checked in."""
Answer = Callable[[IdentityContext, Request], Awaitable[Response]]


@lru_cache(maxsize=1)
def templates() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def pages(ctx: IdentityContext) -> Sequence[BaseRoute]:
    """The provider's routes; none where it is not switched on."""
    if not ctx.settings.embedded:
        return []

    def at(path: str, method: str, answer: Answer) -> Route:
        async def bound(request: Request) -> Response:
            here = ctx.at(address_of(request.scope))
            async with guard.noted(here, OPENED):
                _ensure_from_here(request)
                answered = await answer(here, request)
            return guard.seal(answered, request, forms_to=origin_in(ctx.settings.redirect_uri))

        return Route(PREFIX + path, bound, methods=[method])

    return [
        at("/.well-known/openid-configuration", "GET", discover),
        at("/keys", "GET", show_keys),
        at("/authorize", "GET", show_form),
        at("/authorize", "POST", take_form),
        at("/token", "POST", exchange),
    ]


async def discover(ctx: IdentityContext, _: Request) -> Response:
    return _json(service.discovery(ctx))


async def show_keys(ctx: IdentityContext, _: Request) -> Response:
    return _json({"keys": [ctx.key.as_dict(private=False)]})


async def show_form(ctx: IdentityContext, request: Request) -> Response:
    """The page with the form. A request out of form goes back with an error; one of an unknown client goes nowhere."""
    asked = {name: request.query_params.get(name, "")[:500] for name in ASKED}
    try:
        service.ensure_client(ctx, asked)
    except Wrong as wrong:
        raise _turned_away() from wrong
    try:
        model.ensure_request(asked)
    except Wrong as wrong:
        await service.note_refused(ctx, "", OPENED)
        return _back(asked, ctx, error=wrong.error)
    return _form(ctx, request, asked, wrong=False)


async def take_form(ctx: IdentityContext, request: Request) -> Response:
    """Name and password: on with a code, or the form again."""
    form = await guard.read_form(request)
    guard.require_own_form(request, Cookies(request).get(BROWSER), form.get("form_token", ""))
    asked = {name: form.get(name, "")[:500] for name in ASKED}
    try:
        code = await service.grant_code(ctx, asked, form.get("account", ""), form.get("password", "")[:200])
    except Wrong as wrong:
        raise _turned_away() from wrong
    if code is None:
        return _form(ctx, request, asked, wrong=True)
    return _back(asked, ctx, code=code)


async def exchange(ctx: IdentityContext, request: Request) -> Response:
    """A code for an ID token, or an error of RFC 6749, section 5.2."""
    form = await guard.read_form(request)
    try:
        return _json(await service.exchange_code(ctx, form, request.headers.get("authorization", "")))
    except Wrong as wrong:
        return _json({"error": wrong.error}, 401 if wrong.error == "invalid_client" else 400)


def _form(ctx: IdentityContext, request: Request, asked: dict[str, str], *, wrong: bool) -> Response:
    secret = Cookies(request).get(BROWSER) or str(ctx.ids.new())
    values = {"asked": asked, "wrong": wrong, "accounts": model.ACCOUNTS, "form_token": guard.form_token(secret)}
    response = HTMLResponse(templates().get_template("authorize.html").render(values), 401 if wrong else 200)
    Cookies(request).put(response, BROWSER, secret, BROWSER_SECONDS)
    return response


def _back(asked: dict[str, str], ctx: IdentityContext, **answer: str) -> Response:
    query = urlencode(answer | {"state": asked["state"], "iss": ctx.settings.issuer})
    return RedirectResponse(f"{ctx.settings.redirect_uri}?{query}", 303)


def _ensure_from_here(request: Request) -> None:
    """Answer this machine alone, under a name of this machine: a page elsewhere must not reach it by a name of its own."""
    client = request.client.host if request.client else ""
    callers = (request.headers.get("host", ""), f"[{client}]" if ":" in client else client)
    if not all(service.is_here(f"http://{caller}") for caller in callers):
        raise _turned_away()


def _turned_away() -> Forbidden:
    return Forbidden("This sign-in page is for this machine's own demonstration.")


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, {"Cache-Control": "no-store"}, "application/json")
