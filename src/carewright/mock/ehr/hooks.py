"""Subscriptions (HL7 FHIR R4 Subscription, rest-hook without a payload): who is told that something changed, and until when.

Nothing is sent from here: what is to be sent waits in `queue`, by the subscription's id.
"""

from asyncio import Queue
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from carewright.mock.ehr.answers import Answer, Asked, Resource, Wrong
from carewright.mock.ehr.records import Records
from carewright.mock.ehr.writing import read

KIND = "Subscription"


class _Channel(msgspec.Struct, frozen=True):
    type: Literal["rest-hook"]
    endpoint: Annotated[str, Meta(pattern=r"^https?://")]
    header: tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]+: .+$")], ...] = ()


class _Wanted(msgspec.Struct, frozen=True):
    """Clients submit `requested` or `off`; the server makes it `active`."""

    status: Literal["requested", "off"]
    reason: str
    criteria: Annotated[str, Meta(pattern=r"^[A-Za-z]+\?")]
    channel: _Channel
    end: datetime | None = None


class Hooks:
    """Every change of a resource that the criteria name is told; of the rest of the criteria nothing is looked at."""

    def __init__(self, records: Records, base: str, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._records, self._base, self._new_id, self._now = records, base, new_id, now
        self.queue: Queue[str] = Queue()

    def create(self, asked: Asked) -> Answer:
        """201 with Location and the resource as it is at first: a moment later it is active."""
        return self._kept(self._new_id(), asked, 201)

    def update(self, id_: str, asked: Asked) -> Answer:
        self._records.get(KIND, id_)
        return self._kept(id_, asked, 200)

    def delete(self, id_: str) -> Answer:
        self._records.drop(KIND, id_)
        return Answer(status=204)

    def end(self) -> None:
        """Turn off what has come to its end."""
        for each in self._records.all(KIND):
            end = each.get("end")
            if each["status"] != "off" and end and datetime.fromisoformat(end) <= self._now():
                self._records.put(each | {"status": "off"})

    def note(self, changed: Resource) -> None:
        """Something was made or changed."""
        if changed["resourceType"] != KIND:
            self.end()
            for each in self._records.all(KIND):
                if each["status"] == "active" and each["criteria"].partition("?")[0] == changed["resourceType"]:
                    self.queue.put_nowait(each["id"])

    def request(self, id_: str) -> tuple[str, dict[str, str]] | None:
        """Where and with which headers one is told; None for one that is not active any more."""
        found = next((each for each in self._records.all(KIND) if each["id"] == id_ and each["status"] == "active"), None)
        if found is None:
            return None
        headers = (line.partition(": ") for line in found["channel"].get("header", ()))
        return found["channel"]["endpoint"], {name: value for name, _, value in headers}

    def give_up(self, id_: str, why: str) -> None:
        """It could not be told, however often."""
        self._records.put(self._records.get(KIND, id_) | {"status": "error", "error": why})

    def _kept(self, id_: str, asked: Asked, status: int) -> Answer:
        sent = read(asked.body, dict)
        try:
            wanted: _Wanted = msgspec.convert(sent, _Wanted)
        except msgspec.ValidationError:
            raise Wrong(422, "business-rule", "A subscription is requested, by rest-hook, for a search of one type.") from None
        if wanted.end is not None and (wanted.end.tzinfo is None or wanted.end <= self._now()):
            raise Wrong(422, "value", "A subscription ends in the future.")
        shown: dict[str, Any] = self._records.put(sent | {"resourceType": KIND, "id": id_})
        headers = {"Location": f"{self._base}/{KIND}/{id_}", "ETag": self._records.version(KIND, id_)}
        if wanted.status == "requested":
            self._records.put(shown | {"status": "active"})
        return Answer(status=status, body=shown, headers=headers)
