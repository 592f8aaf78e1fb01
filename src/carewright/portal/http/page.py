"""One page request: the visitor, the form, and how an answer is rendered. Every endpoint of the portal is wrapped by `page`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carewright.contracts.access import StartedSession
from carewright.contracts.patients import Patient
from carewright.kernel.errors import NotFound, Refusal, Unauthenticated
from carewright.kernel.http.cookies import Cookies
from carewright.kernel.http.gate import address_of, ensure_pace
from carewright.kernel.http.guard import clean, read_form
from carewright.portal import service
from carewright.portal.context import PortalContext
from carewright.portal.http import assets, guard
from carewright.portal.model.notices import NOTICES, stop_for

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
OPENED = "portal.page.open"
"""The audit log's name for what a page refuses by itself."""


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The template engine: everything is escaped, and a name that does not exist is a fault."""
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    engine.globals |= {"asset": assets.address, "address": address}
    return engine


def address(path: str, pairs: list[tuple[str, str]] | None = None, **more: object) -> str:
    """A path with its query, encoded."""
    query = urlencode([*(pairs or []), *((name, str(value)) for name, value in more.items())])
    return f"{quote(path)}?{query}" if query else quote(path)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, understood. `me` is the signed-in patient; None only on pages that need none. `form` holds what was posted."""

    ctx: PortalContext
    request: Request
    me: Patient | None
    secret: str
    form: Mapping[str, str]

    @property
    def language(self) -> str | None:
        return self.me.language if self.me else None

    @property
    def cookies(self) -> Cookies:
        return Cookies(self.request, secure=self.ctx.settings.secure_cookies)

    def id(self, name: str = "id") -> UUID:
        """The id in the path. Raises `NotFound` for something that is none."""
        found = uuid_or_none(self.request.path_params[name])
        if found is None:
            raise NotFound
        return found

    def query(self, name: str) -> str:
        return clean(self.request.query_params.get(name, ""))

    @property
    def key(self) -> str:
        """The form's one-time key. A form without one gets a new key: it is then merely not protected against a second click."""
        return str(uuid_or_none(self.form.get("once", "")) or self.ctx.ids.new())

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page, with the notice that an earlier step left."""
        notice = values.pop("notice", None) or NOTICES.get(self.cookies.get(guard.NOTICE))
        common = {
            "hospital": self.ctx.settings.hospital_name,
            "me": self.me,
            "acting": self.ctx.actor.role == "proxy",
            "notice": notice,
            "form_token": guard.form_token(self.secret) if self.secret else "",
            "once": str(self.ctx.ids.new()),
            "here": self.request.url.path,
        }
        html = templates().get_template(template).render(common | values)
        response = HTMLResponse(html, status)
        if self.cookies.get(guard.NOTICE):
            self.cookies.drop(response, guard.NOTICE)
        return response

    def show_asking(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page whose script asks this site for something."""
        response = self.show(template, status, **values)
        response.headers["Content-Security-Policy"] = guard.CONTENT_POLICY_OF_ASKING
        return response

    def go(self, to: str, notice: str | None = None) -> Response:
        """Send the browser on with GET, so that a reload repeats nothing; `notice` is said on the page it arrives at."""
        response = RedirectResponse(to, 303)
        if notice:
            self.cookies.put(response, guard.NOTICE, notice, guard.NOTICE_SECONDS)
        return response

    def enter(self, to: str, started: StartedSession) -> Response:
        """Send the browser on with a session."""
        response = self.go(to)
        seconds = int((started.session.absolute_until - self.ctx.clock.now()).total_seconds())
        self.cookies.put(response, guard.SESSION, started.token, seconds)
        return response

    def stop(self, refusal: Refusal) -> Response:
        """A page that says kindly why not."""
        return self.show("stop.html", refusal.status, stop=stop_for(refusal.code, refusal.detail))


Handle = Callable[[Ask], Awaitable[Response]]


def page(ctx: PortalContext, handle: Handle, *, for_patients: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for `handle`. Pages `for_patients` send whoever is not signed in to the sign-in page, and back afterwards."""

    async def answer(request: Request) -> Response:
        return guard.seal(await _answer(ctx, request, handle, for_patients=for_patients), request)

    return answer


def door(ctx: PortalContext, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for `handle` where other sites' pages lead, by links and by forms: nobody is signed in there, and nothing is changed."""

    async def answer(request: Request) -> Response:
        ask = _arrived(ctx, request)
        try:
            return guard.seal(await handle(ask), request)
        except Refusal as refusal:
            return guard.seal(ask.stop(refusal), request)

    return answer


async def _answer(ctx: PortalContext, request: Request, handle: Handle, *, for_patients: bool) -> Response:
    ask = _arrived(ctx, request)
    try:
        ask = await _understood(ask.ctx, request, ask, ask.cookies.get(guard.SESSION), for_patients=for_patients)
        return await handle(ask)
    except Unauthenticated:
        return _to_sign_in(ask)
    except Refusal as refusal:
        return ask.stop(refusal)


def _arrived(ctx: PortalContext, request: Request) -> Ask:
    """A request of which nothing was looked at yet."""
    asked_from = address_of(request.scope)
    ctx = replace(ctx.at(asked_from), host=ctx.host.at(asked_from))
    cookies = Cookies(request, secure=ctx.settings.secure_cookies)
    return Ask(ctx, request, None, cookies.get(guard.SESSION) or cookies.get(guard.BROWSER), {})


async def _understood(ctx: PortalContext, request: Request, ask: Ask, session: str, *, for_patients: bool) -> Ask:
    form: Mapping[str, str] = {}
    if request.method == "POST":
        form = await read_form(request)
        async with guard.noted(ctx, OPENED):
            guard.require_own_form(request, ask.secret, form.get("form_token", ""))
    if not for_patients:
        return Ask(ctx, request, None, ask.secret, form)
    if not session:
        raise Unauthenticated
    acting = ctx.acting(await guard.actor_of_session(ctx, ctx.bearers, session, OPENED))
    ensure_pace(request.scope, acting.actor)
    return Ask(acting, request, await service.get_myself(acting), session, form)


def _to_sign_in(ask: Ask) -> Response:
    request = ask.request
    place = address(request.url.path, list(request.query_params.multi_items())) if request.method == "GET" else "/"
    response = ask.go("/sign-in" if place == "/" else address("/sign-in", next=guard.local_path(place, "/")))
    if ask.cookies.get(guard.SESSION):
        ask.cookies.sign_out(response, guard.SESSION)
    return response


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text[:40]) if text else None
    except ValueError:
        return None
