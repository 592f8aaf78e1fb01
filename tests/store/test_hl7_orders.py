"""Orders that come by HL7 v2: kept as they say, and left to a person all the same."""

from itertools import count

import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.orders import SearchRequests, ServiceRequest
from carewright.hl7.service import work_list
from tests.hl7_sender import Sender, said

numbers = count(1)


def orm(own_id: str, control: str, *, kind: str = "ORM^O01", mrn: str = "", **more: str) -> bytes:
    """One order of the patient, by its placer's number."""
    given = {"filler": "", "status": "", "reason": "", "priority": "S", "code": "183519002^Referral to cardiology^SCT"} | more
    mrn = mrn or f"M-{own_id}"
    return (
        f"MSH|^~\\&|EHR|HOSP|CW|CW|20261101||{kind}|O{next(numbers)}|P|2.5.1\r"
        f"PID|1||{mrn}^^^HOSP^MR||Beispiel^Berta||19700102|F\r"
        f"ORC|{control}|{own_id}^EHR|{given['filler']}||{given['status']}||||20261102093000|||77^Numbat^Nora^^^Dr.\r"
        f"TQ1|1||||||20261201080000||{given['priority']}\r"
        f"OBR|1|{own_id}^EHR||{given['code']}|||||||||||||||||||||||||||{given['reason']}\r"
    ).encode()


async def kept(sender: Sender, own_id: str) -> ServiceRequest:
    ctx = await sender.acting()
    number = Identifier(system="urn:id:EHR", value=own_id)
    (found,) = (await ctx.orders.search_requests(ctx.actor, SearchRequests(identifiers=(number,)))).items
    return found


async def test_an_order_is_kept_as_it_says_and_waits_for_a_person(sender: Sender) -> None:
    assert said(await sender.says(orm("ord1", "NW", reason="R00.2^palpitations at night^I10"))) == ("AE", "207")
    order = await kept(sender, "ord1")
    assert order.patient_id == await sender.patient("M-ord1")
    assert (order.status, order.intent, order.priority, order.reasons) == ("active", "order", "stat", ("palpitations at night",))
    assert order.code is not None
    assert (order.code.system, order.code.code, order.code.display) == ("http://snomed.info/sct", "183519002", "Referral to cardiology")
    assert order.requester is not None
    assert (order.requester.id, order.requester.display) == (None, "Dr. Nora Numbat")
    assert (order.authored_at, order.occurs_from) != (None, None)
    (last,) = (await work_list.list_waiting(sender.as_staff("scheduler")))[-1:]
    assert (last.reason, last.kind) == ("hl7.by_hand", "ORM^O01")


@pytest.mark.parametrize(
    ("control", "more", "becomes"),
    [("CA", {}, "revoked"), ("HD", {}, "on-hold"), ("SC", {"status": "CM"}, "completed"), ("SC", {"status": "IP"}, "active"),
     ("XO", {}, "active")],
)  # fmt: skip
async def test_an_order_goes_on_as_its_sender_says(sender: Sender, control: str, more: dict[str, str], becomes: str) -> None:
    own_id = f"on{control}{becomes}"
    await sender.says(orm(own_id, "NW", reason="^cough"))
    await sender.says(orm(own_id, control, filler="F1^LAB" if more else "", priority="", kind="OML^O21", mrn=f"M-{own_id}", **more))
    order = await kept(sender, own_id)
    assert (order.status, order.priority, order.reasons) == (becomes, "stat", ("cough",)), "what is not said stays"


async def test_an_order_is_never_another_patients(sender: Sender) -> None:
    await sender.says(orm("mine", "NW"))
    await sender.says(orm("mine", "CA", mrn="M-somebody-else"))
    (last,) = (await work_list.list_waiting(sender.as_staff("scheduler")))[-1:]
    assert (last.reason, (await kept(sender, "mine")).status) == ("hl7.other_patient", "active")


async def test_what_is_told_of_the_patient_does_not_wait_behind_an_order(sender: Sender) -> None:
    await sender.says(orm("behind", "NW"))
    assert said(await sender.says(sender.adt("A08", "M-behind"))) == ("AA", "")
