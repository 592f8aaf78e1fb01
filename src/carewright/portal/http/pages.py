"""Every address of the portal on one page."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from carewright.contracts import smart
from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority
from carewright.portal.context import PortalContext
from carewright.portal.http import (
    answers,
    appointments,
    apps,
    assets,
    browse,
    calendar,
    devices,
    holds,
    inbox,
    offers,
    passkeys,
    proxies,
    record,
    sign_in,
    turn,
)
from carewright.portal.http.page import Handle, door, page

ASSETS = "/static/{name:path}"
PRIORITIES: Declared = {
    "/my-record/download": Priority.REPORT,
    turn.PLACE: Priority.PRESENCE,
    turn.SAY: Priority.PRESENCE,
    answers.PLACE: Priority.PRESENCE,
    ASSETS: None,
}
"""What never changes is served from memory, and every page is made of it."""


def pages(ctx: PortalContext) -> Sequence[BaseRoute]:
    """The portal's routes, bound to its context."""

    def get(path: str, handle: Handle, *, for_patients: bool = True) -> Route:
        return Route(path, page(ctx, handle, for_patients=for_patients), methods=["GET"])

    def post(path: str, handle: Handle, *, for_patients: bool = True) -> Route:
        return Route(path, page(ctx, handle, for_patients=for_patients), methods=["POST"])

    return [
        get("/", browse.show_services),
        get("/services/{id}", browse.show_service),
        get("/visits/{id}/times", browse.show_times),
        post("/visits/{id}/hold", holds.keep_time),
        get("/holds/{id}", holds.show_hold),
        post("/holds/{id}/book", holds.book_time),
        post("/holds/{id}/release", holds.release_time),
        get("/appointments", appointments.show_appointments),
        get("/appointments/{id}", appointments.show_appointment),
        get("/appointments/{id}/calendar.ics", appointments.download_calendar_file),
        get("/appointments/{id}/cancel", appointments.ask_to_cancel),
        post("/appointments/{id}/cancel", appointments.cancel),
        get("/appointments/{id}/move", appointments.ask_to_move),
        post("/appointments/{id}/move", appointments.move),
        get("/my-record", record.show_record),
        get("/my-record/download", record.download),
        get(turn.PLACE, turn.show_turn),
        post(turn.SAY, turn.say_where),
        get(answers.PLACE, answers.show_turn, for_patients=False),
        post(answers.PLACE, answers.say_where, for_patients=False),
        get(offers.PLACE, offers.show_offer, for_patients=False),
        post(offers.PLACE, offers.answer_offer, for_patients=False),
        get(calendar.PLACE, calendar.show_feeds),
        post(f"{calendar.PLACE}/make", calendar.make_feed),
        post(f"{calendar.PLACE}/{{id}}/end", calendar.end_feed),
        get("/sign-in", sign_in.show_sign_in, for_patients=False),
        post("/sign-in", sign_in.ask_for_code, for_patients=False),
        get("/sign-in/code", sign_in.show_code, for_patients=False),
        post("/sign-in/code", sign_in.enter_code, for_patients=False),
        post("/sign-in/again", sign_in.send_again, for_patients=False),
        post("/sign-in/passkey", passkeys.sign_in, for_patients=False),
        post("/sign-in/passkey/begin", passkeys.begin_sign_in, for_patients=False),
        post("/sign-out", sign_in.sign_out, for_patients=False),
        get(smart.MANAGE_PATH, devices.show_devices),
        post("/devices/end-others", devices.end_other_devices),
        post("/devices/{id}/end", devices.end_device),
        post("/devices/passkeys", devices.add_passkey),
        post("/devices/passkeys/begin", devices.begin_passkey),
        post("/devices/passkeys/{id}/remove", devices.remove_passkey),
        get("/proxies", proxies.show_proxies),
        post("/proxies/give", proxies.give),
        post("/proxies/accept", proxies.accept),
        post("/proxies/myself", proxies.act_as_myself),
        post("/proxies/{id}/act", proxies.act),
        post("/proxies/{id}/withdraw", proxies.withdraw),
        Route(smart.AUTHORIZE_PATH, door(ctx, apps.ask), methods=["GET", "POST"]),
        get(apps.CONSENT, apps.show_consent),
        post(apps.CONSENT, apps.answer),
        post("/apps/{id}/end", apps.turn_off),
        get("/inbox", inbox.show_inbox, for_patients=False),
        get("/inbox/{id}", inbox.show_messages, for_patients=False),
        # Where only a form leads, an address typed or reloaded goes to the page with the form.
        get("/visits/{id}/hold", holds.to_times),
        get("/holds/{id}/book", holds.to_hold),
        get("/holds/{id}/release", holds.to_hold),
        get("/sign-in/again", sign_in.to_code, for_patients=False),
        get("/sign-in/passkey", sign_in.to_sign_in, for_patients=False),
        get("/devices/{id}/end", devices.to_devices),
        get("/devices/passkeys", devices.to_devices),
        get("/devices/passkeys/{id}/remove", devices.to_devices),
        get("/proxies/give", proxies.to_proxies),
        get("/proxies/accept", proxies.to_proxies),
        get("/proxies/myself", proxies.to_proxies),
        get("/proxies/{id}/act", proxies.to_proxies),
        get("/proxies/{id}/withdraw", proxies.to_proxies),
        get("/devices/end-others", devices.to_devices),
        get(turn.SAY, turn.to_turn),
        get(f"{calendar.PLACE}/make", calendar.to_feeds),
        get(f"{calendar.PLACE}/{{id}}/end", calendar.to_feeds),
        get("/apps/{id}/end", devices.to_devices),
        Route(ASSETS, assets.serve, methods=["GET"]),
    ]
