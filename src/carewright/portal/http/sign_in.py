"""Signing in by a code that is sent to the patient's own telephone or e-mail, and out again.

What the browser is told never depends on whether anybody is known: the answer goes out first, and only then is anybody looked for.
"""

from datetime import datetime

import msgspec
from starlette.background import BackgroundTask
from starlette.responses import Response

from carewright.contracts.access import CodeNotRight
from carewright.kernel.rng import new_secret
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask, address
from carewright.portal.model import sign_in as rules
from carewright.portal.model.sign_in import SignInTry

PURPOSE = "portal.sign_in_try"
TRY_SECONDS = 1800
"""Longer than a code is good for, so that whoever comes too late is told so."""
BROWSER_SECONDS = 8 * 3600


async def show_sign_in(ask: Ask) -> Response:
    """The way in. A browser that has no secret of its own gets one, so that this form too is known to be ours."""
    return await _form(ask, {}, {}, 200)


async def _form(ask: Ask, form: dict[str, str], errors: dict[str, str], status: int) -> Response:
    ask.ctx.hosting()
    known = ask.secret or str(ask.ctx.ids.new())
    seen = Ask(ask.ctx, ask.request, None, known, ask.form)
    example = await _example(ask)
    typed = example if example and ask.query("example") and not form else form
    place = guard.local_path(ask.form.get("next", "") or ask.query("next"), "/")
    fill = address("/sign-in", example="1", next=place)
    origin = await service.find_passkey_origin(ask.ctx)
    response = seen.show_asking(
        "sign_in.html", status, next=place, example=example, fill=fill, form=typed, errors=errors, passkey_origin=origin
    )
    if not ask.secret:
        ask.cookies.put(response, guard.BROWSER, known, BROWSER_SECONDS)
    return response


async def _example(ask: Ask) -> dict[str, str] | None:
    """What to type to come in as the demonstration patient, in a hospital that is made up."""
    patient = await service.example_patient(ask.ctx)
    contact = rules.preferred_contact(patient) if patient else None
    if patient is None or contact is None or patient.birth_on is None:
        return None
    born = patient.birth_on
    return {"contact": contact.value, "month": str(born.month), "day": str(born.day), "year": str(born.year)}


async def ask_for_code(ask: Ask) -> Response:
    """Send a code, if there is anybody to send it to, and ask for it either way."""
    asked = rules.read_form(ask.form, ask.ctx.clock.now().date())
    if asked.contact is None or asked.birth_on is None:
        return await _form(ask, dict(ask.form), dict(asked.errors), 422)
    trying = SignInTry(
        code_id=ask.ctx.ids.new(), binding=new_secret(16).hex(), contact=asked.contact, birth_on=asked.birth_on,
        next=guard.local_path(ask.form.get("next", ""), "/"), sent_at=ask.ctx.clock.now(),
    )  # fmt: skip
    return _sent(ask, trying, None)


async def send_again(ask: Ask) -> Response:
    """Another code, and not too soon. The earlier one goes on working for its ten minutes in no browser: this one keeps the new id."""
    trying, now = _trying(ask), ask.ctx.clock.now()
    if trying is None:
        return _start_over(ask)
    if not trying.may_send_again(now):
        return ask.go("/sign-in/code", "portal.code_just_sent" if trying.sends < rules.SENDS_MAX else "portal.codes_sent_enough")
    again = msgspec.structs.replace(
        trying, code_id=ask.ctx.ids.new(), binding=new_secret(16).hex(), sent_at=now, sends=trying.sends + 1, tries=0
    )
    return _sent(ask, again, "done.code_sent_again")


def _sent(ask: Ask, trying: SignInTry, notice: str | None) -> Response:
    response = ask.go("/sign-in/code", notice)
    _keep(ask, response, trying)
    response.background = BackgroundTask(service.send_code, ask.ctx, trying)
    return response


async def show_code(ask: Ask) -> Response:
    """Where the code is typed."""
    trying = _trying(ask)
    return _start_over(ask) if trying is None else _code_page(ask, trying, {}, 200)


def _code_page(ask: Ask, trying: SignInTry, errors: dict[str, str], status: int) -> Response:
    return ask.show(
        "code.html",
        status,
        contact=trying.contact.value,
        by_phone=trying.contact.system == "phone",
        over=_over(trying, ask.ctx.clock.now()),
        made_up=ask.ctx.settings.demonstration_patient_id is not None,
        errors=errors,
    )


def _over(trying: SignInTry, now: datetime) -> str:
    """Why this code is good for nothing any more, whatever is typed; empty while it may be."""
    if trying.has_run_out(now):
        return "late"
    return "spent" if trying.is_spent else ""


async def enter_code(ask: Ask) -> Response:
    """In with the right code; a kind word about any other."""
    trying, code = _trying(ask), "".join(ask.form.get("code", "").split())
    if trying is None:
        return _start_over(ask)
    if _over(trying, ask.ctx.clock.now()):
        return _code_page(ask, trying, {}, 422)
    if not (code.isascii() and code.isdigit() and len(code) == rules.CODE_DIGITS):
        return _code_page(ask, trying, {"code": f"Enter the {rules.CODE_DIGITS} numbers of the code."}, 422)
    try:
        started = await service.redeem_code(ask.ctx, trying, code)
    except CodeNotRight:
        return _wrong(ask, trying)
    response = ask.enter(trying.next, started)
    await service.end_replaced(ask.ctx, ask.cookies.get(guard.SESSION))
    ask.cookies.drop(response, guard.TRY)
    return response


def _wrong(ask: Ask, trying: SignInTry) -> Response:
    tried = msgspec.structs.replace(trying, tries=trying.tries + 1)
    errors = {} if tried.is_spent else {"code": "That is not the code we sent last. Look at the newest message, and type all 8 numbers."}
    response = _code_page(ask, tried, errors, 422)
    _keep(ask, response, tried)
    return response


def _keep(ask: Ask, response: Response, trying: SignInTry) -> None:
    ask.cookies.put(response, guard.TRY, ask.ctx.sealer.seal(PURPOSE, msgspec.json.encode(trying)), TRY_SECONDS)


def _trying(ask: Ask) -> SignInTry | None:
    """What this browser keeps of a sign-in under way."""
    plain = ask.ctx.sealer.open(PURPOSE, ask.cookies.get(guard.TRY))
    return None if plain is None else msgspec.json.decode(plain, type=SignInTry)


def _start_over(ask: Ask) -> Response:
    return ask.go("/sign-in", "portal.sign_in_over")


async def sign_out(ask: Ask) -> Response:
    """End the session, here and on our side."""
    response = ask.go("/sign-in", "done.signed_out")
    if session := ask.cookies.get(guard.SESSION):
        await service.end_session(ask.ctx, session)
    ask.cookies.sign_out(response, guard.SESSION, guard.PLACE, guard.TRY, guard.PASSKEY)
    return response


async def to_sign_in(ask: Ask) -> Response:
    return ask.go("/sign-in")


async def to_code(ask: Ask) -> Response:
    return ask.go("/sign-in/code")
