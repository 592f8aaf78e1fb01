"""Who may act for this patient, and for whom this patient may act: giving consent, taking it on, acting by it, withdrawing it."""

from datetime import timedelta

from starlette.responses import Response

from carewright.contracts.access import ConsentNotRight, StartedSession
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask
from carewright.portal.model.proxies import LENGTHS, RELATIONSHIPS, SCOPES, consent_view
from carewright.portal.model.times import walls_of

PLACE = "/proxies"


async def show_proxies(ask: Ask) -> Response:
    return await _page(ask, {}, 200)


async def _page(ask: Ask, errors: dict[str, str], status: int) -> Response:
    wall = walls_of(await service.get_sites(ask.ctx), ask.ctx.settings.locale).home
    found, now = await service.list_consents(ask.ctx), ask.ctx.clock.now()
    names = await service.names_for_proxy(ask.ctx, found.received)
    return ask.show(
        "proxies.html", status, errors=errors, relationships=RELATIONSHIPS, scopes=SCOPES, lengths=LENGTHS,
        given=[consent_view(one, wall, now) for one in found.given],
        received=[consent_view(one, wall, now, names.get(one.patient_id, "")) for one in found.received],
    )  # fmt: skip


async def give(ask: Ask) -> Response:
    """Let somebody act for this patient, and show the code for them. What is not on our lists is not asked for."""
    relationship, scope, days = ask.form.get("relationship", ""), ask.form.get("scope", ""), ask.form.get("days", "")
    if relationship not in RELATIONSHIPS or scope not in SCOPES or days not in LENGTHS:
        return await _page(ask, {"relationship": "Say who it is, what they may do, and for how long."}, 422)
    given = await service.give_consent(ask.ctx, relationship, scope, ask.ctx.clock.now() + timedelta(days=int(days)))
    return ask.show("proxy_code.html", code=given.code)


async def accept(ask: Ask) -> Response:
    """Become somebody's proxy, by the code they gave."""
    try:
        await service.accept_consent(ask.ctx, ask.form.get("code", "")[:40] or "-")
    except ConsentNotRight:
        return await _page(ask, {"code": "That code is not right, or not valid any more. Please ask for a new one."}, 422)
    return ask.go(PLACE, "done.proxy_accepted")


async def withdraw(ask: Ask) -> Response:
    await service.withdraw_consent(ask.ctx, ask.id())
    return ask.go(PLACE, "done.proxy_withdrawn")


async def act(ask: Ask) -> Response:
    """Go on for somebody else."""
    return _with_session(ask, await service.act_for(ask.ctx, ask.id()))


async def act_as_myself(ask: Ask) -> Response:
    """Go on for oneself again."""
    return _with_session(ask, await service.act_for(ask.ctx, None))


def _with_session(ask: Ask, started: StartedSession) -> Response:
    response = ask.enter("/", started)
    ask.cookies.drop(response, guard.PLACE)
    return response


async def to_proxies(ask: Ask) -> Response:
    return ask.go(PLACE)
