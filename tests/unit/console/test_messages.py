"""The work list's pages, rendered: what is shown of a message that a partner did not take, and to whom."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from carewright.console.http.messages import problem_of
from carewright.console.http.page import templates
from carewright.contracts.hl7 import ToldMessage, UnsentMessage

UNSENT = UnsentMessage(
    id=UUID(int=1), partner_id=UUID(int=2), event="S13", reason="AE-103", refusals=3, made_at=datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
)


def rendered(template: str, **values: Any) -> str:
    return templates().get_template(template).render(hospital="Test", me=None, form_token="", **values)


def test_what_a_partner_did_not_take_can_be_sent_again_and_is_read_by_whoever_may() -> None:
    for may_read in (True, False):
        page = rendered("messages.html", incoming=(), outgoing=(UNSENT,), problem_of=problem_of, may_read=may_read)
        assert "SIU^S13 was not taken: AE-103" in page
        assert all(deed in page for deed in ("/resend", "/drop"))
        assert ("/unsent" in page) is may_read


def test_a_message_that_was_told_is_shown_escaped_with_the_answer() -> None:
    page = rendered("unsent.html", message_id=UUID(int=1), told=ToldMessage(content="MSH|^~\\&|A\nPID|1||<b>", said="Who is <Muster>?"))
    assert "PID|1||&lt;b&gt;" in page
    assert "Who is &lt;Muster&gt;?" in page
    assert "could not be made" in rendered("unsent.html", message_id=UUID(int=1), told=ToldMessage(content="", said=""))


def test_every_other_reason_is_shown_as_its_code() -> None:
    assert problem_of("hl7.unmapped") == "The sender uses a code that we do not know."
    assert problem_of("scheduling.unknown_site") == "It was refused: scheduling.unknown_site."
