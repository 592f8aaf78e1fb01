"""Signing in and out. A hospital's own sign-in comes through the access module; here is the way into the demonstration."""

from starlette.responses import Response

from carewright.kernel.errors import Forbidden
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, address, session_lifetime


async def show_sign_in(ask: Ask) -> Response:
    """The way in. A browser that has no secret of its own gets one, so that this form too is known to be ours."""
    place = guard.local_path(ask.query("next"), "/")
    known = ask.secret or str(ask.ctx.ids.new())
    seen = Ask(ask.ctx, ask.request, None, known, {})
    response = seen.show("sign_in.html", demonstration=ask.ctx.settings.demonstration_sign_in, next=place)
    if not ask.secret:
        ask.put_cookie(response, guard.BROWSER, known, int(session_lifetime(ask.ctx).total_seconds()))
    return response


async def enter_demonstration(ask: Ask) -> Response:
    """Sign in as the demonstration patient, where the hospital is made up and its settings allow it."""
    settings, ctx = ask.ctx.settings, ask.ctx
    organization, patient = settings.demonstration_organization_id, settings.demonstration_patient_id
    if not settings.demonstration_sign_in or organization is None or patient is None:
        raise Forbidden
    actor = ctx.tokens.actor("patient", f"patient/{patient}", organization, patient)
    response = ask.go(guard.local_path(ask.form.get("next", ""), "/"))
    lifetime = session_lifetime(ctx)
    ask.put_cookie(response, guard.SESSION, ctx.tokens.issue(actor, lifetime), int(lifetime.total_seconds()))
    return response


async def sign_out(ask: Ask) -> Response:
    response = ask.go(address("/sign-in"), "done.signed_out")
    for name in (guard.SESSION, guard.PLACE):
        guard.drop_cookie(response, name)
    return response
