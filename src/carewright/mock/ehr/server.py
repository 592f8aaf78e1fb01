"""One EHR: its records, and what it answers to a request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random

from joserfc.jwk import KeySet

from carewright.kernel.clock import Clock
from carewright.mock.ehr.answers import Answer, Asked, Resource, Wrong, outcome
from carewright.mock.ehr.epic import EPIC
from carewright.mock.ehr.faults import Faults, Patience, lied
from carewright.mock.ehr.hooks import KIND, Hooks
from carewright.mock.ehr.made_up import fill
from carewright.mock.ehr.operations import Proposals
from carewright.mock.ehr.oracle import ORACLE
from carewright.mock.ehr.paging import Page, Pages
from carewright.mock.ehr.plain import R4
from carewright.mock.ehr.profile import Profile
from carewright.mock.ehr.records import Records
from carewright.mock.ehr.searching import ensure_allowed, found
from carewright.mock.ehr.tokens import TokenDesk
from carewright.mock.ehr.writing import create, patch

NO_FAULTS = Faults()
PROFILES = {each.name: each for each in (EPIC, ORACLE, R4)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which EHR is wanted. `keys` are the public keys of its one client; without any it asks for no token."""

    profile: Profile
    origin: str
    start_on: date
    seed: int = 1
    patients: int = 40
    client_id: str = "carewright"
    keys: KeySet | None = None
    requests_per_minute: int = 6_000
    faults: Faults = NO_FAULTS


class Ehr:
    """Answers one request after another; what is changed stays changed until the process ends."""

    def __init__(self, wish: Wish, clock: Clock) -> None:
        self.profile, self.faults, self.origin = wish.profile, wish.faults, wish.origin
        rng = Random(wish.seed)  # noqa: S311  # nosec B311  # made-up people, no secrets
        self.new_id = lambda: wish.profile.new_id(rng)
        self.records = Records(clock.now, versions=wish.profile.versions)
        fill(self.records, wish.profile, rng, wish.start_on, wish.patients)
        self.hooks = Hooks(self.records, wish.profile.base, self.new_id, clock.now)
        self.records.changed = self.hooks.note
        self.pages = Pages(endless=wish.faults.endless_pages)
        self.proposals = Proposals(self.records, wish.profile, self.new_id)
        self.patience = Patience(wish.requests_per_minute, wish.faults.fails_every, clock.monotonic_seconds)
        self.desk = TokenDesk(
            wish.client_id, wish.keys, wish.profile.algorithms, wish.profile.token_seconds, wish.origin + wish.profile.token_path, clock.now
        )

    def answer(self, asked: Asked) -> Answer:
        try:
            if (asked.method, asked.path) == ("POST", self.profile.token_path):
                return self.desk.answer(asked)
            if (said := self._about_itself(asked)) is not None:
                return said
            self.patience.ensure()
            self.desk.ensure(asked)
            return self._done(asked)
        except Wrong as wrong:
            return wrong.answer

    def _about_itself(self, asked: Asked) -> Answer | None:
        """What anybody may ask: where tokens are, and what is served."""
        if asked.path == f"{self.profile.base}/.well-known/smart-configuration":
            methods = {"token_endpoint_auth_methods_supported": ["private_key_jwt"], "grant_types_supported": ["client_credentials"]}
            algorithms = list(self.profile.algorithms)
            said = {"token_endpoint_auth_signing_alg_values_supported": algorithms, "capabilities": ["client-confidential-asymmetric"]}
            return Answer(body={"token_endpoint": self.desk.address} | methods | said)
        return Answer(body=capabilities(self.profile)) if asked.path == f"{self.profile.base}/metadata" else None

    def _done(self, asked: Asked) -> Answer:
        operations = {
            f"{self.profile.operations}/Appointment/$find": self.proposals.find,
            f"{self.profile.operations}/Appointment/$book": self.proposals.book,
        }
        if self.profile.operations and asked.method == "POST" and asked.path in operations:
            return operations[asked.path](asked)
        place, _, rest = asked.path.partition(f"{self.profile.base}/")
        kind, _, id_ = rest.partition("/")
        if place or not kind:
            raise Wrong(404, "not-found", "There is nothing here.")
        return self._ways(asked, kind, id_)()

    def _ways(self, asked: Asked, kind: str, id_: str) -> Callable[[], Answer]:
        """What a method does to a type, or to one resource of it. Raises `Wrong` for what is not served."""
        writes = self.profile.writes(kind)
        if kind == KIND and self.profile.subscribes:
            self.hooks.end()
            if (act := self._hooks_ways(asked, id_)) is not None:
                return act
        if asked.method == "GET" and id_ and kind in self.profile.reads:
            return lambda: self._read(kind, id_)
        if asked.method == "GET" and not id_ and kind in self.profile.searches:
            return lambda: self._search(kind, asked)
        if asked.method == "POST" and not id_ and writes:
            return lambda: create(self.records, self.profile, self.new_id, asked)
        if asked.method == "PATCH" and id_ and writes:
            return lambda: patch(self.records, self.profile, id_, asked)
        raise Wrong(404, "not-supported", "This is not served here.")

    def _hooks_ways(self, asked: Asked, id_: str) -> Callable[[], Answer] | None:
        """How subscriptions are written; None for what is done to them as to everything else."""
        if asked.method == "POST" and not id_:
            return lambda: self.hooks.create(asked)
        if asked.method == "PUT" and id_:
            return lambda: self.hooks.update(id_, asked)
        return (lambda: self.hooks.delete(id_)) if asked.method == "DELETE" and id_ else None

    def _read(self, kind: str, id_: str) -> Answer:
        resource = self.records.get(kind, id_)
        return Answer(body=resource, headers={"ETag": self.records.version(kind, id_)} if self.profile.versions else {})

    def _search(self, kind: str, asked: Asked) -> Answer:
        token = dict(asked.query).get(self.profile.page_word)
        if token is not None:
            return self._bundle(kind, self.pages.next(kind, token), [])
        search = self.profile.searches[kind]
        unknown = ensure_allowed(search, asked.query)
        if unknown and self.profile.warns is None:
            raise Wrong(400, "not-supported", f"This parameter is not supported: {unknown[0][:60]}.")
        items = found(self.records, kind, search, asked.query)
        return self._bundle(kind, self.pages.first(kind, items, self._count(asked)), unknown)

    def _count(self, asked: Asked) -> int:
        given = dict(asked.query).get("_count", "")
        return min(int(given), self.profile.count_max) if given.isdecimal() and int(given) else self.profile.count_default

    def _bundle(self, kind: str, page: Page, unknown: list[str]) -> Answer:
        """A page, with the warning among its entries where there is one, and the link to the next."""
        here = f"{self.origin}{self.profile.base}/{kind}"
        entries: list[Resource] = [
            {"fullUrl": f"{here}/{each['id']}", "resource": each, "search": {"mode": "match"}} for each in page.items
        ]
        for name in unknown:
            warning = outcome("warning", "not-supported", f"Ignored: {name[:60]}", self.profile.warns)
            entries.append({"resource": warning, "search": {"mode": "outcome"}})
        link = [{"relation": "next", "url": f"{here}?{self.profile.page_word}={page.token}"}] if page.token else []
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": link, "entry": entries}
        return Answer(body=lied(bundle) if self.faults.lies else bundle)


def capabilities(profile: Profile) -> Resource:
    """The CapabilityStatement: what is read, searched and written."""
    kinds = sorted({*profile.reads, *profile.searches})
    return {
        "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1", "format": ["json"],
        "date": "2026-11-01", "implementation": {"description": f"Made-up EHR with the habits of {profile.name}"},
        "rest": [{"mode": "server", "resource": [_served(profile, kind) for kind in kinds]}],
    }  # fmt: skip


def _served(profile: Profile, kind: str) -> Resource:
    hooks = profile.subscribes and kind == KIND
    codes = [code for code, served in (
        ("read", kind in profile.reads), ("search-type", kind in profile.searches),
        ("create", profile.writes(kind) or hooks), ("patch", profile.writes(kind)), ("update", hooks), ("delete", hooks),
    ) if served]  # fmt: skip
    names = sorted(profile.searches[kind].parameters) if kind in profile.searches else []
    return {"type": kind, "interaction": [{"code": code} for code in codes], "searchParam": [{"name": name} for name in names]}
