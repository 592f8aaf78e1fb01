"""What our question about eligibility needs of a clearing-house: X12 in the envelope of CAQH CORE vC2.2.0, HTTP MIME multipart.

Pact knows nothing of X12: it compares the parts of the envelope, and the 271 by a pattern of the segments that we read. That a 271 can be
read and answers the question, the real client holds against the examples here.
"""

from typing import Any
from uuid import UUID

from msgspec.structs import replace
from pact import Pact, match

from carewright.coverage.clearing.core import CoreHttp
from carewright.coverage.clearing.x12 import Account, envelope_of
from carewright.coverage.model.question import Answer, Question
from carewright.coverage.model.x12.inquiry import write_question
from carewright.kernel.http.outgoing import Outgoing
from tests.pacts.contract import Contract, Json
from tests.unit.coverage import samples

ACCOUNT = Account("LAKESIDE", "HOUSE", "T", "lakeside", "a-password")
QUESTION = replace(samples.QUESTION, trace="0123456789ABCDEF" * 2)
NOBODY = replace(QUESTION, member_id="N123456789", trace="FEDCBA9876543210" * 2)
COVERED, UNKNOWN = "the member is covered", "there is no such member"
BOUNDARY = "carewright-pact-boundary"
FORM = "multipart/form-data"
HEAD = (
    "ISA*00*          *00*          *ZZ*HOUSE          *ZZ*LAKESIDE       *261102*1200*^*00501*000000007*0*T*:~"
    "GS*HB*HOUSE*LAKESIDE*20261102*1200*7*X*005010X279A1~ST*271*0001*005010X279A1~"
)
FOOT = "GE*1*7~IEA*1*000000007~"
PERSON = (
    "HL*1**20*1~NM1*PR*2*NUMBAT MUTUAL*****PI*60054~HL*2*1*21*1~NM1*1P*2*LAKESIDE HOSPITAL*****XX*1234567893~HL*3*2*22*0~"
)  # fmt: skip


def said(question: Question, segments: str) -> str:
    """A 271 as the implementation guide has it (005010X279A1): whose it is, then what is said of them."""
    body = f"BHT*0022*11*{question.trace}*20261102*1200~{PERSON}TRN*2*{question.trace}*9123456789~{segments}"
    return f"{HEAD}{body}SE*{body.count('~') + 2}*0001~{FOOT}"


def envelope(parts: Json) -> str:
    """A form, its parts in their order."""
    told = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items())
    return f"{told}--{BOUNDARY}--\r\n"


def asked(question: Question) -> Json:
    """Section 4.4.2 of the rule: what a request says. All of it is exactly so."""
    payload = write_question(question, envelope_of(ACCOUNT, question)).decode("ascii")
    return {
        "PayloadType": "X12_270_Request_005010X279A1", "ProcessingMode": "RealTime",
        "PayloadID": str(UUID(question.trace)), "TimeStamp": "2026-11-02T12:00:00Z",
        "UserName": "lakeside", "Password": "a-password", "SenderID": "LAKESIDE", "ReceiverID": "HOUSE", "CORERuleVersion": "2.2.0",
        "Payload": payload,
    }  # fmt: skip


def answered(payload: str) -> Json:
    return {
        "PayloadType": "X12_271_Response_005010X279A1", "ProcessingMode": "RealTime", "PayloadID": "00000000-0000-5000-8000-000000000001",
        "TimeStamp": "2026-11-02T12:00:01Z", "SenderID": "HOUSE", "ReceiverID": "LAKESIDE", "CORERuleVersion": "2.2.0",
        "ErrorCode": "Success", "ErrorMessage": "", "Payload": payload,
    }  # fmt: skip


def define(question: Question, what: str, state: str, payload: str, pattern: str) -> Any:
    """`pattern` is of the 271, from its ISA on."""
    free = {"PayloadID": ".+", "TimeStamp": ".+", "ErrorMessage": ".*", "Payload": rf"ISA\*.*~ST\*271\*.*~{pattern}.*~IEA\*.*"}
    rules = {f"$.{name}": {"matchers": [{"match": "regex", "regex": regex}]} for name, regex in free.items()}
    typed = match.regex(f"{FORM}; boundary={BOUNDARY}", regex=f"{FORM}; ?boundary=.+")

    def defined(pact: Pact) -> None:
        one = pact.upon_receiving(what).given(state).with_request("POST", "/core").with_header("Content-Type", typed)
        one.with_body(envelope(asked(question)), f"{FORM}; boundary={BOUNDARY}").will_respond_with(200)
        one.with_header("Content-Type", typed).with_body(envelope(answered(payload)), f"{FORM}; boundary={BOUNDARY}")
        one.with_matching_rules({"body": rules}, part="Response")

    return defined


async def answer_to(address: str, question: Question) -> Answer:
    house = CoreHttp(f"{address}/core", Outgoing().reaching(address), ACCOUNT, seconds=20.0)
    answer = await house.ask(question)
    assert answer is not None
    return answer


async def use_covered(address: str) -> None:
    answer = await answer_to(address, QUESTION)
    assert (answer.member_id, answer.rejects) == (QUESTION.member_id, ())
    assert [(each.kind, each.plan, each.cents) for each in answer.benefits] == [("1", "GOLD PPO", None), ("B", "", 2500)]


async def use_unknown(address: str) -> None:
    answer = await answer_to(address, NOBODY)
    assert [each.reason for each in answer.rejects] == ["75"]


COVERED_SAID = said(QUESTION, "NM1*IL*1*QUOKKALINE*ANNA****MI*W123456789~DMG*D8*19800229~EB*1*IND*30**GOLD PPO~EB*B*IND*98****25*****Y~")
UNKNOWN_SAID = said(NOBODY, "NM1*IL*1*QUOKKALINE*ANNA****MI*N123456789~AAA*N**75*C~")
CLEARING_HOUSE = Contract("carewright-coverage", "clearing-house", (
    (
        define(QUESTION, "whether a member is covered", COVERED, COVERED_SAID, rf"TRN\*2\*{QUESTION.trace}\*.*~EB\*1\*"),
        use_covered,
    ),
    (
        define(NOBODY, "whether somebody unknown is covered", UNKNOWN, UNKNOWN_SAID, rf"TRN\*2\*{NOBODY.trace}\*.*~AAA\*N\*\*75\*"),
        use_unknown,
    ),
))  # fmt: skip
