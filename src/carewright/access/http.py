"""Access over HTTP: parse, call one use case, render."""

from typing import Literal
from uuid import UUID

import msgspec

from carewright.access.context import AccessContext
from carewright.access.service import accounts, break_glass, sessions
from carewright.contracts import access as c
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.values import Code, Reason

Ctx = AccessContext
OWN = sessions.OWN


class SessionsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[c.Session, ...]


class CloseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outcome: Literal["justified", "not-justified"]
    finding: Reason


class AccountsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after` is the id of the last account of an earlier page."""

    role: Code | None = None
    after: UUID | None = None


async def who_am_i(ctx: Ctx, _: Call[Nothing, Nothing]) -> c.WhoAmI:
    return await accounts.who_am_i(ctx)


async def list_sessions(ctx: Ctx, _: Call[Nothing, Nothing]) -> SessionsPage:
    return SessionsPage(items=await sessions.my_sessions(ctx))


async def end_session(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Session:
    return await sessions.end_session(ctx, call.path["session_id"])


async def list_accounts(ctx: Ctx, call: Call[AccountsQuery, Nothing]) -> c.AccountsPage:
    return await accounts.list_accounts(ctx, call.query.role, call.query.after)


async def disable_account(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Account:
    return await accounts.disable_account(ctx, call.path["account_id"])


async def enable_account(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Account:
    return await accounts.enable_account(ctx, call.path["account_id"])


async def start_break_glass(ctx: Ctx, call: Call[Nothing, c.StartBreakGlass]) -> c.BreakGlass:
    return await break_glass.start_break_glass(ctx, call.body)


async def list_reviews(ctx: Ctx, call: Call[c.ListReviews, Nothing]) -> c.ReviewsPage:
    return await break_glass.list_reviews(ctx, call.query)


async def close_review(ctx: Ctx, call: Call[Nothing, CloseBody]) -> c.BreakGlass:
    command = c.CloseReview(break_glass_id=call.path["review_id"], outcome=call.body.outcome, finding=call.body.finding)
    return await break_glass.close_review(ctx, command)


ACCOUNT = "/api/v1/access/accounts/{account_id}"

ROUTES = (
    Route("GET", "/api/v1/access/me", who_am_i, "Who you are here, and what you may do.", OWN, c.WhoAmI),
    Route("GET", "/api/v1/access/sessions", list_sessions, "Your sessions.", OWN, SessionsPage),
    Route(
        "DELETE", "/api/v1/access/sessions/{session_id}", end_session, "End one of your sessions; an administrator ends anybody's.",
        OWN, c.Session, refusals=(c.UnknownSession,),
    ),
    Route(
        "GET", "/api/v1/access/accounts", list_accounts, "Whoever has signed in, or may.", accounts.READ, c.AccountsPage,
        query=AccountsQuery,
    ),
    Route(
        "POST", f"{ACCOUNT}/disable", disable_account, "Shut somebody out; their sessions end at once.", sessions.MANAGE, c.Account,
        refusals=(c.UnknownAccount, c.StepUpNeeded),
    ),
    Route(
        "POST", f"{ACCOUNT}/enable", enable_account, "Let somebody in again.", sessions.MANAGE, c.Account,
        refusals=(c.UnknownAccount, c.StepUpNeeded),
    ),
    Route(
        "POST", "/api/v1/access/break-glass", start_break_glass, "Read more than your role may, for 60 minutes at most, with a reason.",
        break_glass.START, c.BreakGlass, body=c.StartBreakGlass, keyed=True, refusals=(c.StepUpNeeded, c.SessionNeeded),
    ),
    Route(
        "GET", "/api/v1/access/reviews", list_reviews, "When the glass was broken; what is still to be reviewed.", break_glass.REVIEW,
        c.ReviewsPage, query=c.ListReviews,
    ),
    Route(
        "POST", "/api/v1/access/reviews/{review_id}/close", close_review, "Write down what a review found.", break_glass.REVIEW,
        c.BreakGlass, body=CloseBody, refusals=(c.UnknownReview, c.ReviewNotYours),
    ),
)  # fmt: skip
