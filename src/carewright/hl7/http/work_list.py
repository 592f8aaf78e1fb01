"""The work list by our API: what did not fit and what partners did not take, fixed, tried again, seen to or given up."""

from carewright.contracts import hl7 as c
from carewright.contracts.hl7 import (
    Decided,
    MessageContent,
    ReplayBody,
    Replayed,
    SetMapping,
    SettleBody,
    ToldMessage,
    Waiting,
    WaitingMessage,
)
from carewright.hl7.context import Hl7Context as Ctx
from carewright.hl7.service import unsent, work_list
from carewright.kernel.http.routes import Call, Nothing, Route

MESSAGES, UNSENT, MAPPINGS = "/api/v1/hl7/messages", "/api/v1/hl7/unsent", "/api/v1/hl7/mappings"
ONE, ONE_UNSENT = MESSAGES + "/{message_id}", UNSENT + "/{message_id}"


async def list_messages(ctx: Ctx, _: Call[Nothing, Nothing]) -> Waiting:
    """The oldest that wait."""
    return Waiting(incoming=await work_list.list_waiting(ctx), outgoing=await unsent.list_unsent(ctx))


async def get_message(ctx: Ctx, call: Call[Nothing, Nothing]) -> WaitingMessage:
    """One that waits."""
    return await work_list.get_waiting(ctx, call.path["message_id"])


async def read_message(ctx: Ctx, call: Call[Nothing, Nothing]) -> MessageContent:
    """What it says."""
    return MessageContent(content=await work_list.read_message(ctx, call.path["message_id"]))


async def replay_message(ctx: Ctx, call: Call[Nothing, ReplayBody]) -> Replayed:
    """Try it again."""
    return await work_list.replay_message(ctx, call.path["message_id"], call.body.content)


async def settle_message(ctx: Ctx, call: Call[Nothing, SettleBody]) -> Decided:
    """Take it off the list."""
    await work_list.settle(ctx, call.path["message_id"], call.body.reason)
    return Decided(id=call.path["message_id"], status="settled")


async def set_mapping(ctx: Ctx, call: Call[Nothing, SetMapping]) -> SetMapping:
    """What a code becomes."""
    await work_list.set_mapping(ctx, call.body.table, call.body.code, call.body.target)
    return call.body


async def read_unsent(ctx: Ctx, call: Call[Nothing, Nothing]) -> ToldMessage:
    """What was told, and the answer."""
    return await unsent.read_unsent(ctx, call.path["message_id"])


async def resend_message(ctx: Ctx, call: Call[Nothing, Nothing]) -> Decided:
    """Tell it again."""
    await unsent.resend(ctx, call.path["message_id"])
    return Decided(id=call.path["message_id"], status="due")


async def drop_message(ctx: Ctx, call: Call[Nothing, Nothing]) -> Decided:
    """Tell it no more."""
    await unsent.drop(ctx, call.path["message_id"])
    return Decided(id=call.path["message_id"], status="dropped")


KNOWN = (c.UnknownMessage,)
ROUTES = (
    Route("GET", MESSAGES, list_messages, "The oldest messages that wait, from other systems and to them", work_list.WORK_LIST, Waiting),
    Route("GET", ONE, get_message, "One message that waits", work_list.WORK_LIST, WaitingMessage, refusals=KNOWN),
    Route("GET", ONE + "/content", read_message, "A message as it was sent; recorded", work_list.READ, MessageContent, refusals=KNOWN),
    Route(
        "POST", ONE + "/replay", replay_message, "Try a message again, as it was sent or as it was corrected", work_list.WORK_LIST,
        Replayed, body=ReplayBody, refusals=(*KNOWN, c.EarlierWaits, c.NotHl7),
    ),
    Route(
        "POST", ONE + "/settle", settle_message, "Take a message off the list that was seen to by hand", work_list.WORK_LIST, Decided,
        body=SettleBody, refusals=KNOWN,
    ),
    Route("PUT", MAPPINGS, set_mapping, "What a code of others becomes from now on", work_list.MAP, SetMapping, body=SetMapping),
    Route("GET", ONE_UNSENT, read_unsent, "A message that a partner did not take; recorded", work_list.READ, ToldMessage, refusals=KNOWN),
    Route("POST", ONE_UNSENT + "/resend", resend_message, "Send it again", work_list.WORK_LIST, Decided, refusals=KNOWN),
    Route("POST", ONE_UNSENT + "/drop", drop_message, "Do not send it any more", work_list.WORK_LIST, Decided, refusals=KNOWN),
)  # fmt: skip
