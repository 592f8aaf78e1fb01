"""Where one is signed in, and by which passkeys one may: signing out there, and what changes a way in."""

from starlette.responses import Response

from carewright.contracts.access import PasskeyNotRight, PasskeysEnough, StepUpNeeded, UnknownPasskey
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, address
from carewright.portal.http.passkeys import asked_of_browser, binding_of
from carewright.portal.http.sign_in import sign_out
from carewright.portal.model.apps import app_view
from carewright.portal.model.devices import device_view, name_of, passkey_view
from carewright.portal.model.times import walls_of

PLACE = "/devices"
CHANGED = ("done.passkey_added", "done.passkey_removed")
"""After which whoever else is signed in may be somebody who should not be (ASVS 5.0, 7.4.3)."""


async def show_devices(ask: Ask) -> Response:
    """The patient's sessions, apps and passkeys. Passkeys are one's own: whoever acts for somebody else sees none."""
    ctx, now = ask.ctx, ask.ctx.clock.now()
    wall = walls_of(await service.get_sites(ctx), ctx.settings.locale).home
    views = [device_view(one, wall, now, is_this=one.id == ctx.actor.session_id) for one in await service.my_sessions(ctx)]
    own = ctx.actor.role == "patient"
    return ask.show_asking(
        "devices.html", devices=views, own=own, changed=ask.cookies.get(guard.NOTICE) in CHANGED,
        passkeys=[passkey_view(one, wall, now) for one in await service.my_passkeys(ctx)] if own else [],
        passkey_origin=await service.find_passkey_origin(ctx) if own else None,
        apps=[app_view(one, wall, now) for one in await ctx.access.my_apps(ctx.actor)],
    )  # fmt: skip


async def end_device(ask: Ask) -> Response:
    """Sign out on one device; on this one, that is signing out."""
    if ask.id() == ask.ctx.actor.session_id:
        return await sign_out(ask)
    await service.end_my_session(ask.ctx, ask.id())
    return ask.go(PLACE, "done.device_ended")


async def end_other_devices(ask: Ask) -> Response:
    """Sign out everywhere but here."""
    for one in await service.my_sessions(ask.ctx):
        if one.id != ask.ctx.actor.session_id:
            await service.end_my_session(ask.ctx, one.id)
    return ask.go(PLACE, "done.devices_ended")


async def begin_passkey(ask: Ask) -> Response:
    """What the browser is to make a passkey of. Whoever signed in too long ago keeps their session: the form will lead them on."""
    try:
        return await asked_of_browser(ask, service.start_passkey)
    except StepUpNeeded as refusal:
        return ask.stop(refusal)


async def add_passkey(ask: Ask) -> Response:
    """Keep the passkey that the browser made. Without one, say why there is none: access knows, or the browser could not."""
    credential = ask.form.get("credential", "")
    try:
        if not credential:
            await service.start_passkey(ask.ctx, binding_of(ask))
            return ask.go(PLACE, "portal.passkey_not_made")
        await service.add_passkey(ask.ctx, binding_of(ask), credential, name_of(ask.form.get("name", "")))
    except StepUpNeeded:
        return _once_more(ask)
    except (PasskeyNotRight, PasskeysEnough) as refusal:
        return ask.go(PLACE, refusal.code)
    response = ask.go(PLACE, "done.passkey_added")
    ask.cookies.drop(response, guard.PASSKEY)
    return response


async def remove_passkey(ask: Ask) -> Response:
    """Close a way in. Whoever came by it is out, which may be this very device."""
    try:
        await service.remove_passkey(ask.ctx, ask.id())
    except StepUpNeeded:
        return _once_more(ask)
    except UnknownPasskey as refusal:
        return ask.go(PLACE, refusal.code)
    return ask.go(PLACE, "done.passkey_removed")


def _once_more(ask: Ask) -> Response:
    """To sign in once more, and back. The session stays until the new one takes its place."""
    return ask.go(address("/sign-in", next=PLACE), "portal.sign_in_once_more")


async def to_devices(ask: Ask) -> Response:
    return ask.go(PLACE)
