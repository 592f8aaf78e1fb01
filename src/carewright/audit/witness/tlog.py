"""A witness of others, asked over HTTP."""

from collections.abc import Sequence

import httpx

from carewright.audit.model.checkpoint import request_of
from carewright.audit.witness.port import ANSWER_BYTES_MAX, TIMEOUT_SECONDS, NotTaken, SawOther
from carewright.kernel.errors import Refusal


class HttpWitness:
    """A witness that speaks C2SP tlog-witness: it checks that the log has only grown, and answers with its signature.

    `transport` keeps no connection open, so there is nothing to close.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport, every_seconds: float = 0.0) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport)
        self.every_seconds = every_seconds

    @property
    def name(self) -> str:
        return f"url {self._url}"

    async def take(self, note: str, seen: int, proof: Sequence[bytes]) -> str:
        try:
            answer = await self._client.post(f"{self._url}/add-checkpoint", content=request_of(seen, list(proof), note))
        except (httpx.HTTPError, Refusal) as fault:
            raise NotTaken from fault
        if answer.status_code == httpx.codes.CONFLICT and answer.text.strip().isdigit():
            raise SawOther(int(answer.text))
        if answer.status_code != httpx.codes.OK or len(answer.content) > ANSWER_BYTES_MAX:
            raise NotTaken
        return note + answer.text
