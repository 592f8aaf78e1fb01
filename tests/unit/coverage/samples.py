"""Made-up questions and answers."""

from datetime import UTC, date, datetime

from carewright.contracts.coverage import Insured
from carewright.coverage.model.question import Answer, Benefit, Provider, Question
from carewright.coverage.model.x12.interchange import Envelope

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
ANNA = Insured(family="QUOKKALINE", given=("ANNA",), birth_on=date(1980, 2, 29), gender="female")
BEN = Insured(family="QUOKKALINE", given=("BEN", "BO"), birth_on=date(2016, 3, 1), gender="male")
QUESTION = Question(
    trace="0123456789ABCDEF", asked_at=NOON, provider=Provider(name="LAKESIDE HOSPITAL", npi="1234567893"), payer_name="NUMBAT MUTUAL",
    payer_id="60054", member_id="W123456789", subscriber=ANNA, service_type="98", serviced_on=TODAY,
)  # fmt: skip
ANSWER = Answer(
    traces=(QUESTION.trace,), payer_name="NUMBAT MUTUAL", member_id="W123456789", subscriber_birth_on=ANNA.birth_on,
    plan_begins_on=date(2026, 1, 1), plan_ends_on=date(2026, 12, 31),
    benefits=(
        Benefit(kind="1", level="IND", service_types=("30",), plan="GOLD PPO"),
        Benefit(kind="B", level="IND", service_types=("98",), period="27", cents=2500, in_network="Y"),
        Benefit(kind="C", level="IND", service_types=("30",), period="29", cents=40000, in_network="Y"),
        Benefit(kind="A", level="IND", service_types=("98",), percent=20.0, in_network="Y"),
    ),
)  # fmt: skip
ENVELOPE = Envelope(sender="CAREWRIGHT", receiver="CLEARING", control=7, at=NOON)
