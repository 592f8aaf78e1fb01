"""A search from the question to the Bundle (http://hl7.org/fhir/R4/search.html)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC

from carewright.contracts.fhir.basics import Resource, said
from carewright.contracts.fhir.refusals import NotServed
from carewright.contracts.smart import READ, SEARCH, may, scopes_for
from carewright.fhir.context import FhirContext
from carewright.fhir.model.bundles import address, warnings
from carewright.fhir.model.searching import paging
from carewright.fhir.model.searching.chaining import chains, resolved
from carewright.fhir.model.searching.deciding import matches
from carewright.fhir.model.searching.elements import identity
from carewright.fhir.model.searching.including import references_of, referring
from carewright.fhir.model.searching.narrowing import Narrowing, narrowing
from carewright.fhir.model.searching.parsing import parse
from carewright.fhir.model.searching.refusals import BadCursor
from carewright.fhir.model.searching.results import CURSOR
from carewright.fhir.model.searching.search import INCLUDE_ROUNDS_MAX, Search, Server
from carewright.fhir.model.summarizing import elements_of, summary_of
from carewright.fhir.service.candidates import CANDIDATES
from carewright.fhir.service.scoping import shown
from carewright.fhir.service.walking import Walked, in_order, walked
from carewright.fhir.store import r4_definitions, search_definitions
from carewright.kernel.values import EARLIEST

PURPOSE = "carewright.fhir.page"
INCLUDED_MAX = 1_000


async def search(ctx: FhirContext, kind: str, pairs: Iterable[tuple[str, str]], base: str, *, strict: bool = False) -> Resource:
    """A searchset Bundle. Raises `NotServed`, `SearchRefused`, `SearchTooWide`, `ScopeMissing`, and what the modules refuse."""
    if kind not in CANDIDATES:
        raise NotServed
    asked = in_order(parse(search_definitions(), kind, pairs, Server(base, UTC, ctx.clock.now()), strict=strict))
    cursor = _cursor(ctx, asked)
    shows_all = may(ctx.actor, kind, SEARCH, whole=True)
    page, total = (await walked(ctx, asked, cursor) if shows_all else None) or await _decided(ctx, asked, cursor)
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": None if asked.total == "none" and not asked.is_count_only else total,
        "link": _links(ctx, asked, page),
    }
    if asked.is_count_only:
        return said(bundle)
    included = await _included(ctx, asked, page.resources)
    return said(bundle | {
        "entry": [
            *(_entry(base, _part(asked, one), "match") for one in page.resources),
            *(_entry(base, one, "include") for one in included),
            *warnings(f"{each.parameter}: {each.says}" for each in asked.warnings),
        ],
    })  # fmt: skip


async def _decided(ctx: FhirContext, asked: Search, cursor: paging.Cursor | None) -> Walked:
    """The page among all the matches, each of which was looked at."""
    found = await _found(ctx, asked)
    return Walked(paging.NOTHING if asked.is_count_only else paging.page(asked, found, cursor), len(found))


async def _found(ctx: FhirContext, asked: Search) -> list[Resource]:
    """Everything that matches, in no order. Chains are answered from the inside out."""
    if asked.type not in CANDIDATES:
        return []
    scopes_for(ctx.actor, asked.type, SEARCH)
    if steps := chains(asked):
        asked = resolved(asked, [await _found(ctx, step.inner) for step in steps])
    found = [one for one in await CANDIDATES[asked.type](ctx, asked, narrowing(asked)) if matches(asked, one)]
    return shown(ctx, asked.type, found)


async def _included(ctx: FhirContext, asked: Search, shown: tuple[Resource, ...]) -> list[Resource]:
    """What `_include` and `_revinclude` want, each once and none that is a match."""
    known = {identity(one) for one in shown}
    included: list[Resource] = []
    source: list[Resource] = list(shown)
    for number in range(INCLUDE_ROUNDS_MAX):
        iterated = number > 0
        fetched = await _fetched(ctx, asked, references_of(asked, source, is_iterated=iterated) - known)
        for inner in referring(asked, source, is_iterated=iterated):
            fetched += await _found(ctx, inner) if may(ctx.actor, inner.type, SEARCH) else []
        source = [one for one in {identity(each): each for each in fetched}.values() if identity(one) not in known]
        known |= {identity(one) for one in source}
        included += source
        if not source or len(included) >= INCLUDED_MAX:
            break
    return included[:INCLUDED_MAX]


async def _fetched(ctx: FhirContext, asked: Search, places: Iterable[str]) -> list[Resource]:
    """The resources behind references, as far as they are served and may be read: what scopes do not show is left out."""
    ids = defaultdict(set)
    for place in places:
        kind, _, id_ = place.partition("/")
        ids[kind].add(id_)
    return [
        one
        for kind, wanted in ids.items()
        if kind in CANDIDATES and may(ctx.actor, kind, READ)
        for one in shown(
            ctx, kind, await CANDIDATES[kind](ctx, Search(type=kind, server=asked.server), Narrowing(ids=frozenset(wanted))), READ
        )
        if one["id"] in wanted
    ]


def part_of(one: Resource, pairs: Iterable[tuple[str, str]]) -> Resource:
    """What `_summary` and `_elements` ask for of a resource that is read. Raises `SearchRefused`."""
    shaping = [pair for pair in pairs if pair[0] in ("_summary", "_elements")]
    return _part(parse(search_definitions(), one["resourceType"], shaping, Server("", UTC, EARLIEST)), one) if shaping else one


def _part(asked: Search, one: Resource) -> Resource:
    if asked.elements:
        return elements_of(r4_definitions(), one, frozenset(asked.elements))
    return summary_of(r4_definitions(), one, asked.summary)


def _entry(base: str, one: Resource, mode: str) -> Resource:
    return {"fullUrl": address(base, one), "resource": one, "search": {"mode": mode}}


def _cursor(ctx: FhirContext, asked: Search) -> paging.Cursor | None:
    if asked.cursor is None:
        return None
    opened = ctx.sealer.open(PURPOSE, asked.cursor)
    if opened is None:
        raise BadCursor.of(CURSOR)
    return paging.decoded(asked, opened)


def _links(ctx: FhirContext, asked: Search, page: paging.Page) -> list[Resource]:
    made = paging.links(asked, page, lambda plain: ctx.sealer.seal(PURPOSE, plain))
    return [{"relation": relation, "url": url} for relation, url in made.items()]
