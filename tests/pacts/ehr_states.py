"""`carewright mock ehr`, brought to where the contracts want it. Somebody else's sandbox is brought there by somebody who knows it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.contracts.ehr import ProfileName
from carewright.ehr.model.subscribing import subscription
from carewright.ehr.service.asking import ASSERTION_TYPE
from carewright.kernel.clock import SystemClock
from carewright.kernel.ids import Ids
from carewright.mock.ehr.made_up import MRN, NPI
from tests.made_up_ehr import made_up_ehr
from tests.pacts import ehr

KEY = ECKey.generate_key("P-384", {"kid": "pact-1"}, private=True)


@dataclass
class MadeUp:
    """One such EHR, whose FHIR is at `base`, and which knows our key. Its times begin on the day of the contracts."""

    base: str
    http: httpx.AsyncClient

    @property
    def address(self) -> str:
        return f"http://{urlsplit(self.base).netloc}"

    async def state(self, name: str, _: dict[str, Any]) -> dict[str, Any]:
        said = {
            ehr.REGISTERED: self._registered, ehr.PRACTITIONER: self._practitioner, ehr.PATIENT: self._patient, ehr.BOOKED: self._booked,
            ehr.EXPECTED: self._expected, ehr.FREE: self._free, ehr.WANTED: self._wanted, ehr.PROPOSED: self._proposed,
            ehr.CHANGEABLE: self._changeable, ehr.COVERED: self._patient, ehr.WHOLE: self._whole, ehr.SUBSCRIBED: self._subscribed,
        }  # fmt: skip
        return await said[name]()

    async def _registered(self) -> dict[str, Any]:
        place = (await self.http.get(f"{self.base}/.well-known/smart-configuration")).json()["token_endpoint"]
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(place)}
        token = (await self.http.post(place, data=form)).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        base = urlsplit(self.base).path
        return {
            "base": base, "operations": base.replace("/R4", "/STU3"), "token_path": urlsplit(place).path, "token": token,
            "assertion": assertion(place),
        }  # fmt: skip

    async def _practitioner(self) -> dict[str, Any]:
        return {"practitioner_number": f"{NPI}|9000000000", "practitioner": await self._practitioner_id()}

    async def _patient(self) -> dict[str, Any]:
        return {"patient_number": f"{MRN}|100000", "patient": await self._patient_id()}

    async def _booked(self) -> dict[str, Any]:
        patient = await self._patient_id()
        page = await self._asked("GET", "/Appointment", params={"patient": patient, "date": [f"ge{ehr.FROM}", f"lt{ehr.UNTIL}"]})
        (further,) = (each["url"] for each in page["link"] if each["relation"] == "next")
        (token,) = (values[0] for name, values in parse_qs(urlsplit(further).query).items() if name == "sessionID")
        return {"patient": patient, "appointment": page["entry"][0]["resource"]["id"], "page": token}

    async def _expected(self) -> dict[str, Any]:
        return {"practitioner": await self._practitioner_id()}

    async def _free(self) -> dict[str, Any]:
        """A practitioner who has time when the contracts begin."""
        if "/R4" in self.base:
            return {"practitioner": _actor((await self._find())["participant"], "Practitioner")}
        slot = await self._slot()
        schedule = await self._asked("GET", f"/{slot['schedule']['reference']}")
        return {"practitioner": _actor([{"actor": each} for each in schedule["actor"]], "Practitioner"), "kind": "11"}

    async def _wanted(self) -> dict[str, Any]:
        return {"patient": await self._patient_id(), "slot": (await self._slot())["id"]}

    async def _proposed(self) -> dict[str, Any]:
        return {"patient": await self._patient_id(), "proposal": (await self._find())["id"]}

    async def _changeable(self) -> dict[str, Any]:
        query = {"patient": await self._patient_id(), "status": "booked", "date": [f"ge{ehr.FROM}", f"lt{ehr.UNTIL}"]}
        found = (await self._asked("GET", "/Appointment", params=query))["entry"][0]["resource"]["id"]
        version = (await self.http.get(f"{self.base}/Appointment/{found}")).headers["ETag"]
        return {"appointment": found, "version": version}

    async def _whole(self) -> dict[str, Any]:
        place = (await self._asked("GET", "/Location"))["entry"][0]["resource"]["id"]
        return {"patient": await self._patient_id(), "practitioner": await self._practitioner_id(), "place": place}

    async def _subscribed(self) -> dict[str, Any]:
        wanted = subscription(ehr.ENDPOINT, "secret", ehr.ENDS_AT, None)
        answer = await self.http.post(f"{self.base}/Subscription", json=wanted)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return {"subscription": answer.json()["id"]}

    async def _slot(self) -> Any:
        query = {"service-type": "11", "start": [f"ge{ehr.FROM}", f"lt{ehr.SOON}"]}
        return (await self._asked("GET", "/Slot", params=query))["entry"][0]["resource"]

    async def _find(self) -> Any:
        window = [{"name": "startTime", "valueDateTime": ehr.FROM}, {"name": "endTime", "valueDateTime": ehr.SOON}]
        place, body = self.base.replace("/R4", "/STU3"), {"resourceType": "Parameters", "parameter": window}
        return (await self.http.post(f"{place}/Appointment/$find", json=body)).json()["entry"][0]["resource"]

    async def _practitioner_id(self) -> str:
        return await self._one("/Practitioner", f"{NPI}|9000000000")

    async def _patient_id(self) -> str:
        return await self._one("/Patient", f"{MRN}|100000")

    async def _one(self, place: str, identifier: str) -> str:
        return str((await self._asked("GET", place, params={"identifier": identifier}))["entry"][0]["resource"]["id"])

    async def _asked(self, method: str, place: str, **more: Any) -> Any:
        answer = await self.http.request(method, self.base + place, **more)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()


@asynccontextmanager
async def made_up_for_contracts(profile: ProfileName, folder: Path) -> AsyncIterator[MadeUp]:
    """One patient has every appointment that is taken: more than a page of them."""
    keys = folder / "keys.json"
    keys.write_bytes(msgspec.json.encode({"keys": [KEY.as_dict(private=False)]}))
    switches = ("--profile", profile, "--keys", str(keys), "--start-on", f"{ehr.START:%Y-%m-%d}", "--patients", "1")
    async with made_up_ehr(*switches) as base, httpx.AsyncClient(trust_env=False) as client:
        yield MadeUp(base, client)


def assertion(endpoint: str) -> str:
    """Our proof for this endpoint, once (RFC 7523)."""
    clock = SystemClock()
    ends = int(clock.now().timestamp()) + 240
    claims = {"iss": "carewright", "sub": "carewright", "aud": endpoint, "exp": ends, "jti": str(Ids(clock).new())}
    return jwt.encode({"alg": "ES384", "typ": "JWT", "kid": "pact-1"}, claims, KEY, algorithms=["ES384"])


def _actor(participants: list[Any], kind: str) -> str:
    found: list[str] = [each["actor"]["reference"] for each in participants]
    return next(each.removeprefix(f"{kind}/") for each in found if each.startswith(f"{kind}/"))
