"""What became of cards, as clients tell it: counted, and in the journal beside the card's id. Nobody's words are kept."""

from prometheus_client import Counter

from carewright.cds.context import CdsContext
from carewright.cds.service.advising import ADVISE
from carewright.contracts.cds import FeedbackGiven
from carewright.kernel import audit
from carewright.kernel.errors import BadInput

TAKEN = Counter("carewright_cds_feedback_total", "What clients told of our cards.", ["outcome"])
EVENTS = {"accepted": "cds.card.accept", "overridden": "cds.card.override"}


async def take_feedback(ctx: CdsContext, given: FeedbackGiven) -> dict[str, str]:
    """Record each. The same may come again. Raises `BadInput` where an accepted card names no suggestion."""
    ctx.actor.require(ADVISE)
    if any(each.outcome == "accepted" and not each.accepted_suggestions for each in given.feedback):
        raise BadInput("Say which suggestions were accepted.", parameter="acceptedSuggestions")
    async with ctx.db.transaction() as tx:
        entries = (
            audit.entry(ctx, EVENTS[each.outcome], "E", entities=(audit.Entity(type="Card", id=each.card),)) for each in given.feedback
        )
        await audit.record(tx, *entries)
    for each in given.feedback:
        TAKEN.labels(each.outcome).inc()
    return {}
