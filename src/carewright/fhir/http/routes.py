"""Every FHIR address on one page."""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from carewright.contracts import smart
from carewright.contracts.fhir import scheduling
from carewright.contracts.scheduling import Appointment
from carewright.fhir.context import FhirContext
from carewright.fhir.http import exporting
from carewright.fhir.http.bundles import bundled
from carewright.fhir.http.interaction import PREFIX, Answer, Ask, Handle, base_of, interaction
from carewright.fhir.http.publishing import FILES, MANIFEST, published
from carewright.fhir.http.writes import create, delete, patch, patch_matching, update, update_matching
from carewright.fhir.model import authorization, versions
from carewright.fhir.model.bundles import searchset
from carewright.fhir.model.entries import answer, response
from carewright.fhir.model.parameters import Parameters
from carewright.fhir.model.pointing import known_uuid
from carewright.fhir.model.slots import slots_taken
from carewright.fhir.model.versions import read_asked
from carewright.fhir.service import claiming, finding, referrals, searching, served, subscribing
from carewright.fhir.service.capabilities import capability_statement
from carewright.kernel.http.priorities import Declared
from carewright.kernel.priority import Priority

PUBLIC = (f"{PREFIX}/metadata", f"{PREFIX}{authorization.WELL_KNOWN}", MANIFEST, FILES)
"""What everybody may read, scripts of any site's pages too."""

ENCOUNTER_WRITES = (("POST", ""), ("PUT", ""), ("PATCH", ""), ("PUT", "/{id}"), ("PATCH", "/{id}"))
PRIORITIES: Declared = {
    **{f"{method} {PREFIX}/Encounter{rest}": Priority.PRESENCE for method, rest in ENCOUNTER_WRITES},
    f"{PREFIX}/Appointment/$find": Priority.LOOK,
    f"{PREFIX}/{{kind}}/_search": Priority.LOOK,
    f"{PREFIX}/Subscription/{{id}}/$status": Priority.LOOK,
    f"{PREFIX}/Subscription/{{id}}/$events": Priority.LOOK,
    f"GET {PREFIX}/AuditEvent": Priority.REPORT,
    f"POST {PREFIX}/AuditEvent/_search": Priority.REPORT,
    **dict.fromkeys((MANIFEST, f"{FILES}/{{name}}", *exporting.ADDRESSES), Priority.REPORT),
}
"""Who arrives here, as another system says it, is told by its Encounter."""


def pages(ctx: FhirContext) -> Sequence[BaseRoute]:
    """The rim's routes, bound to its context."""
    started_at = ctx.clock.now()

    async def capabilities(ask: Ask) -> Answer:
        return Answer(capability_statement(ask.base, started_at))

    def at(path: str, *, public: bool = False, **by_method: Handle) -> Route:
        answers = {method: interaction(ctx, handle, public=public, letters=LETTERS.get(handle, "")) for method, handle in by_method.items()}

        async def dispatch(request: Request) -> Response:
            return await answers[request.method](request)

        return Route(PREFIX + path, dispatch, methods=list(by_method))

    async def smart_configuration(request: Request) -> Response:
        return Response(msgspec.json.encode(authorization.smart_configuration(base_of(ctx, request))), media_type="application/json")

    single = [
        at("/metadata", public=True, GET=capabilities),
        at("/Appointment/$find", GET=find, POST=find),
        at("/Appointment/$hold", POST=hold),
        at("/Appointment/$book", POST=book),
        at("/Appointment/{id}/$confirm", POST=confirm),
        at("/Appointment/{id}/$reschedule", POST=reschedule),
        at("/Appointment/{id}/$cancel", POST=cancel),
        at("/Subscription/{id}/$status", GET=subscription_status, POST=subscription_status),
        at("/Subscription/{id}/$events", GET=subscription_events, POST=subscription_events),
        at("/Subscription/{id}/$rotate-secret", POST=rotate_secret),
        at("/{kind}", GET=search, POST=create, PUT=update_matching, PATCH=patch_matching),
        at("/{kind}/_search", POST=search),
        at("/{kind}/{id}", GET=read, PUT=update, PATCH=patch, DELETE=delete),
        at("/{kind}/{id}/_history", GET=history),
        at("/{kind}/{id}/_history/{version}", GET=vread),
    ]
    well_known = Route(PREFIX + authorization.WELL_KNOWN, smart_configuration, methods=["GET"])
    return [*published(ctx), at("", POST=bundled(single)), well_known, *exporting.pages(ctx), *single]


async def read(ask: Ask) -> Answer:
    """`_summary` and `_elements` show a part of it."""
    return Answer(searching.part_of(await served.read(ask.ctx, ask.kind, ask.id()), ask.pairs))


async def vread(ask: Ask) -> Answer:
    """The version that is there now, or an earlier one of what is kept."""
    return Answer(await served.read_version(ask.ctx, ask.kind, ask.id(), ask.request.path_params["version"]))


async def history(ask: Ask) -> Answer:
    """What a resource was before, the newest version first."""
    asked = read_asked(ask.pairs)
    return Answer(versions.history(ask.base, f"{ask.kind}/{ask.id()}", ask.pairs, await served.history(ask.ctx, ask.kind, ask.id(), asked)))


async def search(ask: Ask) -> Answer:
    """`Prefer: handling=strict` refuses what is not known, which is otherwise left out with a warning."""
    strict = "handling=strict" in ask.request.headers.get("prefer", "")
    return Answer(await searching.search(ask.ctx, ask.kind, ask.pairs, ask.base, strict=strict))


async def find(ask: Ask) -> Answer:
    given = Parameters.of_query(ask.pairs) if ask.body is None else Parameters.of_resource(ask.sent())
    found = await finding.find_appointments(ask.ctx, given, ask.base)
    return Answer(searchset(ask.base, found.items, found.total, f"{ask.base}/Appointment/$find", found.unheeded))


async def hold(ask: Ask) -> Answer:
    held = await claiming.hold_appointment(ask.ctx, Parameters.of_resource(ask.sent()), ask.base, ask.key)
    return Answer(searchset(ask.base, [scheduling.appointment(held)], 1, f"{ask.base}/Appointment/$hold"))


async def book(ask: Ask) -> Answer:
    booked = await claiming.book_appointment(ask.ctx, Parameters.of_resource(ask.sent()), ask.base, ask.key)
    return Answer(searchset(ask.base, [await referrals.one_shown(ask.ctx, booked)], 1, f"{ask.base}/Appointment/$book"))


async def confirm(ask: Ask) -> Answer:
    return await _with_slots(ask, await claiming.confirm_appointment(ask.ctx, known_uuid(ask.id()), ask.key))


async def reschedule(ask: Ask) -> Answer:
    given = Parameters.of_resource(ask.sent())
    return await _with_slots(ask, await claiming.reschedule_appointment(ask.ctx, known_uuid(ask.id()), given, ask.base, ask.key))


async def _with_slots(ask: Ask, changed: Appointment) -> Answer:
    """The appointment, and the time of each calendar that it takes, as Medplum answers."""
    shown = [await referrals.one_shown(ask.ctx, changed), *slots_taken(changed.participants)]
    return Answer(response("transaction", [answer(ask.base, "200 OK", each) for each in shown]))


async def cancel(ask: Ask) -> Answer:
    cancelled = await claiming.cancel_appointment(ask.ctx, known_uuid(ask.id()), ask.key)
    return Answer(await referrals.one_shown(ask.ctx, cancelled))


async def subscription_status(ask: Ask) -> Answer:
    return Answer(await subscribing.status(ask.ctx, ask.id(), ask.base))


async def subscription_events(ask: Ask) -> Answer:
    given = Parameters.of_query(ask.pairs) if ask.body is None else Parameters.of_resource(ask.sent())
    return Answer(await subscribing.events(ask.ctx, ask.id(), given))


async def rotate_secret(ask: Ask) -> Answer:
    return Answer(await subscribing.rotate(ask.ctx, ask.id(), ask.key))


LETTERS: Mapping[Handle, str] = {
    read: smart.READ,
    vread: smart.READ,
    history: smart.READ,
    search: smart.SEARCH,
    create: smart.CREATE,
    update: smart.UPDATE,
    patch: smart.UPDATE,
    delete: smart.DELETE,
    update_matching: smart.SEARCH + smart.CREATE + smart.UPDATE,
    patch_matching: smart.SEARCH + smart.UPDATE,
    find: smart.SEARCH,
    hold: smart.CREATE,
    book: smart.CREATE + smart.UPDATE,
    confirm: smart.UPDATE,
    reschedule: smart.UPDATE,
    cancel: smart.UPDATE,
}
"""Which of SMART's scopes each of these needs. What is not here is closed to SMART tokens."""
