"""The entries of a Bundle that is posted to the base: requests, their order, their answers.

Source: https://hl7.org/fhir/R4/http.html#transaction.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from carewright.contracts.fhir.basics import Resource, said
from carewright.contracts.fhir.refusals import InvalidElement, TooManyEntries
from carewright.fhir.model.bundles import address
from carewright.kernel.errors import Refusal

ENTRIES_MAX = 100
KINDS = ("batch", "transaction")
URL_LENGTH_MAX = 4096
ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")
"""R4, transaction: the order in which entries are done, whatever theirs is."""
CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,63})\?(?P<criteria>.{1,4000})")
READS = frozenset({"GET", "HEAD"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `path` is below the base, without a slash before it; both it and `query` are as they were sent."""

    number: int
    method: str
    path: str
    query: str = ""
    full_url: str = ""
    if_match: str = ""
    if_none_exist: str = ""
    resource: Resource | None = None

    @property
    def is_read(self) -> bool:
        return self.method in READS

    @property
    def expression(self) -> str:
        return f"Bundle.entry[{self.number}]"


def without_resources(bundle: Any) -> Any:
    """The Bundle by itself: what its entries carry is held against its form by whoever takes the entry."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    if not isinstance(entries, list):
        return bundle
    bare = [{name: value for name, value in each.items() if name != "resource"} if isinstance(each, dict) else each for each in entries]
    return bundle | {"entry": bare}


def read_entries(bundle: Resource, base: str) -> tuple[Entry, ...]:
    """The requests of a Bundle that has R4's form. Raises `InvalidElement`, `TooManyEntries`."""
    if bundle["type"] not in KINDS:
        raise InvalidElement(f"A Bundle of the type {' or '.join(KINDS)} belongs here.", expression="Bundle.type")
    entries = bundle.get("entry", [])
    if len(entries) > ENTRIES_MAX:
        raise TooManyEntries(limit=ENTRIES_MAX, count=len(entries))
    return tuple(_entry(number, each, base) for number, each in enumerate(entries))


def _entry(number: int, entry: Resource, base: str) -> Entry:
    request = entry["request"]
    path, _, query = _below(request["url"], base, f"Bundle.entry[{number}].request.url").partition("?")
    return Entry(
        number=number, method=request["method"], path=path, query=query, full_url=entry.get("fullUrl", ""),
        if_match=request.get("ifMatch", ""), if_none_exist=request.get("ifNoneExist", ""), resource=entry.get("resource"),
    )  # fmt: skip


def _below(url: str, base: str, expression: str) -> str:
    below = url.removeprefix(base).removeprefix("/")
    if "://" in below.partition("?")[0] or len(url) > URL_LENGTH_MAX:
        raise InvalidElement("Addresses are relative, as in Patient/123, or begin with this server's address.", expression=expression)
    return below


def in_order(entries: Iterable[Entry], known: Collection[str] = ()) -> list[Entry]:
    """The entries of a transaction as R4 has them done; what an entry refers to by its fullUrl comes before it all the same.

    In a circle only what has no id yet must come before: those whose fullUrls are `known` have. Raises `InvalidElement` for entries that
    refer to each other in a circle even so: ids are given here, one after the other.
    """
    ordered = sorted(entries, key=lambda each: ORDER.index(each.method))
    by_url = {each.full_url: each for each in ordered if each.full_url and not each.is_read}
    try:
        return _placed_each(ordered, by_url)
    except InvalidElement:
        return _placed_each(ordered, {url: each for url, each in by_url.items() if url not in known})


def _placed_each(ordered: Iterable[Entry], by_url: Mapping[str, Entry]) -> list[Entry]:
    done: dict[int, Entry] = {}
    for each in ordered:
        _place(each, by_url, done, ())
    return list(done.values())


def _place(entry: Entry, by_url: Mapping[str, Entry], done: dict[int, Entry], on_the_way: tuple[int, ...]) -> None:
    if entry.number in done:
        return
    if entry.number in on_the_way:
        raise InvalidElement("These entries refer to each other in a circle.", expression=f"{entry.expression}.resource")
    for reference in references_in(entry.resource):
        other = by_url.get(reference)
        if other is not None and other.number != entry.number:
            _place(other, by_url, done, (*on_the_way, entry.number))
    done[entry.number] = entry


def references_in(value: Any) -> Iterator[str]:
    """What the References of a resource say, wherever they stand in it."""
    if isinstance(value, list):
        for each in value:
            yield from references_in(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "reference" and isinstance(inner, str):
                yield inner
            else:
                yield from references_in(inner)


def conditional(reference: str) -> tuple[str, str] | None:
    """Type and criteria of a reference by criteria, as in `Patient?identifier=a|b` (R4 http.html#trules); None for any other."""
    found = CONDITIONAL.fullmatch(reference)
    return (found["type"], found["criteria"]) if found else None


def ensure_distinct(entries: Iterable[Entry]) -> None:
    """R4: a transaction names what it changes once. Raises `InvalidElement`."""
    seen: set[tuple[str, str]] = set()
    for each in entries:
        if each.is_read or each.method == "POST":
            continue
        if (each.path, each.query) in seen:
            raise InvalidElement("An earlier entry changes this already.", expression=f"{each.expression}.request.url")
        seen.add((each.path, each.query))


def resolved(value: Any, places: Mapping[str, str]) -> Any:
    """The same with each reference to another entry, by its fullUrl, as one to the resource that the entry stands for."""
    if isinstance(value, list):
        return [resolved(each, places) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: places.get(inner, inner) if name == "reference" and isinstance(inner, str) else resolved(inner, places)
        for name, inner in value.items()
    }


def placed(refusal: Refusal, entry: Entry) -> Refusal:
    """The refusal of a whole transaction for one entry: it says in which, and where in it."""
    facts = dict(refusal.facts)
    issues = facts.get("issues")
    if isinstance(issues, list):
        facts["issues"] = [{**each, "expression": _inside(entry, each.get("expression"))} for each in issues if isinstance(each, dict)]
    else:
        facts["expression"] = _inside(entry, facts.get("expression"))
    return type(refusal)(refusal.detail, **facts)


def _inside(entry: Entry, expression: Any) -> str:
    """`Patient.name` within the resource of an entry; the entry alone where nothing more is known."""
    inner = expression.partition(".")[2] if isinstance(expression, str) else ""
    return f"{entry.expression}.resource.{inner}" if inner else entry.expression


def response(kind: str, answers: Sequence[Resource]) -> Resource:
    """The Bundle of the answers, in the order of the entries."""
    return said({"resourceType": "Bundle", "type": f"{kind}-response", "entry": list(answers)})


def answer(base: str, status: str, body: Resource | None = None, location: str | None = None, etag: str | None = None) -> Resource:
    """What one entry came to, `status` with its words. An OperationOutcome is told beside the status, any other resource is the entry's."""
    is_outcome = body is not None and body["resourceType"] == "OperationOutcome"
    one = None if is_outcome else body
    meta = one.get("meta", {}) if one else {}
    return said({
        "fullUrl": address(base, one) if one and "id" in one else None,
        "resource": one,
        "response": said({
            "status": status,
            "location": location,
            "etag": etag or (f'W/"{meta["versionId"]}"' if "versionId" in meta else None),
            "lastModified": meta.get("lastUpdated"),
            "outcome": body if is_outcome else None,
        }),
    })  # fmt: skip
