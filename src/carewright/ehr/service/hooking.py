"""What an EHR is asked about our subscription: whether it is there and how it stands, to keep it, and to take it away."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from carewright.contracts.ehr import NotUnderstood
from carewright.ehr.model.reading import read
from carewright.ehr.model.subscribing import Told, subscription
from carewright.ehr.service.asking import FHIR_JSON, Ehr, made_id
from carewright.ehr.service.work import NOT_FOUND


@dataclass(frozen=True)
class Hook:
    """Our subscription at an EHR. What is asked raises `NotUnderstood`, `Unavailable` and, for what cannot be read, `Misread`."""

    ehr: Ehr

    @property
    def place(self) -> str:
        return f"{self.ehr.connection.base}/Subscription"

    async def read(self, theirs: str) -> Told | None:
        """None where it is not there any more."""
        try:
            return read(await self.ehr.read("Subscription", theirs), Told)
        except NotUnderstood as refusal:
            if refusal.facts.get("status_code") in NOT_FOUND:
                return None
            raise

    async def found(self, endpoint: str) -> list[str]:
        """Their ids of all that wake us there."""
        return [read(each, Told).id async for each in self.ehr.search("Subscription", {"url": endpoint})]

    async def put(self, endpoint: str, secret: str, ends_at: datetime, theirs: str | None) -> str:
        """Their id of it: it is made, or, where it has one already, written anew."""
        body = msgspec.json.encode(subscription(endpoint, secret, ends_at, theirs))
        if theirs is None:
            return made_id(await self.ehr.ask("POST", self.place, body, FHIR_JSON))
        await self.ehr.ask("PUT", f"{self.place}/{theirs}", body, FHIR_JSON)
        return theirs

    async def delete(self, theirs: str) -> None:
        """It is not there afterwards."""
        try:
            await self.ehr.ask("DELETE", f"{self.place}/{theirs}")
        except NotUnderstood as refusal:
            if refusal.facts.get("status_code") not in NOT_FOUND:
                raise
