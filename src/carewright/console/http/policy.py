"""A queue's policy on a page: how it orders, what it keeps free, what it tells, and what another would make of who waits now."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import msgspec
from starlette.responses import Response

from carewright.console.http import bed_words as words
from carewright.console.http import queues, relief, scales
from carewright.console.http.page import DIGITS_MAX, Ask, number
from carewright.contracts.queue import PolicyPreview, PreviewPolicy, PutQueue, Queue, QueuePolicy
from carewright.contracts.relief import ReliefKind
from carewright.contracts.rooms import CountPlaces
from carewright.kernel.errors import PreconditionFailed

POLICY = f"{queues.QUEUE}/policy"
LEVELS = range(2, 6)
FASTER = "Somebody else changed this queue a moment ago. This is how it stands now; your changes are not saved."
ENDS = "When too many wait: a step says when it begins, and ends no later than it begins."
CHOOSE = "Choose one of what is offered."
TICKS = ("shows_wait", "at_kiosks")
ROOMS = "flow.place.read"
ROOM_AT: Mapping[str, str] = {
    "": "Nobody: a room is named when somebody is called, or none is", "check-in": "By itself, when somebody checks in",
    "call": "By itself, when somebody is called",
}  # fmt: skip
"""Who chooses the room."""
PLACE_MAX = 100
"""Letters of where those who wait sit."""


HEAD_START, RATE = "Head start of level {}", "What a minute counts at level {}"


class Number(NamedTuple):
    """A field that takes a whole number: its name in the policy, its label, what it means, and its bounds; empty is `nothing`."""

    name: str
    label: str
    hint: str
    least: int
    most: int
    nothing: str = ""


NUMBERS: Sequence[Number] = (
    Number(
        "booked_head_start_minutes",
        "Head start of who is booked and on time, in minutes",
        "They count as having come so much before their appointment.",
        0,
        1440,
    ),
    Number("grace_minutes", "Minutes until who is booked is late", "Who comes later than that waits as everybody does.", 0, 1440),
    Number(
        "no_show",
        "Percent of those who are booked and do not come",
        "For the waits that are told. 23 on the average of 105 studies.",
        0,
        100,
    ),
    Number(
        "booked_may_wait_minutes",
        "Minutes that a walk-in may make a booked patient wait",
        "A practitioner calls no walk-in who would take longer.",
        0,
        1440,
        "The order alone decides.",
    ),
    Number(
        "walk_in_may_wait_minutes",
        "Minutes after which a walk-in is called all the same",
        "Nobody waits behind appointments for ever.",
        0,
        1440,
    ),
    Number("staff", "How many of you serve", "For the waits that are told, and for who is kept for emergencies.", 1, 500, "Not said."),
    Number("kept_for_emergencies", "How many of them are kept for emergencies", "They call nobody of a level above 1.", 0, 100),
    Number(
        "soon_ahead", "“Your turn is soon”, when at most so many are before them", "Told once, by message too.", 0, 50, "Not told by that."
    ),
    Number(
        "soon_minutes",
        "“Your turn is soon”, when half of those like them are called within so many minutes",
        "Told once, whichever is first.",
        1,
        240,
        "Not told by that.",
    ),
)
LIMITS: Mapping[str, str] = {
    "from_waiting": "Begins when so many wait", "from_minutes": "Begins at a wait of minutes", "below_waiting": "Ends when fewer wait",
    "below_minutes": "Ends at a wait under minutes",
}  # fmt: skip


class Bounds(NamedTuple):
    """From where to where a number goes; whole where these are."""

    least: float
    most: float
    unit: str = ""


MINUTES, RATES, WAITING, A_DAY = Bounds(0, 1440, " minutes"), Bounds(0.001, 1000.0), Bounds(1, 10_000), Bounds(1, 1440, " minutes")


class Wrong(Exception):
    """Something in the form is out of its bounds. `text` says what, and which they are."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


async def show_policy(ask: Ask) -> Response:
    """The policy as it is."""
    return await _shown(ask, await queue_of(ask))


async def preview(ask: Ask) -> Response:
    """What the form would change, without changing it."""
    queue = await queue_of(ask)
    try:
        wanted = _policy(ask, queue.policy)
    except Wrong as wrong:
        return await _shown(ask, queue, 422, wrong.text)
    found = await ask.ctx.queues.preview_policy(ask.ctx.actor, PreviewPolicy(queue_id=ask.id, policy=wanted))
    return await _shown(ask, queue, preview=found)


async def save(ask: Ask) -> Response:
    """The policy as the form has it, unless somebody changed it since the form was shown."""
    queue = await queue_of(ask)
    try:
        wanted = _policy(ask, queue.policy)
    except Wrong as wrong:
        return await _shown(ask, queue, 422, wrong.text)
    command = PutQueue(
        site_id=queue.site_id, service_id=queue.service_id, name=queue.name, letter=queue.letter, policy=wanted,
        expected_version=number(ask.form.get("version", "")) or 1,
    )  # fmt: skip
    try:
        await ask.ctx.queues.put_queue(ask.ctx.actor, command, ask.key)
    except PreconditionFailed:
        return await _shown(ask, await queue_of(ask), 409, FASTER, is_typed=False)
    return ask.go(f"{queues.QUEUES}/{ask.id}/policy?saved=yes")


async def queue_of(ask: Ask) -> Queue:
    """Raises `UnknownQueue`, and `Forbidden` for who may not change queues."""
    ask.ctx.actor.require(queues.CHANGE)
    return (await queues.summary_of(ask)).queue


async def _shown(
    ask: Ask, queue: Queue, status: int = 200, error: str = "", *, preview: PolicyPreview | None = None, is_typed: bool = True
) -> Response:  # fmt: skip
    typed = dict(ask.form) if is_typed else {}
    kept = typed if "order" in typed else _values(queue.policy)
    places = (await ask.ctx.rooms.count_places(ask.ctx.actor, CountPlaces(site_id=queue.site_id))).items if ask.ctx.actor.may(ROOMS) else ()
    types = {each.room_type for each in places if each.kind == "room"} | {kept.get("room_type")}
    return ask.show(
        "policy.html", status, error=error, queue=queue, values=kept, numbers=NUMBERS, levels=scales.LEVELS[queue.policy.scale],
        scales=scales.NAMES, kinds=[(kind, relief.NAMES[kind]) for kind in get_args(ReliefKind)], limits=LIMITS, preview=preview,
        room_at=ROOM_AT, room_types=sorted((words.word_of(each), each) for each in types if each),
        is_saved=ask.request.query_params.get("saved") == "yes" and not error, version=typed.get("version") or queue.version,
    )  # fmt: skip


def _values(policy: QueuePolicy) -> dict[str, str]:
    """What stands in the fields."""
    said = msgspec.to_builtins(policy)
    values = {each.name: "" if said.get(each.name) is None else str(said[each.name]) for each in NUMBERS}
    values |= {"order": policy.order, "scale": policy.scale, "no_show": f"{100 * policy.no_show_share:.0f}"}
    values |= {f"start-{level}": str(policy.head_start_minutes[level - 2]) for level in LEVELS}
    values |= {f"rate-{level}": f"{policy.rates[level - 2]:g}" for level in LEVELS}
    values |= {name: "yes" for name in TICKS if said[name]} | {"waits_at": policy.waits_at}
    values |= {"room_at": policy.room.at, "room_type": policy.room.room_type or ""} if policy.room else {}
    for rule in said["relief"]:
        values |= {f"{rule['what']}-{limit}": str(rule[limit]) for limit in LIMITS if rule[limit] is not None}
    return values


def _policy(ask: Ask, today: QueuePolicy) -> QueuePolicy:
    """The policy that the form is; what it does not show stays as it is today. Raises `Wrong`."""
    form = ask.form
    said: dict[str, Any] = {each.name: _whole(form, each) for each in NUMBERS}
    said |= {"no_show_share": said.pop("no_show") / 100, "order": form.get("order", ""), "scale": form.get("scale", "")}
    said |= {
        "head_start_minutes": [int(_typed(form, f"start-{level}", HEAD_START.format(level), MINUTES)) for level in LEVELS],
        "rates": [_typed(form, f"rate-{level}", RATE.format(level), RATES) for level in LEVELS],
        "waits_at": form.get("waits_at", "")[:PLACE_MAX], "relief": _relief(form, today),
        "room": _room(form, today),
    }  # fmt: skip
    said |= {name: form.get(name) == "yes" for name in TICKS}
    try:
        return msgspec.convert(msgspec.to_builtins(today) | said, QueuePolicy)
    except msgspec.ValidationError as fault:
        raise Wrong(ENDS if "$.relief" in str(fault) else CHOOSE) from fault


def _whole(form: Mapping[str, str], field: Number) -> int | None:
    if field.nothing and not form.get(field.name, "").strip():
        return None
    return int(_typed(form, field.name, field.label, Bounds(field.least, field.most)))


def _typed(form: Mapping[str, str], name: str, label: str, bounds: Bounds) -> float:
    """The number in a field. Raises `Wrong` for none, or one out of its bounds."""
    text = form.get(name, "").strip()
    try:
        found = (int if isinstance(bounds.least, int) else float)(text[:DIGITS_MAX])
    except ValueError:
        found = bounds.most + 1
    if not bounds.least <= found <= bounds.most:
        raise Wrong(f"{label}: {bounds.least:g} to {bounds.most:g}{bounds.unit}.")
    return found


def _room(form: Mapping[str, str], today: QueuePolicy) -> dict[str, Any] | None:
    """Who chooses rooms, and of which type; what else is known of them stays."""
    if not form.get("room_at"):
        return None
    known = msgspec.to_builtins(today.room) if today.room else {}
    return known | {"at": form["room_at"], "room_type": form.get("room_type") or None}


def _relief(form: Mapping[str, str], today: QueuePolicy) -> list[dict[str, Any]]:
    """The steps of which any limit is said, beside whatever else is known of them."""
    known = {rule.what: msgspec.to_builtins(rule) for rule in today.relief}
    rules = []
    for kind in get_args(ReliefKind):
        said = {limit: _limit(form, kind, limit) for limit in LIMITS}
        if any(said.values()):
            rules.append(known.get(kind, {}) | {"what": kind} | said)
    return rules


def _limit(form: Mapping[str, str], kind: ReliefKind, limit: str) -> float | None:
    name = f"{kind}-{limit}"
    if not form.get(name, "").strip():
        return None
    return _typed(form, name, f"{relief.NAMES[kind]}, {LIMITS[limit].lower()}", WAITING if limit.endswith("waiting") else A_DAY)
