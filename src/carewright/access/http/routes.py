"""Access over HTTP: parse, call one use case, render."""

from typing import Literal
from uuid import UUID

import msgspec

from carewright.access.context import AccessContext
from carewright.access.service import accounts, break_glass, clients, consents, sessions, stations
from carewright.contracts import access as c
from carewright.contracts import break_glass as b
from carewright.contracts import clients as k
from carewright.contracts import stations as w
from carewright.contracts.callers import IssuerTaken
from carewright.contracts.consents import Consent
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
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


class KeysBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The client's keys from now on: `keys`, or an address that publishes them."""

    keys: k.PublicKeys = ()
    keys_address: k.WebAddress | None = None


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


async def start_break_glass(ctx: Ctx, call: Call[Nothing, b.StartBreakGlass]) -> b.BreakGlass:
    return await break_glass.start_break_glass(ctx, call.body)


async def list_reviews(ctx: Ctx, call: Call[b.ListReviews, Nothing]) -> b.ReviewsPage:
    return await break_glass.list_reviews(ctx, call.query)


async def close_review(ctx: Ctx, call: Call[Nothing, CloseBody]) -> b.BreakGlass:
    command = b.CloseReview(break_glass_id=call.path["review_id"], outcome=call.body.outcome, finding=call.body.finding)
    return await break_glass.close_review(ctx, command)


async def give_consent(ctx: Ctx, call: Call[Nothing, c.GiveConsent]) -> c.GivenConsent:
    return await consents.give_consent(ctx, call.body)


async def record_consent(ctx: Ctx, call: Call[Nothing, c.RecordConsent]) -> Consent:
    return await consents.record_consent(ctx, call.body)


async def accept_consent(ctx: Ctx, call: Call[Nothing, c.AcceptConsent]) -> Consent:
    return await consents.accept_consent(ctx, call.body)


async def list_consents(ctx: Ctx, _: Call[Nothing, Nothing]) -> c.ConsentsPage:
    return await consents.list_consents(ctx)


async def withdraw_consent(ctx: Ctx, call: Call[Nothing, Nothing]) -> Consent:
    return await consents.withdraw_consent(ctx, call.path["consent_id"])


async def act_for(ctx: Ctx, call: Call[Nothing, c.ActFor]) -> c.StartedSession:
    return await consents.act_for(ctx, call.body)


async def register_client(ctx: Ctx, call: Call[Nothing, k.RegisterClient]) -> k.Client:
    return await clients.register_client(ctx, call.body)


async def list_clients(ctx: Ctx, _: Call[Nothing, Nothing]) -> k.ClientsPage:
    return await clients.list_clients(ctx)


async def change_client_keys(ctx: Ctx, call: Call[Nothing, KeysBody]) -> k.Client:
    command = k.ChangeClientKeys(client_id=call.path["client_id"], keys=call.body.keys, keys_address=call.body.keys_address)
    return await clients.change_client_keys(ctx, command)


async def list_stations(ctx: Ctx, _: Call[Nothing, Nothing]) -> w.StationsPage:
    return await stations.list_stations(ctx)


async def renew_station_code(ctx: Ctx, call: Call[Nothing, Nothing]) -> w.EnrolledStation:
    return await stations.renew_station_code(ctx, call.path["station_id"])


async def retire_station(ctx: Ctx, call: Call[Nothing, Nothing]) -> w.Station:
    return await stations.retire_station(ctx, call.path["station_id"])


CONSENTS = "/api/v1/access/consents"
STATIONS = "/api/v1/access/stations"
STATION = f"{STATIONS}/{{station_id}}"
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
    Route("POST", CONSENTS, give_consent, "Let somebody act for you; the answer has the code for them.", consents.GIVE, c.GivenConsent,
        body=c.GiveConsent),
    Route("POST", "/api/v1/access/acting", act_for, "Go on for somebody else by their consent, or for yourself again: with a new token.",
        OWN, c.StartedSession, body=c.ActFor, refusals=(c.UnknownConsent, c.SessionNeeded)),
    Route("GET", CONSENTS, list_consents, "Who may act for you, and for whom you may act.", OWN, c.ConsentsPage),
    Route("POST", f"{CONSENTS}/recorded", record_consent, "Write down at the desk who acts for whom, and by which proof.", consents.RECORD,
        Consent, body=c.RecordConsent),
    Route("POST", f"{CONSENTS}/accepted", accept_consent, "Become somebody's proxy by the code they gave you.", consents.GIVE, Consent,
        body=c.AcceptConsent, refusals=(c.ConsentNotRight,)),
    Route(
        "DELETE", f"{CONSENTS}/{{consent_id}}", withdraw_consent, "Withdraw a consent that you gave or have; the desk withdraws anybody's.",
        OWN, Consent, refusals=(c.UnknownConsent,),
    ),
    Route(
        "POST", "/api/v1/access/clients", register_client, "Let another system ask for tokens, or people let an app in.",
        clients.MANAGE, k.Client, body=k.RegisterClient, keyed=True,
        refusals=(c.StepUpNeeded, c.ScopeNotAllowed, c.KeysNotUsable, c.RedirectNotUsable, IssuerTaken),
    ),
    Route("GET", "/api/v1/access/clients", list_clients, "Other systems, and apps.", clients.MANAGE, k.ClientsPage),
    Route(
        "PUT", "/api/v1/access/clients/{client_id}/keys", change_client_keys, "Change a client's keys; its tokens end at once.",
        clients.MANAGE, k.Client, body=KeysBody, refusals=(c.StepUpNeeded, c.UnknownClient, c.KeysNotUsable),
    ),
    Route("GET", STATIONS, list_stations, "Screens and kiosks, and when each was seen last.", stations.MANAGE, w.StationsPage),
    Route(
        "POST", f"{STATION}/code", renew_station_code, "Another code for a screen or a kiosk.", stations.MANAGE, w.EnrolledStation,
        refusals=(c.UnknownStation, c.StepUpNeeded),
    ),
    Route(
        "POST", f"{STATION}/retire", retire_station, "Sign a screen or a kiosk out for good.", stations.MANAGE, w.Station,
        refusals=(c.UnknownStation,),
    ),
    Route(
        "POST", "/api/v1/access/break-glass", start_break_glass, "Read more than your role may, for 60 minutes at most, with a reason.",
        break_glass.START, b.BreakGlass, body=b.StartBreakGlass, keyed=True, priority=Priority.EMERGENCY,
        refusals=(c.StepUpNeeded, c.SessionNeeded),
    ),
    Route(
        "GET", "/api/v1/access/reviews", list_reviews, "When the glass was broken; what is still to be reviewed.", break_glass.REVIEW,
        b.ReviewsPage, query=b.ListReviews,
    ),
    Route(
        "POST", "/api/v1/access/reviews/{review_id}/close", close_review, "Write down what a review found.", break_glass.REVIEW,
        b.BreakGlass, body=CloseBody, refusals=(c.UnknownReview, c.ReviewNotYours),
    ),
)  # fmt: skip
