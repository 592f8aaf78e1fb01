"""The door of every page: whether a form is ours, and the headers that pages go out with. Shared by all rims with pages."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel import audit
from carewright.kernel.authz import SESSION_PREFIX, Actor, Bearers, Quarantined
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, Refusal, Unauthenticated
from carewright.kernel.http.endpoint import read_body

FORM_FIELDS_MAX = 100
"""The largest form has two numbers for each hour of a day."""
PLACE_LENGTH_MAX = 900
"""A place is kept in a cookie, where a character may take four: it must still fit (`cookies.BYTES_MAX`)."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CONTENT_POLICY_OF_ASKING = HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self'; connect-src 'self'")
"""Every page's, for those whose script asks this site for something."""
STRICT_TRANSPORT = "max-age=63072000; includeSubDomains"


class FormNotOurs(Refusal):
    """A form came from another site, or from a page of an earlier session."""

    code = "kernel.form_not_ours"
    status = 403
    issue = "security"
    title = "This form did not come from our page."


def form_token(secret: str) -> str:
    """What a form of ours carries. It is derived from a cookie that no other site can read."""
    return hmac.new(secret.encode(), b"carewright.portal.form", hashlib.sha256).hexdigest()


def require_own_form(request: Request, secret: str, token: str) -> None:
    """Refuse a form that another site sent (`FormNotOurs`).

    Browsers say where a form comes from: Sec-Fetch-Site over HTTPS and on localhost, Origin everywhere. The token guards against
    what can forge neither header but can send a form, and against pages of an earlier session.
    """
    if not _same_origin(request) or not secret or not hmac.compare_digest(form_token(secret).encode(), token.encode()):
        raise FormNotOurs


@asynccontextmanager
async def noted(ctx: Context, event: str) -> AsyncIterator[None]:
    """Record whoever is turned away within: with a session that is none, or a form that is not ours. `event` names the page's deed.

    What a use case refuses is recorded where it is refused; this is for what a page refuses before it asks one.
    """
    try:
        yield
    except Refusal as refusal:
        asking = (refusal.actor if isinstance(refusal, Quarantined) else None) or audit.NOBODY
        await audit.note_refusal(ctx.acting(asking.at(ctx.actor.address)), event, {}, refusal)
        raise


async def actor_of_session(ctx: Context, bearers: Bearers, session: str, event: str) -> Actor:
    """Whose session a page's cookie names, asking from where `ctx` does. One that is none is recorded as `noted` does.

    Pages are for sessions alone: a signed token is a program's. Raises `Unauthenticated`.
    """
    async with noted(ctx, event):
        if not session.startswith(SESSION_PREFIX):
            raise Unauthenticated
        return (await bearers.actor_of(session)).at(ctx.actor.address)


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def seal(response: Response, request: Request, *, forms_to: str = "") -> Response:
    """Add the security headers. A form may lead on to the origin `forms_to` (browsers hold redirects against `form-action` too)."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value.replace("form-action 'self'", f"form-action 'self' {forms_to}") if forms_to else value)
    if request.url.scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    return response


async def read_form(request: Request) -> Mapping[str, str]:
    """What was posted: the last value of each field, cleaned. Raises `BadInput`, `TooLarge`."""
    raw = await read_body(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise BadInput("Send the form as application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError as fault:
        raise BadInput("The form cannot be read.") from fault
    return {name: clean(value) for name, value in pairs}


def clean(text: str) -> str:
    """Without the characters that no keyboard types and no store takes; line ends as one character."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in lines if character == "\n" or character.isprintable()).strip()


def local_path(text: str, default: str) -> str:
    """`text` where it is an address on this site, else `default`: we never send a person to another site."""
    parts = urlsplit(text[:PLACE_LENGTH_MAX])
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and not parts.scheme and not parts.netloc and len(text) <= PLACE_LENGTH_MAX else default
