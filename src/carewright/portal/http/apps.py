"""An app asks to see a patient's record (SMART App Launch 2.2, standalone launch): the patient signs in, and says what it may.

What the app asked stays in a sealed cookie of this browser until it is answered, and the app is sent its answer by the browser.
"""

from contextlib import suppress
from urllib.parse import urlsplit

import msgspec
from starlette.responses import RedirectResponse, Response

from carewright.contracts import smart
from carewright.contracts.access import AppAskedWrongly, UnknownGrant
from carewright.contracts.apps import AppAsked, asked_in
from carewright.kernel.http.addresses import address_saying
from carewright.kernel.http.guard import read_form
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, uuid_or_none
from carewright.portal.model.apps import Pending, says_something, scope_views, ticked
from carewright.portal.model.proxies import consent_view
from carewright.portal.model.times import walls_of

PURPOSE = "portal.app"
CONSENT = "/apps/consent"
PENDING_SECONDS = 1800
PENDING_BYTES_MAX = 2600
"""What still fits into a cookie once it is sealed."""
OVER = "portal.app_over"


async def ask(ask: Ask) -> Response:
    """The authorization endpoint: keep what the app asks, and go on to where its owner answers. What is wrong is told to the app.

    An app that the staff started is answered by the staff's pages.
    """
    sent = (await read_form(ask.request)).items() if ask.request.method == "POST" else ask.request.query_params.multi_items()
    given = asked_in(sent)
    if given.launch:
        return ask.go(address_saying(smart.STAFF_AUTHORIZE_PATH, **msgspec.structs.asdict(given)))
    try:
        kept = _kept(ask, await service.look_at_app(ask.ctx, given), given.state)
    except AppAskedWrongly as refusal:
        return _back(ask, given.redirect_uri, given.state, error=str(refusal.facts.get("error", "invalid_request")))
    response = ask.go(CONSENT)
    ask.cookies.put(response, guard.APP, ask.ctx.sealer.seal(PURPOSE, kept), PENDING_SECONDS)
    return response


async def show_consent(ask: Ask) -> Response:
    """What the app wants, in words."""
    pending = _pending(ask)
    return ask.go("/devices", OVER) if pending is None else await _page(ask, pending, {}, 200)


async def answer(ask: Ask) -> Response:
    """Let the app in as far as it was ticked, or not at all, and send the browser back to it."""
    pending = _pending(ask)
    if pending is None or ask.form.get("mark") != str(pending.mark):
        return ask.go("/devices", OVER)
    if ask.form.get("answer") != "allow":
        return _back(ask, pending.app.redirect_uri, pending.state, error="access_denied")
    scopes = ticked(pending.app.scopes, ask.form)
    if not says_something(scopes):
        return await _page(ask, pending, {"may": "Tick what the app may see, or do not let it in."}, 422)
    code = await service.let_app_in(ask.ctx, pending.app, scopes, uuid_or_none(ask.form.get("whose", "")))
    return _back(ask, pending.app.redirect_uri, pending.state, code=code)


async def turn_off(ask: Ask) -> Response:
    """End what an app may do."""
    with suppress(UnknownGrant):
        await ask.ctx.access.turn_app_off(ask.ctx.actor, ask.id())
    return ask.go("/devices", "done.app_off")


async def _page(ask: Ask, pending: Pending, errors: dict[str, str], status: int) -> Response:
    wall, now = walls_of(await service.get_sites(ask.ctx), ask.ctx.settings.locale).home, ask.ctx.clock.now()
    received = [one for one in (await service.list_consents(ask.ctx)).received if one.holds(now)]
    names = await service.names_for_proxy(ask.ctx, received)
    response = ask.show(
        "app.html", status, errors=errors, app=pending.app.name, origin=origin_of(pending.app.redirect_uri), mark=pending.mark,
        scopes=scope_views(pending.app.scopes), others=[consent_view(one, wall, now, names.get(one.patient_id, "")) for one in received],
    )  # fmt: skip
    return guard.seal(response, ask.request, forms_to=origin_of(pending.app.redirect_uri))


def _back(ask: Ask, redirect_uri: str, state: str, **said: str) -> Response:
    """Send the browser back to the app, with what is said to it; nothing stays behind."""
    response = RedirectResponse(address_saying(redirect_uri, **said, **({"state": state} if state else {})), 303)
    ask.cookies.drop(response, guard.APP)
    return response


def _kept(ask: Ask, asked: AppAsked, state: str) -> bytes:
    """What the browser keeps. Raises `AppAskedWrongly` for more than fits."""
    kept = msgspec.json.encode(Pending(mark=ask.ctx.ids.new(), app=asked, state=state))
    if len(kept) > PENDING_BYTES_MAX:
        raise AppAskedWrongly(error="invalid_request")
    return kept


def _pending(ask: Ask) -> Pending | None:
    plain = ask.ctx.sealer.open(PURPOSE, ask.cookies.get(guard.APP))
    return None if plain is None else msgspec.json.decode(plain, type=Pending)


def origin_of(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"
