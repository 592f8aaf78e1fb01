"""The door: who the browser is, whether a form is ours, and the headers every page goes out with."""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from carewright.kernel.errors import Refusal

SESSION = "carewright_session"
BROWSER = "carewright_browser"
NOTICE = "carewright_notice"
PLACE = "carewright_place"
TRY = "carewright_sign_in"
NOTICE_SECONDS = 60
PLACE_SECONDS = 3600
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
STRICT_TRANSPORT = "max-age=31536000"


class FormNotOurs(Refusal):
    """A form came from another site, or from a page of an earlier session."""

    code = "portal.form_not_ours"
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


def _same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def put_cookie(response: Response, request: Request, name: str, value: str, seconds: int, *, secure: bool) -> None:
    """A cookie that scripts cannot read and other sites' forms do not bring along."""
    is_secure = secure or request.url.scheme == "https"
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_secure)


def drop_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", httponly=True, samesite="lax")


def seal(response: Response, request: Request) -> Response:
    """Add the security headers."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.url.scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    return response


def local_path(text: str, default: str) -> str:
    """`text` where it is an address on this site, else `default`: we never send a person to another site."""
    parts = urlsplit(text[:2000])
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if plain and not parts.scheme and not parts.netloc and len(text) <= 2000 else default
