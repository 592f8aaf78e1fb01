"""Payers asked for their agreement by FHIR: `Claim/$submit` and `Claim/$inquire` of Da Vinci PAS.

A submission is answered within 15 seconds, pended where nobody decided by then (PAS, section on response time).
"""

import asyncio
from collections.abc import Callable

import httpx
import msgspec

from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.model.pas.request import Resource, inquiry_bundle, request_bundle
from carewright.coverage.model.pas.response import NotPas, read_responses, review_of
from carewright.coverage.model.question import Request, Review
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.settings import StartFailed

FORM = "application/fhir+json"
AWAY = frozenset({408, 429, 500, 502, 503, 504})


class PasHttp:
    """Asks at the base of one FHIR server, for `seconds` at most each time.

    `token` reads what is told with a request, each time: whoever keeps the file may put a new one there. An empty one is none.
    """

    can_inquire = True

    def __init__(self, base: str, there: httpx.AsyncBaseTransport, token: Callable[[], str], seconds: float) -> None:
        self._base, self._token, self._seconds = base, token, seconds
        self._client = httpx.AsyncClient(transport=there, timeout=seconds, trust_env=False, follow_redirects=False)

    async def review(self, request: Request) -> Review | None:
        found = await self._said("$submit", request_bundle(request), request)
        if not found:
            raise NoAnswer("bad-answer")
        return found[0]

    async def inquire(self, request: Request, number: str) -> Review | None:
        """None where the payer finds nothing: it may not have it yet."""
        found = await self._said("$inquire", inquiry_bundle(request, number), request)
        return found[0] if found else None

    async def _said(self, operation: str, bundle: Resource, request: Request) -> list[Review]:
        """What was answered to this request, and nothing of what was to others. Raises `NoAnswer`."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._posted(operation, bundle)
            reviews = [review_of(request, each) for each in read_responses(msgspec.json.decode(answer.content))]
        except TimeoutError:
            raise NoAnswer("payer-away") from None
        except (NotPas, msgspec.DecodeError):
            raise NoAnswer("bad-answer") from None
        found = [each for each in reviews if request.trace in each.traces]
        if reviews and not found:
            raise NoAnswer("bad-answer")
        return found

    async def _posted(self, operation: str, bundle: Resource) -> httpx.Response:
        try:
            token = await asyncio.to_thread(self._token)
        except StartFailed:
            raise NoAnswer("refused") from None
        headers = {"Content-Type": FORM, "Accept": FORM} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            answer = await self._client.post(f"{self._base}/Claim/{operation}", content=msgspec.json.encode(bundle), headers=headers)
        except (httpx.TransportError, Unavailable):
            raise NoAnswer("payer-away") from None
        except Refusal:
            raise NoAnswer("bad-answer") from None
        if answer.status_code in AWAY:
            raise NoAnswer("payer-away")
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            raise NoAnswer("refused")
        return answer
