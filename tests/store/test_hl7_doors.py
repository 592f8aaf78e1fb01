"""HL7 v2's doors and its store: MLLP over real sockets, HTTP, acknowledgements, and what is kept of each message."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from carewright.contracts.permissions import ROLES
from carewright.hl7 import mllp, store
from carewright.hl7.model.framing import framed
from carewright.hl7.model.message import Message, parse
from carewright.hl7.service import receive
from carewright.hl7.settings import Hl7Settings
from carewright.kernel.errors import Forbidden, Unavailable
from carewright.kernel.settings import StartFailed
from tests.certificates import Authority
from tests.hl7_sender import ANSWER_SECONDS_MAX, Sender, listening, registered, said


@pytest.mark.requirement("V2.ack")
async def test_a_connection_carries_many_messages_each_answered_in_turn(sender: Sender) -> None:
    start = await sender.free()
    async with listening(sender) as connect:
        line = await connect()
        booked = await line.says(sender.siu("S12", "line", start))
        again = await line.says(sender.siu("S15", "line"))
    assert [booked and said(booked), again and said(again)] == [("AA", ""), ("AA", "")]
    assert (await sender.appointment("line"))["status"] == "cancelled"


async def test_half_frames_and_garbage_disturb_nobody(sender: Sender) -> None:
    message = sender.adt("A28", "half")
    async with listening(sender) as connect:
        line = await connect()
        line.writer.write(b"HELLO\r\n" + framed(message)[:40])
        await line.writer.drain()
        answer = await line.says(message)
    assert answer is not None
    assert (said(answer), answer.text("MSA", 2)) == (("AA", ""), parse(message).control_id)


async def test_several_messages_in_one_packet_are_all_answered(sender: Sender) -> None:
    messages = [sender.adt("A28", f"pack{number}") for number in range(3)]
    heard = await _heard_at_once(sender, messages)
    assert [each.text("MSA", 2) for each in heard] == [parse(each).control_id for each in messages]


async def test_messages_that_come_together_are_done_in_their_order_where_it_matters(sender: Sender) -> None:
    """A patient is registered before the booking, time is given back before somebody else gets it, and ten others are in between."""
    start = await sender.free()
    others = [sender.adt("A28", f"amid{number}") for number in range(10)]
    messages = [
        sender.adt("A28", "M-give"), sender.siu("S12", "give", start), *others[:5], sender.siu("S15", "give"), *others[5:],
        sender.siu("S12", "get", start), sender.adt("A08", "M-get", name="Beispiel^Birgit"),
    ]  # fmt: skip
    heard = await _heard_at_once(sender, messages)
    assert [each.text("MSA", 2) for each in heard] == [parse(each).control_id for each in messages]
    assert {said(each) for each in heard} == {("AA", "")}
    assert [(await sender.appointment(own))["status"] for own in ("give", "get")] == ["cancelled", "booked"]


async def test_one_that_breaks_us_stops_none_of_those_beside_it(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is answered, so everything comes again; what was done meanwhile is done once."""
    messages = [sender.adt("A28", f"beside{number}") for number in range(4)]
    keep, before = store.keep_message, len(await sender.stored())

    async def breaks_once(*given: Any) -> bool:
        if given[2].content == messages[1]:
            raise ConnectionResetError
        return await keep(*given)

    with monkeypatch.context() as patch:
        patch.setattr("carewright.hl7.store.keep_message", breaks_once)
        with pytest.raises(ConnectionResetError):
            await receive.receive_all(await sender.acting(), messages)
    answers = await receive.receive_all(await sender.acting(), messages)
    assert [said(parse(each)) for each in answers] == [("AA", "")] * 4
    assert len(await sender.stored()) == before + 4


async def _heard_at_once(sender: Sender, messages: Sequence[bytes]) -> list[Message]:
    """The answers to messages that are sent in one packet, without waiting."""
    async with listening(sender) as connect:
        line = await connect()
        line.writer.write(b"".join(framed(each) for each in messages))
        heard: list[bytes] = []
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while len(heard) < len(messages):
                heard += line.deframer.feed(await line.reader.read(65536))
    return [parse(each) for each in heard]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [({"message_bytes_max": 200}, b"\x0b" + b"x" * 300), ({"message_seconds": 0.05}, b"\x0bMSH|slow"), ({"idle_seconds": 0.05}, b"")],
)
async def test_who_sends_too_much_too_slowly_or_nothing_is_hung_up_on(sender: Sender, settings: dict[str, Any], sent: bytes) -> None:
    async with listening(sender, **settings) as connect:
        line = await connect()
        line.writer.write(sent)
        assert await line.hears() is None


async def test_more_connections_than_are_allowed_are_closed(sender: Sender) -> None:
    async with listening(sender, connections_max=1) as connect:
        first = await connect()
        assert await first.says(sender.adt("A28", "first")) is not None
        assert await (await connect()).hears() is None
        assert await first.says(sender.adt("A28", "first")) is not None


async def test_a_client_that_is_nobody_is_hung_up_on_and_on_record(sender: Sender) -> None:
    async with listening(sender, senders=str(uuid4())) as connect:
        assert await (await connect()).says(sender.adt("A28", "nobody")) is None


async def test_a_sender_is_who_its_certificate_names(sender: Sender, tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    server, known, stranger, forged = ours.sign("server"), ours.sign("ehr"), ours.sign("stranger"), theirs.sign("ehr2")
    files = {"tls_certificate_file": str(server.certificate), "tls_key_file": str(server.key), "tls_client_authority_file": str(ours.file)}

    def calling(certificate: Any) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(ours.file))
        if certificate is not None:
            context.load_cert_chain(certificate.certificate, certificate.key)
        return context

    async with listening(sender, senders=f"ehr={sender.client_id}", **files) as connect:
        answer = await (await connect(calling(known))).says(sender.adt("A28", "tls"))
        assert answer
        assert said(answer) == ("AA", "")
        for other in (stranger, None):
            assert await (await connect(calling(other))).says(sender.adt("A28", "tls2")) is None
        with pytest.raises((OSError, AssertionError)):
            assert await (await connect(calling(forged))).says(sender.adt("A28", "tls2")) is not None


@pytest.mark.parametrize(
    "settings",
    [{"senders": ""}, {"senders": "ehr"}, {"senders": f"ehr={uuid4()}"}, {"senders": str(uuid4()), "host": "198.51.100.7"},
     {"senders": str(uuid4()), "tls_key_file": "x"}],
)  # fmt: skip
def test_a_listener_that_would_trust_nobody_or_everybody_does_not_start(settings: dict[str, Any]) -> None:
    with pytest.raises(StartFailed):
        mllp.listening_of(Hl7Settings(**settings))


async def test_a_message_comes_by_http_as_well(sender: Sender) -> None:
    token = sender.whole.signed((await sender.acting()).actor)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/hl7-v2"}
    batch = b"BHS|^~\\&|EHR\r" + sender.adt("A28", "web1") + sender.adt("A28", "web2") + b"BTS|2\r"
    answer = await sender.whole.ask("POST", "/hl7/v2", headers, batch)
    assert (answer.status, answer.body.count(b"MSA|AA|")) == (200, 2)
    assert (await sender.whole.ask("POST", "/hl7/v2", headers, b"nonsense")).body.count(b"MSA|AR|") == 1
    assert (await sender.whole.ask("POST", "/hl7/v2", headers | {"Content-Type": "text/plain"}, batch)).status == 415
    assert (await sender.whole.ask("POST", "/hl7/v2", headers | {"Authorization": "Bearer none"}, batch)).status == 401
    staff = sender.whole.signed(sender.whole.system.tokens.actor("front-desk", "desk", sender.whole.known.organization_id))
    assert (await sender.whole.ask("POST", "/hl7/v2", headers | {"Authorization": f"Bearer {staff}"}, batch)).status == 403


async def test_a_message_that_comes_again_has_its_answer_and_no_second_effect(sender: Sender) -> None:
    message = sender.siu("S12", "twice", await sender.free())
    before = len(await sender.stored())
    first, *others = await asyncio.gather(*(sender.says(message) for _ in range(5)))
    assert {said(each) for each in (first, *others)} == {("AA", "")}
    stamped_anew = message.replace(b"|20261101||", b"|20261102||")
    assert said(await sender.says(stamped_anew)) == ("AA", "")
    assert len(await sender.stored()) == before + 1
    await sender.appointment("twice")


async def test_a_control_id_that_serves_twice_loses_no_message(sender: Sender) -> None:
    assert said(await sender.says(sender.adt("A28", "ctl1", control="SAME"))) == ("AA", "")
    assert said(await sender.says(sender.adt("A28", "ctl2", control="SAME"))) == ("AA", "")
    assert await sender.patient("ctl1") != await sender.patient("ctl2")


async def test_what_was_done_before_a_crash_is_not_done_again(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The booking was made, and the process died before the message was stored."""
    message = sender.siu("S12", "crash", await sender.free())

    async def dies(*_: object) -> bool:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr("carewright.hl7.store.keep_message", dies)
        assert said(await sender.says(message)) == ("AR", "207")
    assert said(await sender.says(message)) == ("AA", "")
    await sender.appointment("crash")


async def test_what_cannot_be_taken_now_is_not_stored_and_comes_again(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable

    before = len(await sender.stored())
    with monkeypatch.context() as patch:
        patch.setattr("carewright.hl7.store.look", away)
        assert said(await sender.says(sender.adt("A28", "away"))) == ("AR", "207")
    assert len(await sender.stored()) == before


async def test_a_message_is_sealed_and_its_answer_tells_nothing(sender: Sender) -> None:
    answer = await sender.says(sender.adt("A28", "sealed", name="Geheim^Gerda"))
    row = (await sender.stored())[-1]
    assert b"Geheim" not in row["content"]
    assert row["patient_id"] == await sender.patient("sealed")
    assert not any("Geheim" in field for segment in answer.segments for field in segment.fields)


@pytest.mark.requirement("V2.ack")
@pytest.mark.parametrize(
    ("change", "error"),
    [((b"SIU^S12", b"ORU^R01"), "200"), ((b"SIU^S12", b"SIU^S99"), "201"), ((b"|P|2.5.1", b"|T|2.5.1"), "202"),
     ((b"|2.5.1", b"|3.0"), "203")],
)  # fmt: skip
async def test_a_message_out_of_form_is_refused_and_stored(sender: Sender, change: tuple[bytes, bytes], error: str) -> None:
    message = sender.siu("S12", f"form{error}", "20270101").replace(*change, 1)
    assert said(await sender.says(message)) == ("AR", error)
    assert ((await sender.stored())[-1]["status"], (await sender.stored())[-1]["kind"]) == ("refused", "^".join(parse(message).kind))


async def test_what_is_no_message_is_refused_and_stored(sender: Sender) -> None:
    assert said(await sender.says(b"\x00\xff nonsense")) == ("AR", "100")
    answer = await sender.says(b"MSH|^~\\&|EHR|HOSP|CW|CW|2026||ADT^A28|ID7|P|2.5||||||EBCDIC\rPID|1||1")
    assert (said(answer), answer.text("MSA", 2)) == (("AR", "100"), "ID7")
    assert [row["status"] for row in await sender.stored()][-2:] == ["refused", "refused"]


async def test_who_may_not_is_refused_and_may_send_again_once_allowed(sender: Sender) -> None:
    narrow = Sender(sender.whole, sender.clinic, await registered(sender.whole, ("hl7.message.receive", "patients.find", "directory.read")))
    message = narrow.adt("A28", "narrow")
    assert said(await narrow.says(message)) == ("AR", "207")
    assert (await narrow.stored())[-1]["reason"] == "kernel.forbidden"
    assert said(await narrow.says(message)) == ("AR", "207"), "as often as it is sent"
    ctx = await narrow.acting()
    wider = ctx.acting(msgspec.structs.replace(ctx.actor, permissions=ROLES["integration"]))
    answer = await receive.receive(wider, message)
    assert answer
    assert said(parse(answer)) == ("AA", "")
    with pytest.raises(Forbidden):
        await receive.receive(sender.as_staff("integration"), message)


async def test_an_old_sender_is_answered_in_its_version(sender: Sender) -> None:
    answer = await sender.says(sender.siu("S99", "old", version="2.3"))
    assert (answer.text("MSH", 12), answer.text("ERR", 1, 4), answer.first("ERR").field(1)) == (
        "2.3",
        "201",
        "MSH^1^9^201&Unsupported event code",
    )
    assert (answer.text("MSH", 3), answer.text("MSH", 5), answer.text("MSH", 9)) == ("CW", "EHR", "ACK")


@pytest.mark.parametrize(
    ("accept", "application", "code"), [("AL", "NE", "CA"), ("NE", "NE", None), ("ER", "NE", None), ("", "ER", None), ("NE", "AL", "AA")]
)
async def test_a_sender_hears_what_it_asked_to_hear(sender: Sender, accept: str, application: str, code: str | None) -> None:
    message = sender.adt("A28", f"mode{accept}{application}").replace(b"|P|2.4\r", f"|P|2.4|||{accept}|{application}\r".encode(), 1)
    answer = await receive.receive(await sender.acting(), message)
    assert (parse(answer).text("MSA", 1) if answer else None) == code
