"""The kiosk at the entrance: checking in by a code, a ticket for who has no appointment, and a call for help.

Each answer is shown where it was asked for: nothing of it stands in an address, and asking twice gives the same ticket.
"""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.responses import Response

from carewright.contracts.kiosk import CODE_LETTERS, CallForHelp, CheckIn, CheckInCodeNotRight, ListKioskQueues, TakeTicket
from carewright.contracts.stations import Station
from carewright.kernel.errors import BadInput, Refusal, Unauthenticated
from carewright.kernel.rng import new_secret
from carewright.lobby.http.page import Ask
from carewright.lobby.model import kiosk as words
from carewright.lobby.model.words import Language

START = "/kiosk"
CODE, CHECK_IN = f"{START}/code", f"{START}/check-in"
SERVICES, TICKET = f"{START}/services", f"{START}/ticket"
HELP = f"{START}/help"
ONCE_LENGTH_MAX = 100
Handle = Callable[[Ask], Awaitable[Response]]


def told_plainly(handle: Handle) -> Handle:
    """`handle`, of which every refusal is told in the language of whoever stands there, with the way to the desk."""

    async def answer(ask: Ask) -> Response:
        try:
            return await handle(ask)
        except Unauthenticated:
            raise
        except Refusal as refusal:
            return _answered(ask, words.not_possible(_language(ask).kiosk, refusal), refusal.status)

    return answer


async def show_start(ask: Ask) -> Response:
    """What one can do here, in the language that was chosen last."""
    return _shown(ask, "kiosk_start.html")


async def show_code(ask: Ask) -> Response:
    """Where the code of an appointment is typed."""
    return _shown(ask, "kiosk_code.html", letters=CODE_LETTERS)


async def check_in(ask: Ask) -> Response:
    """The turn for the code that was typed, however often it is."""
    station = _station(ask)
    given = {"site_id": station.site_id, "code": ask.form.get("code", ""), "station_name": station.name}
    try:
        command = msgspec.convert(given, CheckIn)
    except msgspec.ValidationError as fault:
        raise CheckInCodeNotRight from fault
    told = await ask.ctx.kiosks.check_in(ask.ctx.actor, command)
    return _answered(ask, words.checked_in(_language(ask).kiosk, told))


async def show_services(ask: Ask) -> Response:
    """What one can come for without an appointment."""
    station = _station(ask)
    query = ListKioskQueues(site_id=station.site_id, queue_ids=station.queue_ids)
    found = await ask.ctx.kiosks.list_kiosk_queues(ask.ctx.actor, query)
    choices = [words.choice(_language(ask).kiosk, each) for each in found.items]
    return _shown(ask, "kiosk_services.html", choices=choices, once=new_secret(16).hex())


async def take_ticket(ask: Ask) -> Response:
    """A ticket for what was chosen; a second touch of the same button gives the same."""
    try:
        command = msgspec.convert({"queue_id": ask.form.get("queue", "")}, TakeTicket)
    except msgspec.ValidationError as fault:
        raise BadInput from fault
    key = ask.form.get("once", "")[:ONCE_LENGTH_MAX] or None
    told = await ask.ctx.kiosks.take_ticket(ask.ctx.actor, command, key)
    return _answered(ask, words.ticket_taken(_language(ask).kiosk, told))


async def call_for_help(ask: Ask) -> Response:
    """The desk is told at once."""
    station = _station(ask)
    await ask.ctx.kiosks.call_for_help(ask.ctx.actor, CallForHelp(site_id=station.site_id, station_name=station.name))
    return _answered(ask, words.help_called(_language(ask).kiosk))


def _answered(ask: Ask, answer: words.Answer, status: int = 200) -> Response:
    return _shown(ask, "kiosk_answer.html", status, answer=answer)


def _shown(ask: Ask, template: str, status: int = 200, **values: object) -> Response:
    language = _language(ask)
    return ask.show(template, status, say=language.kiosk, language=language, **values)


def _language(ask: Ask) -> Language:
    """The one that whoever stands there has chosen; the station's first while nobody has."""
    wanted = ask.form.get("language") or ask.request.query_params.get("language", "")
    return next((each for each in ask.languages if each.tag == wanted), ask.languages[0])


def _station(ask: Ask) -> Station:
    if ask.station is None:
        raise LookupError("a kiosk's page is for kiosks")
    return ask.station
