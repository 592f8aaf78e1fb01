"""One request of a station's page: which station it is, the form, and how an answer is rendered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carewright.contracts.stations import Station, StationKind
from carewright.kernel.errors import Forbidden, Refusal, Unauthenticated
from carewright.kernel.http import guard
from carewright.kernel.http.cookies import Cookies
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.rng import new_secret
from carewright.lobby.http.texts import languages
from carewright.lobby.model.words import Language, spoken
from carewright.lobby.service import LobbyContext

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
SESSION = "carewright_station"
BROWSER = "carewright_station_browser"
SESSION_SECONDS = 400 * 24 * 3600
"""As long as browsers keep any cookie (RFC 6265bis, 5.5), and longer than any session: the server ends sessions."""
BROWSER_SECONDS = 24 * 3600
CODE = "/station"
OPENED = "lobby.page.open"
"""The audit log's name for what a page refuses by itself."""


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The template engine: everything is escaped, and a name that does not exist is a fault."""
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, understood. `station` is who asks; None on the page where it signs in. `secret` is the browser's own."""

    ctx: LobbyContext
    request: Request
    station: Station | None
    secret: str
    form: Mapping[str, str]

    @property
    def languages(self) -> Sequence[Language]:
        """What the station speaks."""
        return spoken(self.station.languages if self.station else ("en",), languages())

    @property
    def cookies(self) -> Cookies:
        return cookies_of(self.ctx, self.request)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page. Whoever is signed in stays so."""
        common = {
            "hospital": self.ctx.settings.hospital_name, "station": self.station, "languages": self.languages,
            "form_token": guard.form_token(self.secret),
        }  # fmt: skip
        response = HTMLResponse(templates().get_template(template).render(common | values), status)
        response.headers["Content-Security-Policy"] = guard.CONTENT_POLICY_OF_ASKING
        if self.station is None:
            self.cookies.put(response, BROWSER, self.secret, BROWSER_SECONDS)
        else:
            self.cookies.put(response, SESSION, self.cookies.get(SESSION), SESSION_SECONDS)
        return response

    def go(self, to: str) -> Response:
        return RedirectResponse(to, 303)


Handle = Callable[[Ask], Awaitable[Response]]


def page(ctx: LobbyContext, handle: Handle, kind: StationKind | None) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for `handle`. What is not signed in as a station of this `kind` is sent to where it signs in; None lets anybody ask."""

    async def answer(request: Request) -> Response:
        here = ctx.at(address_of(request.scope))
        ask = Ask(here, request, None, cookies_of(ctx, request).get(BROWSER) or new_secret(32).hex(), {})
        try:
            response = await handle(await _understood(ask, kind))
        except Unauthenticated:
            response = ask.go(CODE)
        except Refusal as refusal:
            response = ask.show("stop.html", refusal.status, title=refusal.title, text=refusal.detail)
        return guard.seal(response, request)

    return answer


async def asked_by(ctx: LobbyContext, request: Request, kind: StationKind) -> tuple[LobbyContext, Station]:
    """The context in which a station asks, and which it is. Raises `Unauthenticated` for one of another kind too."""
    token = cookies_of(ctx, request).get(SESSION)
    if not token:
        raise Unauthenticated
    acting = ctx.acting(await guard.actor_of_session(ctx, ctx.bearers, token, OPENED))
    ensure_pace(request.scope, acting.actor)
    try:
        station = await ctx.access.own_station(acting.actor)
    except Forbidden as fault:
        raise Unauthenticated from fault
    if station.kind != kind:
        raise Unauthenticated
    return acting, station


def cookies_of(ctx: LobbyContext, request: Request) -> Cookies:
    return Cookies(request, secure=ctx.settings.secure_cookies)


async def _understood(ask: Ask, kind: StationKind | None) -> Ask:
    form: Mapping[str, str] = {}
    ctx, station, secret = ask.ctx, None, ask.secret
    if kind is not None:
        ctx, station = await asked_by(ctx, ask.request, kind)
        secret = ask.cookies.get(SESSION)
    if ask.request.method == "POST":
        form = await guard.read_form(ask.request)
        async with guard.noted(ctx, OPENED):
            guard.require_own_form(ask.request, secret, form.get("form_token", ""))
    return Ask(ctx, ask.request, station, secret, form)
