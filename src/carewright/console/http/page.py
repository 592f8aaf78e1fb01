"""One page request of a member of staff: who they are, the form, and how an answer is rendered."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carewright.console.http.navigation import SLASH, navigation_of
from carewright.console.service import ConsoleContext
from carewright.contracts.access import StepUpNeeded, WhoAmI
from carewright.contracts.directory import Location
from carewright.kernel.errors import BadInput, NotFound, Refusal, Unauthenticated
from carewright.kernel.http import guard
from carewright.kernel.http.cookies import Cookies
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.rng import new_secret

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
SESSION = "carewright_staff"
BROWSER = "carewright_staff_browser"
CALLER = "carewright_staff_caller"
"""For whom this browser calls patients, and to which room, until it signs out."""
SESSION_SECONDS = 24 * 3600
"""Longer than any session: the server ends sessions, not the cookie."""
HOME = "/staff"
SIGN_IN = "/staff/sign-in"
OPENED = "console.page.open"
"""The audit log's name for what a page refuses by itself."""


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The template engine: everything is escaped, and a name that does not exist is a fault."""
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


T = TypeVar("T")
DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, understood. `me` is who is signed in; None only on pages that need nobody. `secret` is the browser's own."""

    ctx: ConsoleContext
    request: Request
    me: WhoAmI | None
    secret: str
    form: Mapping[str, str]

    @property
    def id(self) -> UUID:
        """The id in the address. Raises `NotFound` for what is none."""
        return uuid_of(self.request.path_params["id"])

    @property
    def key(self) -> str | None:
        """The form's own key, so that a second click does nothing twice."""
        return self.form.get("once", "")[:100] or None

    @property
    def version(self) -> int | None:
        """Which version of something the form was shown with; None where it says none."""
        text = self.form.get("version", "")
        return int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else None

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page. While the glass is broken it says so on top; the scripts of whoever is signed in may ask this site."""
        common = {
            "hospital": self.ctx.settings.hospital_name, "me": self.me, "form_token": guard.form_token(self.secret),
            "once": str(self.ctx.ids.new()), "now": self.ctx.clock.now(), "slash": self.cookies.get(SLASH) != "off",
            "navigation": navigation_of(self.me.permissions) if self.me else (),
        }  # fmt: skip
        response = HTMLResponse(templates().get_template(template).render(common | values), status)
        if self.me:
            response.headers["Content-Security-Policy"] = guard.CONTENT_POLICY_OF_ASKING
        self.cookies.put(response, BROWSER, self.secret, SESSION_SECONDS)
        return response

    def go(self, to: str) -> Response:
        """Send the browser on with GET, so that a reload repeats nothing."""
        return RedirectResponse(to, 303)

    async def called(self, subjects: Iterable[str]) -> Callable[[str], str]:
        """How to name whoever did something: a member of staff by their name, anybody else as the audit log does."""
        names = await self.ctx.access.names_of(self.ctx.actor, tuple(dict.fromkeys(subjects)))
        return lambda subject: names.get(subject, subject)

    @property
    def cookies(self) -> Cookies:
        return cookies_of(self.ctx, self.request)


def valid(kind: type[T], given: Mapping[str, object]) -> T:
    """What a form says, as a command. Raises `BadInput`."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as fault:
        raise BadInput from fault


def number(text: str, otherwise: int = 0, *, digits_max: int = DIGITS_MAX) -> int:
    """What a field says, if it is a number of `digits_max` digits at most; `otherwise` what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits_max else otherwise


def uuid_or_none(text: str) -> UUID | None:
    """The id that a text is; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuid_of(text: str) -> UUID:
    """The id that a text is. Raises `NotFound` for what is none."""
    id_ = uuid_or_none(text)
    if id_ is None:
        raise NotFound
    return id_


def zone_of(site: Location | None) -> ZoneInfo:
    """The clock of a site, or UTC where none is known."""
    return ZoneInfo((site and site.time_zone) or "UTC")


def cookies_of(ctx: ConsoleContext, request: Request) -> Cookies:
    return Cookies(request, secure=ctx.settings.secure_cookies)


Handle = Callable[[Ask], Awaitable[Response]]


def page(ctx: ConsoleContext, handle: Handle, *, signed_in: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for `handle`. Pages for whoever is `signed_in` send others to the sign-in page, and back afterwards."""

    async def answer(request: Request) -> Response:
        here = ctx.at(address_of(request.scope))
        ask = Ask(here, request, None, cookies_of(ctx, request).get(BROWSER) or new_secret(32).hex(), {})
        try:
            response = await handle(await _understood(ask, signed_in=signed_in))
        except StepUpNeeded:
            response = ask.go(sign_in_address(_place(request), again="yes"))
        except Unauthenticated:
            response = ask.go(sign_in_address(_place(request)))
            ask.cookies.sign_out(response, SESSION, CALLER)
        except Refusal as refusal:
            response = ask.show("stop.html", refusal.status, title=refusal.title, text=refusal.detail)
        return guard.seal(response, request)

    return answer


async def _understood(ask: Ask, *, signed_in: bool) -> Ask:
    ctx, request = ask.ctx, ask.request
    form: Mapping[str, str] = {}
    if request.method == "POST":
        form = await guard.read_form(request)
        async with guard.noted(ctx, OPENED):
            guard.require_own_form(request, ask.cookies.get(BROWSER), form.get("form_token", ""))
    if not signed_in:
        return Ask(ctx, request, None, ask.secret, form)
    acting = ctx.acting(await guard.actor_of_session(ctx, ctx.bearers, session_of(ask.cookies), OPENED))
    ensure_pace(request.scope, acting.actor)
    return Ask(acting, request, await ctx.access.who_am_i(acting.actor), ask.secret, form)


def session_of(cookies: Cookies) -> str:
    """The session's token. Raises `Unauthenticated` where the browser has none."""
    token = cookies.get(SESSION)
    if not token:
        raise Unauthenticated
    return token


def sign_in_address(place: str, **more: str) -> str:
    pairs = ({} if place == HOME else {"next": place}) | more
    return f"{SIGN_IN}?{urlencode(pairs)}" if pairs else SIGN_IN


def _place(request: Request) -> str:
    """Where to come back to: the page itself, or the page that the form stood on."""
    path = request.url.path if request.method == "GET" else request.url.path.rpartition("/")[0]
    return guard.local_path(quote(path), HOME) if path.startswith(HOME) else HOME
