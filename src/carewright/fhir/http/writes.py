"""Create, update and patch, conditional or not (https://hl7.org/fhir/R4/http.html): one resource is sent, one is answered."""

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import NoClientIds, NotServed, UnknownId
from carewright.fhir.http.interaction import Answer, Ask
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service import changing, served
from carewright.fhir.service.matching import the_one
from carewright.fhir.service.scoping import ensure_seen
from carewright.fhir.service.served import Served
from carewright.fhir.service.validity import ensure_id, ensure_type, ensure_valid
from carewright.kernel.errors import MethodNotAllowed, Refusal
from carewright.kernel.http.endpoint import query_pairs

IF_NONE_EXIST = "if-none-exist"
NOT_FOUND = 404


async def create(ask: Ask) -> Answer:
    """A new one; with `If-None-Exist` only where nothing meets the criteria, else the one that does."""
    kind = _served(ask, "create")
    sent = _sent(ask)
    given = ask.request.headers.get(IF_NONE_EXIST)
    if given is not None:
        known = await the_one(ask.ctx, ask.kind, query_pairs(given.rpartition("?")[2].encode()), ask.base)
        if known:
            return _changed(ask, Written(resource=known))
    return await _created(ask, kind, sent)


async def update(ask: Ask) -> Answer:
    """The id in the body is that of the address."""
    return await _updated(ask, _served(ask, "update"), ask.id(), _sent(ask))


async def update_matching(ask: Ask) -> Answer:
    """The one that meets the criteria is updated; where none does, what was sent is new, unless it comes with an id."""
    kind = _served(ask, "update")
    sent = _sent(ask)
    known = await the_one(ask.ctx, ask.kind, ask.pairs, ask.base)
    if known:
        return await _updated(ask, kind, known["id"], sent, may_lack_id=True)
    if "id" in sent.resource:
        raise NoClientIds
    return await _created(ask, kind, sent)


async def patch(ask: Ask) -> Answer:
    """JSON Patch or FHIRPath Patch of what is stored now; what comes of it is an update, refused if somebody was faster."""
    kind = _served(ask, "patch")
    return await _patched(ask, kind, await kind.read(ask.ctx, ask.id()))


async def patch_matching(ask: Ask) -> Answer:
    """The one that meets the criteria is patched."""
    kind = _served(ask, "patch")
    known = await the_one(ask.ctx, ask.kind, ask.pairs, ask.base)
    if known is None:
        raise UnknownId
    return await _patched(ask, kind, await kind.read(ask.ctx, known["id"]))


async def delete(ask: Ask) -> Answer:
    """What is ended is answered once more, as it was."""
    kind = _served(ask, "delete")
    if kind.delete is None:
        raise MethodNotAllowed
    return Answer(await kind.delete(ask.ctx, ask.id()))


async def _created(ask: Ask, kind: Served, sent: Sent) -> Answer:
    """What is there already is answered to whoever may read it: to create is not to see."""
    if kind.create is None:
        raise MethodNotAllowed
    written = await kind.create(ask.ctx, sent)
    if not written.is_new:
        ensure_seen(ask.ctx, ask.kind, written.resource)
    return _changed(ask, written)


async def _updated(ask: Ask, kind: Served, id_: str, sent: Sent, *, may_lack_id: bool = False) -> Answer:
    ensure_id(ask.kind, sent.resource, [id_, None] if may_lack_id else [id_])
    if kind.update is None:
        raise MethodNotAllowed
    try:
        return _changed(ask, await kind.update(ask.ctx, id_, sent))
    except Refusal as refusal:
        if refusal.status == NOT_FOUND:
            raise NoClientIds from refusal
        raise


async def _patched(ask: Ask, kind: Served, before: Resource) -> Answer:
    if kind.update is None:
        raise MethodNotAllowed
    after = changing.patched(before, ask.body)
    ensure_valid(after)
    ensure_type(ask.kind, after)
    ensure_id(ask.kind, after, [before["id"]])
    seen = before.get("meta", {}).get("versionId")
    version = ask.version or (int(seen) if seen else None)
    return _changed(ask, await kind.update(ask.ctx, before["id"], Sent(resource=after, base=ask.base, version=version, key=ask.key)))


def _changed(ask: Ask, written: Written) -> Answer:
    """The version as ETag, and where it is if it is new or was there already."""
    one = written.resource
    headers = {}
    if ask.request.method == "POST" or written.is_new:
        headers["Location"] = f"{ask.base}/{one['resourceType']}/{one['id']}/_history/{one['meta']['versionId']}"
    return Answer(one, 201 if written.is_new else 200, headers, left_out=written.left_out)


def _served(ask: Ask, code: str) -> Served:
    """Raises `NotServed` for a type that is not, and `MethodNotAllowed` for one that is not written like this."""
    kind = served.SERVED.get(ask.kind)
    if kind is None:
        raise NotServed
    if code not in kind.interactions:
        raise MethodNotAllowed
    return kind


def _sent(ask: Ask) -> Sent:
    resource = ask.sent()
    ensure_type(ask.kind, resource)
    return Sent(resource=resource, base=ask.base, version=ask.version, key=ask.key)
