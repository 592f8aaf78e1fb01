"""How access is wired."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from carewright.access import handlers, store
from carewright.access.context import AccessContext
from carewright.access.http.oauth import pages
from carewright.access.http.routes import ROUTES
from carewright.access.jobs import TIMERS
from carewright.access.model.oidc import unknown_roles
from carewright.access.service import (
    accounts,
    apps,
    break_glass,
    callers,
    clients,
    codes,
    consents,
    id_tokens,
    launches,
    passkeys,
    sessions,
    sign_in,
    stations,
)
from carewright.access.service.client_keys import PublishedKeys
from carewright.access.service.provider import IdentityProvider
from carewright.access.settings import AccessSettings
from carewright.access.store import id_keys
from carewright.contracts import access as c
from carewright.contracts import apps as a
from carewright.contracts import break_glass as b
from carewright.contracts import clients as k
from carewright.contracts import passkeys as p
from carewright.contracts import smart
from carewright.contracts import stations as w
from carewright.contracts.callers import ProveCaller
from carewright.contracts.consents import Consent, FindProxies, ProxiesPage
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running
from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import origin_in


class LocalAccess:
    """The `Access` Protocol in this process."""

    def __init__(self, context: AccessContext) -> None:
        self._context = context

    async def actor_of(self, actor: Actor, token: str) -> Actor | None:
        """Whose tenant a token is of is what is asked here: so it is looked up as the system, which sees every tenant's."""
        return await sessions.actor_of(replace(self._context, actor=actor), token)

    async def find_live_sessions(self, actor: Actor, session_ids: tuple[UUID, ...]) -> dict[UUID, str]:
        return await sessions.find_live_sessions(self._context.acting(actor), session_ids)

    async def actor_of_client(self, actor: Actor, client_id: UUID) -> Actor | None:
        """As `actor_of`: a client's id is unique across tenants."""
        return await clients.actor_of_client(replace(self._context, actor=actor), client_id)

    async def app_origins(self, actor: Actor) -> tuple[str, ...]:
        """As `actor_of`: a browser does not say whose app it shows."""
        return await clients.app_origins(replace(self._context, actor=actor))

    async def actor_of_caller(self, actor: Actor, command: ProveCaller) -> Actor:
        """As `actor_of`: an issuer is unique across tenants."""
        return await callers.actor_of_caller(replace(self._context, actor=actor), command)

    async def start_code(self, actor: Actor, command: c.RequestCode) -> c.IssuedCode:
        return await codes.start_code(self._context.acting(actor), command)

    async def redeem_code(self, actor: Actor, command: c.RedeemCode) -> c.StartedSession:
        return await codes.redeem_code(self._context.acting(actor), command)

    async def my_sessions(self, actor: Actor) -> tuple[c.Session, ...]:
        return await sessions.my_sessions(self._context.acting(actor))

    async def end_session(self, actor: Actor, session_id: UUID) -> c.Session:
        return await sessions.end_session(self._context.acting(actor), session_id)

    async def end_all_sessions(self, actor: Actor, subject: str) -> int:
        return await sessions.end_all_sessions(self._context.acting(actor), subject)

    async def names_of(self, actor: Actor, subjects: tuple[str, ...]) -> dict[str, str]:
        return await accounts.names_of(self._context.acting(actor), subjects)

    async def start_break_glass(self, actor: Actor, command: b.StartBreakGlass, idempotency_key: str | None = None) -> b.BreakGlass:
        return await break_glass.start_break_glass(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def end_break_glass(self, actor: Actor) -> int:
        return await break_glass.end_break_glass(self._context.acting(actor))

    async def list_reviews(self, actor: Actor, query: b.ListReviews) -> b.ReviewsPage:
        return await break_glass.list_reviews(self._context.acting(actor), query)

    async def close_review(self, actor: Actor, command: b.CloseReview) -> b.BreakGlass:
        return await break_glass.close_review(self._context.acting(actor), command)

    async def give_consent(self, actor: Actor, command: c.GiveConsent) -> c.GivenConsent:
        return await consents.give_consent(self._context.acting(actor), command)

    async def record_consent(self, actor: Actor, command: c.RecordConsent) -> Consent:
        return await consents.record_consent(self._context.acting(actor), command)

    async def accept_consent(self, actor: Actor, command: c.AcceptConsent) -> Consent:
        return await consents.accept_consent(self._context.acting(actor), command)

    async def list_consents(self, actor: Actor) -> c.ConsentsPage:
        return await consents.list_consents(self._context.acting(actor))

    async def find_proxies(self, actor: Actor, query: FindProxies) -> ProxiesPage:
        return await consents.find_proxies(self._context.acting(actor), query)

    async def withdraw_consent(self, actor: Actor, consent_id: UUID) -> Consent:
        return await consents.withdraw_consent(self._context.acting(actor), consent_id)

    async def act_for(self, actor: Actor, command: c.ActFor) -> c.StartedSession:
        return await consents.act_for(self._context.acting(actor), command)

    async def register_client(self, actor: Actor, command: k.RegisterClient, idempotency_key: str | None = None) -> k.Client:
        return await clients.register_client(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_clients(self, actor: Actor) -> k.ClientsPage:
        return await clients.list_clients(self._context.acting(actor))

    async def change_client_keys(self, actor: Actor, command: k.ChangeClientKeys) -> k.Client:
        return await clients.change_client_keys(self._context.acting(actor), command)

    async def look_at_app(self, actor: Actor, command: a.AskApp) -> a.AppAsked:
        return await apps.look_at_app(self._context.acting(actor), command)

    async def let_app_in(self, actor: Actor, command: a.LetAppIn) -> a.AppCode:
        return await apps.let_app_in(self._context.acting(actor), command)

    async def startable_apps(self, actor: Actor) -> tuple[a.StartableApp, ...]:
        return await launches.startable_apps(self._context.acting(actor))

    async def start_app(self, actor: Actor, command: a.StartApp) -> a.AppStarted:
        return await launches.start_app(self._context.acting(actor), command)

    async def answer_launch(self, actor: Actor, command: a.AskApp) -> a.AppCode:
        return await launches.answer_launch(self._context.acting(actor), command)

    async def my_apps(self, actor: Actor) -> tuple[a.AppLetIn, ...]:
        return await apps.my_apps(self._context.acting(actor))

    async def list_app_grants(self, actor: Actor, query: a.ListAppGrants) -> a.AppGrantsPage:
        return await apps.list_app_grants(self._context.acting(actor), query)

    async def turn_app_off(self, actor: Actor, grant_id: UUID) -> None:
        await apps.turn_app_off(self._context.acting(actor), grant_id)

    async def enrol_station(self, actor: Actor, command: w.EnrolStation) -> w.EnrolledStation:
        return await stations.enrol_station(self._context.acting(actor), command)

    async def renew_station_code(self, actor: Actor, station_id: UUID) -> w.EnrolledStation:
        return await stations.renew_station_code(self._context.acting(actor), station_id)

    async def list_stations(self, actor: Actor) -> w.StationsPage:
        return await stations.list_stations(self._context.acting(actor))

    async def retire_station(self, actor: Actor, station_id: UUID) -> w.Station:
        return await stations.retire_station(self._context.acting(actor), station_id)

    async def redeem_station_code(self, actor: Actor, command: w.RedeemStationCode) -> c.StartedSession:
        """As `actor_of`: a code does not say whose station it is."""
        return await stations.redeem_station_code(replace(self._context, actor=actor), command)

    async def own_station(self, actor: Actor) -> w.Station:
        return await stations.own_station(self._context.acting(actor))

    async def disable_account(self, actor: Actor, account_id: UUID) -> c.Account:
        return await accounts.disable_account(self._context.acting(actor), account_id)

    async def enable_account(self, actor: Actor, account_id: UUID) -> c.Account:
        return await accounts.enable_account(self._context.acting(actor), account_id)

    async def start_sign_in(self, actor: Actor, command: c.StartSignIn) -> c.SignInStarted:
        return await sign_in.start_sign_in(self._context.acting(actor), command)

    async def complete_sign_in(self, actor: Actor, command: c.CompleteSignIn) -> c.SignedIn:
        return await sign_in.complete_sign_in(self._context.acting(actor), command)

    async def find_passkey_origin(self, actor: Actor) -> str | None:
        return await passkeys.find_passkey_origin(self._context.acting(actor))

    async def start_passkey(self, actor: Actor, command: p.StartPasskey) -> p.PasskeyAsked:
        return await passkeys.start_passkey(self._context.acting(actor), command)

    async def add_passkey(self, actor: Actor, command: p.AddPasskey) -> p.Passkey:
        return await passkeys.add_passkey(self._context.acting(actor), command)

    async def start_passkey_sign_in(self, actor: Actor, command: p.StartPasskey) -> p.PasskeyAsked:
        return await passkeys.start_passkey_sign_in(self._context.acting(actor), command)

    async def redeem_passkey(self, actor: Actor, command: p.RedeemPasskey) -> c.StartedSession:
        return await passkeys.redeem_passkey(self._context.acting(actor), command)

    async def my_passkeys(self, actor: Actor) -> tuple[p.Passkey, ...]:
        return await passkeys.my_passkeys(self._context.acting(actor))

    async def remove_passkey(self, actor: Actor, passkey_id: UUID) -> None:
        await passkeys.remove_passkey(self._context.acting(actor), passkey_id)

    async def who_am_i(self, actor: Actor) -> c.WhoAmI:
        return await accounts.who_am_i(self._context.acting(actor))

    async def account_of(self, actor: Actor, subject: str) -> c.Account | None:
        return await accounts.account_of(self._context.acting(actor), subject)


def _provider_origin(settings: AccessSettings) -> list[str]:
    """Where the identity provider is, by configuration: it may be inside. What it names elsewhere must be public, or be listed."""
    return [origin_in(settings.oidc_issuer)] if urlsplit(settings.oidc_issuer).netloc else []


async def start(base: Context, settings: AccessSettings, resolve: Callable[[type], Any]) -> Running:
    """Access needs its tables, and an identity provider once somebody signs in. A table of roles that names none stops the start."""
    if strange := unknown_roles(settings.oidc_roles):
        raise StartFailed(f"CAREWRIGHT_ACCESS_OIDC_ROLES names no role of staff in {strange[0]!r}.")
    outgoing: Outgoing = resolve(Outgoing)
    client = httpx.AsyncClient(transport=outgoing.reaching(*_provider_origin(settings)), trust_env=False)
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    provider, published = IdentityProvider(settings, base.clock, client), PublishedKeys(base.clock, outgoing)
    context = AccessContext(**world, settings=settings, provider=provider, published=published)
    return Running(context, {c.Access: LocalAccess(context)}, stop=client.aclose)


MODULE = Module(
    name="access",
    start=start,
    settings=AccessSettings,
    offers=(c.Access,),
    routes=ROUTES,
    prefixes=("/api/v1/access", "/oauth"),
    pages=pages,
    shared={
        **dict.fromkeys((smart.TOKEN_PATH, smart.INTROSPECT_PATH, smart.REVOKE_PATH), "known"),
        **dict.fromkeys((smart.OPENID_PATH, smart.KEYS_PATH), "anybody"),
    },
    subscriptions={PatientErased: handlers.shut_out_erased, PatientMerged: handlers.take_over},
    timers=TIMERS,
    sealed={
        store.BREAK_GLASS: break_glass.reseal_break_glass,
        store.PASSKEY: passkeys.reseal_passkeys,
        id_keys.ID_KEY: id_tokens.reseal_id_keys,
    },
)
