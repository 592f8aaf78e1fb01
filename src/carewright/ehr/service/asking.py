"""An EHR, asked: with a token of its own, page after page, as fast as it wants, and never without an end.

A request that finds it busy (429, 503) waits as it asks to, three times, and not longer than the settings allow.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.contracts.ehr import NotUnderstood, PagesWithoutEnd
from carewright.ehr.context import EhrContext
from carewright.ehr.model.profiles import PROFILES
from carewright.ehr.store import Keyed
from carewright.kernel.errors import Unavailable

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240
TOKEN_SECONDS_LEFT_MIN = 30.0
TRIES = 3
WAIT_SECONDS = 5.0
BUSY = frozenset({429, 503})
OVERTAKEN = frozenset({409, 412, 423})
"""What was read is not what is there any more: read it again."""
SCOPE, SUBSCRIBING = "system/*.read system/Appointment.write", " system/Subscription.write"
"""What we ask for, and what besides where there are subscriptions."""
FHIR = "application/fhir+json"
FHIR_JSON = {"Content-Type": FHIR}


class Page(msgspec.Struct, frozen=True):
    """What is read of a Bundle. Totals are not: what is there is there."""

    resourceType: str  # noqa: N815  # FHIR's name
    entry: tuple[dict[str, Any], ...] = ()
    link: tuple[dict[str, Any], ...] = ()

    @property
    def next(self) -> str | None:
        return next((str(each.get("url")) for each in self.link if each.get("relation") == "next" and each.get("url")), None)


class TokenAnswer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 60.0


class Ehr:
    """One EHR, for as long as one piece of work takes."""

    def __init__(self, ctx: EhrContext, keyed: Keyed) -> None:
        self._ctx, self._key, self.connection = ctx, keyed.key, keyed.connection

    @property
    def operations(self) -> str:
        """Where operations are: beside the base, or there."""
        beside = PROFILES[self.connection.profile].operations
        return str(httpx.URL(f"{self.connection.base}/").join(beside)) if beside else self.connection.base

    @property
    def _scope(self) -> str:
        return SCOPE + (SUBSCRIBING if PROFILES[self.connection.profile].subscriptions else "")

    async def read(self, kind: str, id_: str) -> Any:
        """One resource. Raises `NotUnderstood` and `Unavailable`."""
        return (await self.read_version(kind, id_))[0]

    async def read_version(self, kind: str, id_: str) -> tuple[Any, str | None]:
        """One resource with its ETag, if it has one."""
        answer = await self.ask("GET", f"{self.connection.base}/{kind}/{id_}")
        return decoded(answer, kind, Any), answer.headers.get("ETag")

    async def search(self, kind: str, query: Mapping[str, str] | list[tuple[str, str]]) -> AsyncIterator[Any]:
        """Every resource of this type that the pages have; warnings and guests among them are passed over.

        Raises `PagesWithoutEnd` where a page comes again or there are too many, `NotUnderstood` and `Unavailable`.
        """
        url: str | None = f"{self.connection.base}/{kind}?{urlencode(query)}"
        seen: set[str] = set()
        for _ in range(self._ctx.settings.pages_max):
            page = decoded(await self.ask("GET", str(url)), kind, Page)
            for each in self._fresh(kind, page, seen):
                yield each
            url = page.next
            if url is None:
                return
        raise PagesWithoutEnd(pages=self._ctx.settings.pages_max)

    async def ask(self, method: str, url: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> httpx.Response:
        """One request with our token, repeated while the EHR is busy. Raises `NotUnderstood` for a refusal, `Unavailable`."""
        self._ensure_theirs(url)
        for _ in self._ctx.retries[self.connection.id].turns(TRIES):
            sent = {"Accept": FHIR, "Authorization": f"Bearer {await self._token()}", **(headers or {})}
            answer = await self._ctx.outgoing.fetch(method, url, content=content, headers=sent)
            if answer.status_code not in BUSY:
                return self._good(answer)
            await asyncio.sleep(self._wait(answer))
        raise Unavailable("The EHR is busy.")

    def _fresh(self, kind: str, page: Page, seen: set[str]) -> list[Any]:
        """The resources of a page that were not there yet. Raises `PagesWithoutEnd` where a page brings nothing but what was there."""
        resources = [each.get("resource") for each in page.entry]
        ours = [each for each in resources if isinstance(each, dict) and each.get("resourceType") == kind]
        fresh = [each for each in ours if not (isinstance(each.get("id"), str) and each["id"] in seen)]
        seen.update(each["id"] for each in fresh if isinstance(each.get("id"), str))
        if ours and not fresh:
            raise PagesWithoutEnd
        return fresh

    def _ensure_theirs(self, url: str) -> None:
        """A link that leads elsewhere is not followed: our token is for this EHR alone."""
        if not url.startswith((f"{self.connection.base}/", f"{self.operations}/")):
            raise NotUnderstood(about="link")

    def _good(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code >= 500:
            raise Unavailable("The EHR does not answer just now.")
        if answer.status_code == 401:
            self._ctx.access_tokens.pop(self.connection.id, None)
        if answer.status_code in OVERTAKEN:
            raise Unavailable("Somebody else changed it at the EHR just now.")
        if answer.status_code >= 400:
            raise NotUnderstood(about="refused", status_code=answer.status_code)
        return answer

    def _wait(self, answer: httpx.Response) -> float:
        """For how long the EHR wants to be left alone. Raises `Unavailable` where that is too long."""
        said = answer.headers.get("Retry-After", "")
        seconds = float(said) if said.isdecimal() else WAIT_SECONDS
        if seconds > self._ctx.settings.wait_seconds_max:
            raise Unavailable("The EHR wants to be asked later.")
        return seconds

    async def _token(self) -> str:
        """A token that is good for a while yet."""
        known, now = self._ctx.access_tokens.get(self.connection.id), self._ctx.clock.monotonic_seconds()
        if known is not None and known[1] - now > TOKEN_SECONDS_LEFT_MIN:
            return known[0]
        endpoint = await self._token_endpoint()
        form = {
            "grant_type": "client_credentials", "scope": self._scope, "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(endpoint),
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = await self._ctx.outgoing.fetch("POST", endpoint, content=urlencode(form).encode(), headers=headers)
        given: TokenAnswer = decoded(self._good(answer), "token", TokenAnswer)
        self._ctx.access_tokens[self.connection.id] = (given.access_token, now + given.expires_in)
        return given.access_token

    async def _token_endpoint(self) -> str:
        """Where tokens are, as the EHR's SMART configuration says (SMART App Launch 2.2, Conformance)."""
        place = f"{self.connection.base}/.well-known/smart-configuration"
        answer = await self._ctx.outgoing.fetch("GET", place, headers={"Accept": "application/json"})
        said = decoded(self._good(answer), "configuration", dict[str, Any])
        endpoint = said.get("token_endpoint")
        if not isinstance(endpoint, str):
            raise NotUnderstood(about="configuration")
        return endpoint

    def _assertion(self, endpoint: str) -> str:
        """Our proof, for this endpoint, once (RFC 7523)."""
        key = ECKey.import_key(msgspec.json.decode(self._key))
        ends = int(self._ctx.clock.now().timestamp()) + ASSERTION_SECONDS
        client_id = self.connection.client_id
        claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "exp": ends, "jti": str(self._ctx.ids.new())}
        return jwt.encode({"alg": "ES384", "typ": "JWT", "kid": key.kid}, claims, key, algorithms=["ES384"])


def made_id(answer: httpx.Response) -> str:
    """What a new resource is called there, as the answer's Location says (HL7 FHIR R4, http.html#create). Raises `NotUnderstood`."""
    place = answer.headers.get("Location", "").partition("/_history")[0]
    if not place:
        raise NotUnderstood(about="location")
    return str(place.rpartition("/")[2])


def decoded(answer: httpx.Response, about: str, kind: Any) -> Any:
    """What an EHR answered, as this type. Raises `NotUnderstood`."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotUnderstood(about=about, status_code=answer.status_code) from None
