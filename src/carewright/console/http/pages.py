"""Every address of the staff's pages, from signing in to payers and other systems: one list."""

import contextlib
from collections.abc import Sequence

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.console.http import (
    apps,
    bed_moves,
    bed_waiting,
    beds,
    board,
    booking,
    coverage,
    disruptions,
    ehr,
    find,
    incident,
    live,
    messages,
    offering,
    outage,
    overview,
    patients,
    plan,
    plans,
    policy,
    queues,
    registering,
    stations,
    today,
    tuning,
    visit,
    what_if,
)
from carewright.console.http.page import CALLER, HOME, OPENED, SESSION, SESSION_SECONDS, SIGN_IN, Ask, Handle, page
from carewright.console.http.privacy import PRIVACY, close_review, close_unusual, download_proof, download_record, show_privacy
from carewright.console.service import ConsoleContext
from carewright.contracts.access import CompleteSignIn, SignInFailed, StartSignIn, UnknownSession
from carewright.contracts.break_glass import StartBreakGlass
from carewright.kernel.http import guard
from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority

PRIORITIES: Declared = {
    SIGN_IN: Priority.PRESENCE, "/staff/callback": Priority.PRESENCE,
    "/staff/break-glass": Priority.EMERGENCY, "/staff/break-glass/start": Priority.EMERGENCY, "/staff/break-glass/end": Priority.EMERGENCY,
    incident.INCIDENT: Priority.EMERGENCY, f"{incident.INCIDENT}/respond": Priority.EMERGENCY,
    f"{incident.INCIDENT}/release": Priority.EMERGENCY, f"{incident.INCIDENT}/close": Priority.EMERGENCY,
    queues.QUEUES: Priority.PRESENCE, queues.QUEUE: Priority.PRESENCE, f"{queues.QUEUE}/call": Priority.PRESENCE,
    f"{queues.QUEUE}/step": Priority.PRESENCE, f"{queues.QUEUE}/triage": Priority.PRESENCE, f"{queues.QUEUE}/find": Priority.PRESENCE,
    f"{queues.QUEUE}/elsewhere": Priority.PRESENCE,
    f"{queues.QUEUE}/arrive": Priority.PRESENCE, f"{queues.QUEUE}/emergency": Priority.EMERGENCY,
    f"{queues.QUEUE}/turns": Priority.PRESENCE, f"{queues.QUEUE}/gap": Priority.PRESENCE,
    f"{queues.QUEUE}/relief": Priority.PRESENCE, f"{queues.QUEUE}/walk-in": Priority.PRESENCE, f"{queues.QUEUE}/help": Priority.EMERGENCY,
    f"{queues.QUEUE}/caller": Priority.PRESENCE,
    policy.POLICY: Priority.LOOK, f"{policy.POLICY}/preview": Priority.LOOK,
    tuning.TUNING: Priority.REPORT, f"{tuning.TUNING}/start": Priority.REPORT,
    disruptions.DISRUPTIONS: Priority.PRESENCE, disruptions.DELAY: Priority.PRESENCE,
    overview.OVERVIEW: Priority.LOOK,
    plans.PLANS: Priority.PRESENCE, f"{plans.PLANS}/start": Priority.REPORT, plan.PLAN: Priority.PRESENCE,
    what_if.WHAT_IF: Priority.REPORT, f"{plan.PLAN}/give-up": Priority.PRESENCE, f"{plan.PLAN}/accept": Priority.PRESENCE,
    outage.OUT: Priority.PRESENCE, outage.BACK: Priority.PRESENCE, outage.MOVE: Priority.PRESENCE,
    offering.ASK: Priority.PRESENCE, offering.ASK_ALL: Priority.PRESENCE, offering.WITHDRAW: Priority.PRESENCE,
    offering.ACCEPT: Priority.PRESENCE,
    beds.BEDS: Priority.PRESENCE, f"{beds.BEDS}/tiles": Priority.PRESENCE, beds.BED: Priority.PRESENCE,
    f"{beds.BED}/step": Priority.PRESENCE, f"{beds.BED}/precautions": Priority.PRESENCE, bed_moves.ADMIT: Priority.PRESENCE,
    f"{bed_moves.ADMIT}/find": Priority.PRESENCE, f"{bed_moves.ADMIT}/begin": Priority.PRESENCE, bed_moves.VISIT: Priority.PRESENCE,
    f"{bed_moves.VISIT}/look": Priority.PRESENCE, f"{bed_moves.VISIT}/put": Priority.PRESENCE,
    f"{bed_moves.VISIT}/keep": Priority.PRESENCE, f"{bed_moves.VISIT}/ask": Priority.PRESENCE,
    f"{bed_waiting.REQUEST}/cancel": Priority.PRESENCE,
    board.BOARD: Priority.PRESENCE, visit.VISIT: Priority.PRESENCE, f"{visit.VISIT}/step": Priority.PRESENCE,
    f"{visit.VISIT}/preview": Priority.PRESENCE, today.TODAY: Priority.PRESENCE, live.LIVE: Priority.PRESENCE,
    registering.NEW: Priority.PRESENCE, f"{registering.NEW}/begin": Priority.PRESENCE,
    f"{registering.NEW}/register": Priority.PRESENCE, patients.PATIENT: Priority.PRESENCE,
    booking.TIMES: Priority.LOOK, find.FIND: Priority.LOOK, f"{apps.APPS}/find": Priority.LOOK, f"{coverage.COVERAGE}/find": Priority.LOOK,
    "/staff/privacy/proofs/{id}": Priority.REPORT, "/staff/privacy/records/{id}/{reason}": Priority.REPORT,
}  # fmt: skip


def pages(ctx: ConsoleContext) -> Sequence[BaseRoute]:
    """The console's routes, bound to its context."""

    def get(path: str, handle: Handle, *, signed_in: bool = True) -> Route:
        return Route(path, page(ctx, handle, signed_in=signed_in), methods=["GET"])

    def post(path: str, handle: Handle, *, signed_in: bool = True) -> Route:
        return Route(path, page(ctx, handle, signed_in=signed_in), methods=["POST"])

    return [
        get(HOME, show_me),
        get(SIGN_IN, show_sign_in, signed_in=False),
        post(SIGN_IN, start_sign_in, signed_in=False),
        get("/staff/callback", complete_sign_in, signed_in=False),
        post("/staff/sign-out", sign_out),
        post("/staff/sessions/{id}/end", end_session),
        get(apps.APPS, apps.show_apps),
        post(f"{apps.APPS}/find", apps.find_patient),
        get(apps.AUTHORIZE, apps.authorize),
        post(f"{apps.APPS}/{{id}}/end", apps.end),
        get(apps.OF_PATIENT, apps.show_patient),
        post(f"{apps.OF_PATIENT}/start", apps.start),
        get("/staff/break-glass", show_break_glass),
        post("/staff/break-glass/start", start_break_glass),
        post("/staff/break-glass/end", end_break_glass),
        get(PRIVACY, show_privacy),
        post("/staff/privacy/close", close_review),
        post("/staff/privacy/unusual/close", close_unusual),
        get("/staff/privacy/proofs/{id}", download_proof),
        get("/staff/privacy/records/{id}/{reason}", download_record),
        get(incident.INCIDENT, incident.show_incident),
        post(f"{incident.INCIDENT}/respond", incident.respond),
        post(f"{incident.INCIDENT}/release", incident.release),
        post(f"{incident.INCIDENT}/close", incident.close_incident),
        get(queues.QUEUES, queues.show_queues),
        get(queues.QUEUE, queues.show_queue),
        post(f"{queues.QUEUE}/call", queues.call_next),
        post(f"{queues.QUEUE}/caller", queues.choose_caller),
        post(f"{queues.QUEUE}/gap", queues.call_into_gap),
        post(f"{queues.QUEUE}/step", queues.step),
        post(f"{queues.QUEUE}/triage", queues.triage),
        post(f"{queues.QUEUE}/elsewhere", queues.wait_elsewhere),
        post(f"{queues.QUEUE}/find", queues.find_patient),
        post(f"{queues.QUEUE}/arrive", queues.arrive),
        post(f"{queues.QUEUE}/emergency", queues.arrive_in_emergency),
        post(f"{queues.QUEUE}/turns", queues.show_turns),
        post(f"{queues.QUEUE}/relief", queues.set_relief),
        post(f"{queues.QUEUE}/walk-in", queues.see_to_walk_in),
        post(f"{queues.QUEUE}/help", queues.answer_help),
        get(policy.POLICY, policy.show_policy),
        post(policy.POLICY, policy.save),
        post(f"{policy.POLICY}/preview", policy.preview),
        get(tuning.TUNING, tuning.show_tuning),
        post(f"{tuning.TUNING}/start", tuning.start),
        post(f"{tuning.TUNING}/step", tuning.step),
        get(disruptions.DISRUPTIONS, disruptions.show_disruptions),
        post(disruptions.TELLING, disruptions.set_telling),
        post(disruptions.DELAY, disruptions.set_delay),
        get(outage.OUT, outage.show_out),
        post(outage.OUT, outage.take_out),
        post(outage.BACK, outage.bring_back),
        post(outage.MOVE, outage.move),
        post(offering.ASK, offering.ask_one),
        post(offering.ASK_ALL, offering.ask_all),
        post(offering.WITHDRAW, offering.withdraw),
        post(offering.ACCEPT, offering.accept),
        get(today.TODAY, today.show_today),
        get(find.FIND, find.show_find),
        post(find.FIND, find.find),
        post(f"{find.FIND}/keys", find.turn_slash),
        get(registering.NEW, registering.show_new),
        post(f"{registering.NEW}/begin", registering.begin),
        post(f"{registering.NEW}/register", registering.register),
        get(patients.PATIENT, patients.show_patient),
        get(booking.TIMES, booking.show_times),
        post(f"{booking.TIMES}/book", booking.book),
        get(overview.OVERVIEW, overview.show_overview),
        post(overview.LIMITS, overview.set_limits),
        post(overview.PLANNING, overview.set_planning),
        get(plans.PLANS, plans.show_plans),
        post(f"{plans.PLANS}/start", plans.start),
        get(what_if.WHAT_IF, what_if.show_what_if),
        post(what_if.WHAT_IF, what_if.start),
        get(plan.PLAN, plan.show_plan),
        post(f"{plan.PLAN}/give-up", plan.give_up),
        post(f"{plan.PLAN}/accept", plan.accept),
        get(beds.BEDS, beds.show_beds),
        post(f"{beds.BEDS}/tiles", beds.show_tiles),
        get(bed_moves.ADMIT, bed_moves.show_admit),
        post(f"{bed_moves.ADMIT}/find", bed_moves.find_patient),
        post(f"{bed_moves.ADMIT}/begin", bed_moves.begin),
        get(bed_moves.VISIT, bed_moves.show_visit),
        post(f"{bed_moves.VISIT}/look", bed_moves.look),
        post(f"{bed_moves.VISIT}/put", bed_moves.put),
        post(f"{bed_moves.VISIT}/keep", bed_moves.keep),
        post(f"{bed_moves.VISIT}/ask", bed_waiting.ask_for_bed),
        post(f"{bed_waiting.REQUEST}/cancel", bed_waiting.cancel),
        get(beds.BED, beds.show_bed),
        post(f"{beds.BED}/step", beds.step),
        post(f"{beds.BED}/precautions", beds.set_precautions),
        get(board.BOARD, board.show_board),
        get(visit.VISIT, visit.show_visit),
        post(f"{visit.VISIT}/step", visit.step),
        post(f"{visit.VISIT}/preview", visit.preview),
        post(f"{visit.VISIT}/move", visit.move),
        get(stations.STATIONS, stations.show_stations),
        post(f"{stations.STATIONS}/enrol", stations.enrol),
        post(f"{stations.STATION}/code", stations.renew_code),
        post(f"{stations.STATION}/retire", stations.retire),
        Route(live.LIVE, live.stream(ctx), methods=["GET"]),
        get(messages.MESSAGES, messages.show_messages),
        get(messages.MESSAGE, messages.show_message),
        get(f"{messages.MESSAGE}/content", messages.show_content),
        post(f"{messages.MESSAGE}/map", messages.map_code),
        post(f"{messages.MESSAGE}/replay", messages.replay),
        post(f"{messages.MESSAGE}/settle", messages.settle),
        get(f"{messages.MESSAGE}/unsent", messages.show_unsent),
        post(f"{messages.MESSAGE}/resend", messages.resend),
        post(f"{messages.MESSAGE}/drop", messages.drop),
        get(ehr.CONNECTIONS, ehr.show_connections),
        get(ehr.CONNECTION, ehr.show_connection),
        post(f"{ehr.CONNECTION}/retry", ehr.retry),
        get(coverage.COVERAGE, coverage.show_day),
        post(f"{coverage.COVERAGE}/find", coverage.find_patient),
        get(coverage.VISIT, coverage.show_visit),
        post(f"{coverage.VISIT}/check", coverage.check_visit),
        post(f"{coverage.VISIT}/authorisation", coverage.record_authorisation),
        get(coverage.OF_PATIENT, coverage.show_patient),
        get(f"{coverage.OF_PATIENT}/new", coverage.show_new),
        post(f"{coverage.OF_PATIENT}/new", coverage.record),
        get(coverage.ONE, coverage.show_coverage),
        post(f"{coverage.ONE}/change", coverage.change),
        post(f"{coverage.ONE}/check", coverage.check_coverage),
    ]


async def show_me(ask: Ask) -> Response:
    return ask.show("me.html", sessions=await ask.ctx.access.my_sessions(ask.ctx.actor))


async def show_sign_in(ask: Ask) -> Response:
    """The way in. With `again` the person is signed in already, and asked to prove it for something sensitive."""
    query = ask.request.query_params
    return ask.show("sign_in.html", next=guard.local_path(query.get("next", ""), HOME), again=query.get("again") == "yes")


async def start_sign_in(ask: Ask) -> Response:
    """On to the identity provider, by a page that leads there: a form's redirect may not leave our site (CSP `form-action`)."""
    place, again = guard.local_path(ask.form.get("next", ""), HOME), ask.form.get("again") == "yes"
    started = await ask.ctx.access.start_sign_in(ask.ctx.actor, StartSignIn(binding=ask.secret, next=place, again=again))
    return ask.show("go_on.html", where="your hospital's sign-in", address=started.address)


async def complete_sign_in(ask: Ask) -> Response:
    """Back from the identity provider: a session, and on to where the person wanted to go."""
    query = ask.request.query_params
    given = {name: query[name] for name in ("state", "code", "iss") if name in query}
    earlier = ask.cookies.get(SESSION) or None
    async with guard.noted(ask.ctx, OPENED):
        command = _valid({**given, "binding": ask.secret, "earlier": earlier})
    signed_in = await ask.ctx.access.complete_sign_in(ask.ctx.actor, command)
    response = ask.go(guard.local_path(signed_in.next, HOME))
    ask.cookies.put(response, SESSION, signed_in.token, SESSION_SECONDS)
    return response


async def sign_out(ask: Ask) -> Response:
    """End this session, here and everywhere."""
    if ask.ctx.actor.session_id is not None:
        await ask.ctx.access.end_session(ask.ctx.actor, ask.ctx.actor.session_id)
    response = ask.go(SIGN_IN)
    ask.cookies.sign_out(response, SESSION, CALLER)
    return response


async def end_session(ask: Ask) -> Response:
    session_id = ask.id
    with contextlib.suppress(UnknownSession):  # it ended by itself meanwhile, which is what was wanted
        await ask.ctx.access.end_session(ask.ctx.actor, session_id)
    return ask.go(HOME)


async def show_break_glass(ask: Ask) -> Response:
    return ask.show("break_glass.html", error="")


async def start_break_glass(ask: Ask) -> Response:
    """Break the glass; what the form lacks is asked for beside it."""
    given = {"purpose": ask.form.get("purpose", ""), "reason": ask.form.get("reason", "")}
    try:
        command = msgspec.convert(given, StartBreakGlass)
    except msgspec.ValidationError:
        return ask.show("break_glass.html", 422, error="Choose a purpose, and give a reason of 3 to 500 letters.")
    await ask.ctx.access.start_break_glass(ask.ctx.actor, command, ask.key)
    return ask.go(HOME)


async def end_break_glass(ask: Ask) -> Response:
    await ask.ctx.access.end_break_glass(ask.ctx.actor)
    return ask.go(HOME)


def _valid(given: dict[str, str | None]) -> CompleteSignIn:
    try:
        return msgspec.convert(given, CompleteSignIn)
    except msgspec.ValidationError as fault:
        raise SignInFailed from fault
