"""What the made-up payer decides when it is asked to agree beforehand, by 278 and by Da Vinci PAS. It shares no code with who asks.

| number begins with | answer |
|---|---|
| `R` | refused (A3) |
| `H` | held back (A4); agreed when it is asked about the second time |
| `M` | agreed, but otherwise than it was asked for (A6) |
| `N` | the subscriber is not known (AAA 75) |
| `Z` | the payer cannot answer just now (AAA 42) |
| anything else | agreed (A1), with a number and for 60 days from the day that was asked for |
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from carewright.mock.eligibility.payer import Lie

Json = dict[str, Any]
AGREED_DAYS = 60
ASKED_UNTIL_AGREED = 2
X12 = "https://codesystem.x12.org/005010/"
EXTENSIONS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"


class Decided(NamedTuple):
    """`action` is X12's (306); nothing where the payer says why it decides nothing, by `reason` (901)."""

    action: str = ""
    number: str = ""
    reason: str = ""


@dataclass(slots=True)
class Desk:
    """Where the payer keeps what it held back: how often each was asked about."""

    asked: dict[str, int] = field(default_factory=dict)

    def decided(self, member: str, trace: str) -> Decided:
        match member[:1]:
            case "R":
                return Decided("A3")
            case "H":
                return Decided("A4", f"PEND-{trace[-6:]}")
            case "M":
                return Decided("A6", f"AUTH-{trace[-6:]}")
            case "N":
                return Decided(reason="75")
            case "Z":
                return Decided(reason="42")
            case _:
                return Decided("A1", f"AUTH-{trace[-6:]}")

    def inquired(self, member: str, trace: str) -> Decided:
        """What became of a request: what was held back is agreed to after a while."""
        self.asked[trace] = self.asked.get(trace, 0) + 1
        first = self.decided(member, trace)
        return Decided("A1", f"AUTH-{trace[-6:]}") if first.action == "A4" and self.asked[trace] >= ASKED_UNTIL_AGREED else first


def review_of(asked: list[list[str]], desk: Desk, lie: Lie) -> list[str]:
    """The body of the 278 that answers one. Raises `LookupError` for what is no request."""
    named = {each[0] if each[0] not in ("NM1", "TRN", "DTP") else f"{each[0]} {each[1]}": each for each in asked}
    member, trace, day = named["NM1 IL"][9], named["TRN 1"], named["DTP AAH"][3]
    decided = desk.decided(member, trace[2])
    told = "0" * 32 if lie == "trace" else trace[2]
    event = "5" if "NM1 QC" in named else "4"
    number = "OTHER99" if lie == "member" else member
    person = ["HL*4*3*23*1", "*".join(named["NM1 QC"])] if event == "5" else []
    until = date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}") + timedelta(days=AGREED_DAYS)
    valid = [f"DTP*AAH*RD8*{day}-{until:%Y%m%d}"] if decided.action in ("A1", "A6") else []
    said = [f"HCR*{decided.action}" + (f"*{decided.number}" if decided.number else "")] if decided.action else []
    return [
        f"BHT*0007*11*{told}*{named['BHT'][4]}*{named['BHT'][5]}*18", "HL*1**20*1", "*".join(named["NM1 X3"]), "HL*2*1*21*1",
        "*".join(named["NM1 1P"]), "HL*3*2*22*1", f"NM1*IL*1*{named['NM1 IL'][3]}*{named['NM1 IL'][4]}****MI*{number}",
        *person, f"HL*{event}*{int(event) - 1}*EV*0", f"TRN*2*{told}*{trace[3]}", "UM*HS*I",
        *([f"AAA*N**{decided.reason}*C"] if decided.reason else []), *said, *valid,
    ]  # fmt: skip


def claim_response(bundle: Json, desk: Desk, lie: Lie, *, inquiry: bool) -> Json:
    """The bundle that answers a PAS request, or an inquiry. Raises `LookupError` and `TypeError` for what is none."""
    resources = [each["resource"] for each in bundle["entry"]]
    claim, coverage = resources[0], next(each for each in resources if each["resourceType"] == "Coverage")
    if claim["resourceType"] != "Claim":
        raise LookupError("the first resource is no Claim")
    identifier, member = claim["identifier"][0], coverage["subscriberId"]
    decided = (desk.inquired if inquiry else desk.decided)(member, identifier["value"])
    told = "0" * 32 if lie == "trace" else identifier["value"]
    response = {
        "resourceType": "ClaimResponse", "id": f"response-{identifier['value'][-12:].lower()}",
        "identifier": [identifier | {"value": told}], "status": "active", "type": claim["type"], "use": "preauthorization",
        "patient": claim["patient"], "created": claim["created"], "insurer": claim["insurer"], "requestor": claim["provider"],
        "request": {"reference": "Claim/1" if lie == "trace" else bundle["entry"][0]["fullUrl"]},
        "outcome": "error" if decided.reason else "complete",
    }  # fmt: skip
    if decided.reason:
        response["error"] = [{"code": {"coding": [{"system": X12 + "901", "code": decided.reason}]}}]
    else:
        response["item"] = [_item(decided, claim["item"][0])]
        response |= {"preAuthRef": decided.number} if decided.number else {}
    return {
        "resourceType": "Bundle", "type": "collection", "identifier": bundle["identifier"], "timestamp": bundle["timestamp"],
        "entry": [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": response}],
    }  # fmt: skip


def _item(decided: Decided, asked: Json) -> Json:
    day = date.fromisoformat(asked["servicedDate"])
    period = {"start": day.isoformat(), "end": (day + timedelta(days=AGREED_DAYS)).isoformat()}
    action = [
        {"url": EXTENSIONS + "reviewActionCode", "valueCodeableConcept": {"coding": [{"system": X12 + "306", "code": decided.action}]}},
        *([{"url": "number", "valueString": decided.number}] if decided.number else []),
    ]  # fmt: skip
    return {
        "itemSequence": asked["sequence"],
        "extension": [{"url": EXTENSIONS + "itemPreAuthPeriod", "valuePeriod": period}] if decided.action in ("A1", "A6") else [],
        "adjudication": [{
            "category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted"}]},
            "extension": [{"url": EXTENSIONS + "reviewAction", "extension": action}],
        }],
    }  # fmt: skip
