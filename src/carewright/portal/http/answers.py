"""The pages that messages lead to: here one turn, large buttons, no sign-in. Opening it changes nothing: mail programs open every link."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from starlette.responses import Response

from carewright.contracts.elsewhere import ByLink, NoMoreTime, SayByLink, StayNear, TellTheDesk
from carewright.contracts.flow import StepNotAllowed, UnknownEntry
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.links import LinkRefused
from carewright.portal import service
from carewright.portal.http import guard
from carewright.portal.http.page import Ask
from carewright.portal.http.sign_in import BROWSER_SECONDS
from carewright.portal.http.texts import language_for, languages
from carewright.portal.model.times import walls_of
from carewright.portal.model.turn import turn_view
from carewright.portal.model.wall import clock_of

PLACE = "/answer/turn/{token}"
SAID = {
    "noted": "good", "left": "info", "not_understood": "bad", "moved_on": "info", "stay_near": "info", "no_more_time": "info",
    "tell_the_desk": "info",
}  # fmt: skip
"""What the page says above how it stands, and in which tone."""
KEYS: dict[type[Refusal], str] = {
    StepNotAllowed: "moved_on", PreconditionFailed: "moved_on", StayNear: "stay_near", NoMoreTime: "no_more_time",
    TellTheDesk: "tell_the_desk",
}  # fmt: skip


async def show_turn(ask: Ask) -> Response:
    """How the turn stands, and what may be said of it."""
    try:
        linked = await ask.ctx.queues.turn_by_link(ask.ctx.hosting(), ByLink(token=token_of(ask)))
    except (LinkRefused, UnknownEntry):
        return gone(ask, "gone")
    entry = linked.entry
    language, words = await words_for(ask, entry.patient_id)
    walls = walls_of((await ask.ctx.directory.find_sites(ask.ctx.hosting())).items, ask.ctx.settings.locale)
    return shown(
        ask, "answer.html", words, language, SAID,
        one=turn_view(entry, linked.told, walls.of(entry.site_id), words, room=linked.room),
        as_of=walls.of(entry.site_id).time(ask.ctx.clock.now(), clock_of(words)),
    )  # fmt: skip


async def say_where(ask: Ask) -> Response:
    """What one tap says. What cannot be any more is told above how it stands now."""
    return ask.go(f"{ask.request.url.path}?said={await _said(ask)}")


async def _said(ask: Ask) -> str:
    said = {"token": token_of(ask), "say": ask.form.get("say", ""), "expected_version": ask.form.get("version", "")}
    minutes = {"travel_minutes": ask.form["minutes"]} if ask.form.get("minutes") else {}
    try:
        command = msgspec.convert(said | minutes, SayByLink, strict=False)
    except msgspec.ValidationError:
        return "not_understood"
    try:
        await ask.ctx.queues.say_by_link(ask.ctx.hosting(), command, ask.key)
    except (LinkRefused, UnknownEntry):
        return "gone"
    except tuple(KEYS) as refusal:
        return KEYS[type(refusal)]
    return "left" if command.say == "leave" else "noted"


async def words_for(ask: Ask, patient_id: UUID) -> tuple[str, Mapping[str, str]]:
    """The language in which a patient is written to, and all that a page says in it."""
    language = language_for(await service.language_of(ask.ctx, patient_id))
    return language, languages()[language]


def shown(ask: Ask, template: str, words: Mapping[str, str], language: str, tones: Mapping[str, str], **values: Any) -> Response:
    """A page with a form, for whoever is not signed in. A browser that has no secret of its own gets one, as at the sign-in.

    `tones` are the keys of what the page may say above all, as its address asks for, each with its tone.
    """
    known, said = ask.secret or str(ask.ctx.ids.new()), ask.query("said")
    values |= {"words": words, "language": language, "said": words[said] if said in tones else "", "tone": tones.get(said, "")}
    response = Ask(ask.ctx, ask.request, None, known, ask.form).show(template, **values)
    if not ask.secret:
        ask.cookies.put(response, guard.BROWSER, known, BROWSER_SECONDS)
    return response


def gone(ask: Ask, text: str) -> Response:
    """The same for whatever is wrong with a token, in the language of the browser: whose it was is not known."""
    language = language_for(ask.request.headers.get("accept-language", "").partition(",")[0])
    words = languages()[language]
    return ask.show("answer_gone.html", LinkRefused.status, words=words, language=language, text=words[text])


def token_of(ask: Ask) -> str:
    return str(ask.request.path_params["token"])[:64]
