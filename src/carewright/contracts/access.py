"""Access's language: who signs in and how, the sessions that follow, other systems, and breaking the glass.

Rims ask as the system (`access.sign_in`) while nobody is signed in yet, and as the person afterwards. Tokens, codes and secrets stand in
commands and answers of this contract alone: no event, no audit entry and no fact of a refusal carries one.
"""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.apps import (
    AppAsked,
    AppCode,
    AppGrantsPage,
    AppLetIn,
    AppStarted,
    AskApp,
    LetAppIn,
    ListAppGrants,
    StartableApp,
    StartApp,
)
from carewright.contracts.break_glass import BreakGlass, CloseReview, ListReviews, ReviewsPage, StartBreakGlass
from carewright.contracts.callers import ProveCaller
from carewright.contracts.clients import ChangeClientKeys, Client, ClientsPage, RegisterClient
from carewright.contracts.consents import Consent, ConsentScope, FindProxies, ProxiesPage, Relationship
from carewright.contracts.passkeys import AddPasskey, Passkey, PasskeyAsked, RedeemPasskey, StartPasskey
from carewright.contracts.stations import EnrolledStation, EnrolStation, RedeemStationCode, Station, StationsPage
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal, Unauthenticated
from carewright.kernel.events import Event
from carewright.kernel.values import Code, Instant, Secret

SignInMethod = Literal["oidc", "otp", "passkey", "private_key_jwt", "app", "station"]
ContactSystem = Literal["phone", "email"]
Token = Annotated[str, Meta(min_length=1, max_length=8192)]
LocalPath = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^/")]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in. It ends at `idle_until` unless used before, and at `absolute_until` whatever happens."""

    id: UUID
    organization_id: UUID
    subject: str
    role: str
    patient_id: UUID | None = None
    site_ids: tuple[UUID, ...] = ()
    method: SignInMethod
    started_at: Instant
    last_used_at: Instant
    idle_until: Instant
    absolute_until: Instant
    authenticated_at: Instant


class StartedSession(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is shown this once: we keep only its SHA-256."""

    token: str
    session: Session


class RequestCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A one-time password for a patient. `binding` is the browser's secret: the code is of use in that browser alone.

    A rim may name the code's id itself, so that what it tells the browser does not depend on whether there is anybody to send a code to.
    """

    patient_id: UUID
    contact_system: ContactSystem
    purpose: Literal["sign-in", "step-up"] = "sign-in"
    binding: Secret
    code_id: UUID | None = None


class IssuedCode(msgspec.Struct, frozen=True, kw_only=True):
    """For the rim that asked, which hands the code to whoever delivers it, and never shows or logs it."""

    id: UUID
    code: str
    expires_at: Instant


class RedeemCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organization_id: UUID
    code_id: UUID
    code: Annotated[str, Meta(min_length=1, max_length=20)]
    binding: Secret


class StartSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin signing in at the identity provider. `again` asks the provider to check the password anew (step-up)."""

    binding: Secret
    next: LocalPath = "/staff"
    again: bool = False


class SignInStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the browser."""

    address: str


class CompleteSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the identity provider sent back with the browser. `iss` is RFC 9207's. `earlier` is the session that this one replaces."""

    state: Annotated[str, Meta(min_length=1, max_length=200)]
    code: Annotated[str, Meta(min_length=1, max_length=4096)]
    iss: Annotated[str, Meta(max_length=500)] | None = None
    binding: Secret
    earlier: Token | None = None


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    session: Session
    next: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has signed in, or may. Staff get one at their first sign-in; their role is what the identity provider says."""

    id: UUID
    subject: str
    role: str
    display: str
    patient_id: UUID | None = None
    site_ids: tuple[UUID, ...] = ()
    disabled: bool = False
    locked: bool = False


class AccountsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Account, ...]


class GiveConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let somebody act for me. `relationship` is what they are to me; `scope` says whether they may only see, or book too."""

    relationship: Relationship
    scope: ConsentScope
    from_at: Instant | None = None
    until_at: Instant


class RecordConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At the desk: one patient acts for another. `proof` is what was shown."""

    patient_id: UUID
    proxy_patient_id: UUID
    relationship: Relationship
    scope: ConsentScope
    proof: Literal["identity-document", "court-order", "power-of-attorney", "signed-form"]
    from_at: Instant | None = None
    until_at: Instant


class AcceptConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that somebody gave me, so that I may act for them. How it is typed does not matter."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]


class ActFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom to go on: by which consent, or without one for myself."""

    consent_id: UUID | None = None


class GivenConsent(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is shown this once. Whoever types it while signed in themselves is the proxy."""

    consent: Consent
    code: str


class ConsentsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Those that the actor gave and that others gave to them, without what was withdrawn or is over."""

    given: tuple[Consent, ...]
    received: tuple[Consent, ...]


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """The actor as the system sees it. `break_glass` is there while the glass is broken."""

    subject: str
    role: str
    display: str
    permissions: tuple[str, ...]
    session: Session | None = None
    break_glass: BreakGlass | None = None


# --- refusals -----------------------------------------------------------------------------------------------------------------


class CodeNotRight(Refusal):
    """Wrong, used, too old, from another browser, or never issued: which of these is told to nobody."""

    code = "access.code_not_right"
    status = 403
    issue = "security"
    title = "This code is not right, or not valid any more. Please check it, or ask for a new one."


class PasskeyNotRight(Refusal):
    """Not ours, not asked for, too old, from another browser, copied, or not proved: which of these is told to nobody."""

    code = "access.passkey_not_right"
    status = 403
    issue = "security"
    title = "That did not work with this passkey. Please try again, or sign in by a code."


class PasskeysEnough(Refusal):
    code = "access.passkeys_enough"
    status = 409
    issue = "business-rule"
    title = "You have as many passkeys as we keep. Please remove one that you no longer use."


class UnknownPasskey(Refusal):
    code = "access.unknown_passkey"
    status = 404
    issue = "not-found"
    title = "There is no such passkey."


class AccountLocked(Refusal):
    code = "access.account_locked"
    status = 403
    issue = "forbidden"
    title = "Too many codes were wrong, so signing in is locked for this account. Please call us."


class AccountDisabled(Refusal):
    code = "access.account_disabled"
    status = 403
    issue = "suppressed"
    title = "This account is disabled. Please ask your administrator."


class NoRole(Refusal):
    code = "access.no_role"
    status = 403
    issue = "forbidden"
    title = "You have signed in, but no role here is assigned to you. Please ask your administrator."


class SignInFailed(Refusal):
    """What the identity provider sent does not hold. Which check failed is told to our log alone."""

    code = "access.sign_in_failed"
    status = 403
    issue = "login"
    title = "Signing in did not work. Please try again."


class SignInNotSetUp(Refusal):
    code = "access.sign_in_not_set_up"
    status = 503
    issue = "not-supported"
    title = "Signing in is not set up here yet."


class StepUpNeeded(Unauthenticated):
    """RFC 9470: the sign-in is fine, but too long ago for this."""

    code = "access.step_up_needed"
    status = 401
    issue = "login"
    title = "Please confirm that it is you: sign in once more, then try again."


def ensure_recent(proved: datetime | None, now: datetime, minutes: int) -> None:
    """Raise `StepUpNeeded` unless the actor proved who they are within so many minutes."""
    if proved is None or now - proved > timedelta(minutes=minutes):
        raise StepUpNeeded


class UnknownSession(Refusal):
    code = "access.unknown_session"
    status = 404
    issue = "not-found"
    title = "There is no such session, or it has ended."


class UnknownAccount(Refusal):
    code = "access.unknown_account"
    status = 404
    issue = "not-found"
    title = "We do not know this account."


class UnknownConsent(Refusal):
    code = "access.unknown_consent"
    status = 404
    issue = "not-found"
    title = "There is no such consent, or it does not hold."


class ConsentNotRight(Refusal):
    """Wrong, used, too old, withdrawn, or one's own: which of these is told to nobody."""

    code = "access.consent_not_right"
    status = 403
    issue = "security"
    title = "This code is not right, or not valid any more. Please ask for a new one."


class UnknownClient(Refusal):
    code = "access.unknown_client"
    status = 404
    issue = "not-found"
    title = "There is no such client."


class KeysNotUsable(Refusal):
    code = "access.keys_not_usable"
    status = 422
    issue = "invalid"
    title = "Give public keys of RSA (2,048 bits at least) or P-384, each with an id of its own, or an https address that publishes some."
    is_audited = True


class ScopeNotAllowed(Refusal):
    code = "access.scope_not_allowed"
    status = 403
    issue = "forbidden"
    title = "A scope that was asked for is not one that this client may have."


class ClientNotBelieved(Refusal):
    """The assertion does not hold. Which check failed is told to our log alone."""

    code = "access.client_not_believed"
    status = 401
    issue = "login"
    title = "This does not prove who you are."


class RedirectNotUsable(Refusal):
    code = "access.redirect_not_usable"
    status = 422
    issue = "invalid"
    title = "An app's redirect address begins with https://, or with http:// on the person's own machine, and has no fragment."
    is_audited = True


class UnknownApp(Refusal):
    """No such app, or not at that redirect address: nobody is sent there."""

    code = "access.unknown_app"
    status = 404
    issue = "not-found"
    title = "We do not know the app that sent you here, or it sent a wrong address."


class AppAskedWrongly(Refusal):
    """An app that we know asked for what it cannot have. The fact `error` is RFC 6749's, section 4.1.2.1: it is told to the app."""

    code = "access.app_asked_wrongly"
    status = 400
    issue = "invalid"
    title = "The app did not ask as it should have."
    is_audited = True


class GrantNotRight(Refusal):
    """A code or a refresh token that is wrong, used, too old, or somebody else's: which of these is told to nobody."""

    code = "access.grant_not_right"
    status = 400
    issue = "security"
    title = "This code or token is not right, or not valid any more."
    is_audited = True


class UnknownGrant(Refusal):
    code = "access.unknown_grant"
    status = 404
    issue = "not-found"
    title = "No such app has access, or its access has ended."


class UnknownStation(Refusal):
    code = "access.unknown_station"
    status = 404
    issue = "not-found"
    title = "There is no such screen, or it was retired."


class StationCodeNotRight(Refusal):
    """Wrong, used, too old, or never issued: which of these is told to nobody."""

    code = "access.station_code_not_right"
    status = 403
    issue = "security"
    title = "This code is not right, or not valid any more. Please ask for a new one."


class UnknownReview(Refusal):
    code = "access.unknown_review"
    status = 404
    issue = "not-found"
    title = "There is no such review."


class ReviewNotYours(Refusal):
    code = "access.review_not_yours"
    status = 409
    issue = "business-rule"
    title = "A review is closed once, by somebody else than the person it is about."


class SessionNeeded(Refusal):
    code = "access.session_needed"
    status = 409
    issue = "business-rule"
    title = "This needs a session: sign in as a person first."


# --- events -------------------------------------------------------------------------------------------------------------------


class BreakGlassStarted(Event, frozen=True, kw_only=True):
    """Somebody took wider permissions. A privacy officer must look at it and close `break_glass_id`."""

    topic: ClassVar[str] = "access.break_glass.started.v1"
    break_glass_id: UUID
    account_id: UUID
    until: Instant

    @property
    def subject(self) -> UUID:
        return self.break_glass_id


class CodesGuessed(Event, frozen=True, kw_only=True):
    """Many codes in a row were wrong for one account. `failures` is how many; it comes again at every so many more."""

    topic: ClassVar[str] = "access.code.guessed.v1"
    account_id: UUID
    patient_id: UUID
    failures: int

    @property
    def subject(self) -> UUID:
        return self.account_id


class PasskeyFact(Event, frozen=True, kw_only=True):
    """What every event of a passkey carries: whose it is, and which."""

    account_id: UUID
    patient_id: UUID
    passkey_id: UUID

    @property
    def subject(self) -> UUID:
        return self.account_id


class PasskeyAdded(PasskeyFact, frozen=True, kw_only=True):
    """A patient has one more way in. They are told, in case it was somebody else."""

    topic: ClassVar[str] = "access.passkey.added.v1"


class PasskeyRemoved(PasskeyFact, frozen=True, kw_only=True):
    """A way in is closed, at the wish of its owner."""

    topic: ClassVar[str] = "access.passkey.removed.v1"


class AccountChanged(Event, frozen=True, kw_only=True):
    """An account was made, disabled, enabled, or has another role now."""

    topic: ClassVar[str] = "access.account.changed.v1"
    account_id: UUID
    role: Code
    disabled: bool

    @property
    def subject(self) -> UUID:
        return self.account_id


class Access(Protocol):
    """What the rims, and every process that answers requests, may ask of access."""

    async def actor_of(self, actor: Actor, token: str) -> Actor | None: ...

    async def find_live_sessions(self, actor: Actor, session_ids: tuple[UUID, ...]) -> dict[UUID, str]: ...

    async def actor_of_client(self, actor: Actor, client_id: UUID) -> Actor | None: ...

    async def app_origins(self, actor: Actor) -> tuple[str, ...]: ...

    async def actor_of_caller(self, actor: Actor, command: ProveCaller) -> Actor: ...

    async def start_code(self, actor: Actor, command: RequestCode) -> IssuedCode: ...

    async def redeem_code(self, actor: Actor, command: RedeemCode) -> StartedSession: ...

    async def my_sessions(self, actor: Actor) -> tuple[Session, ...]: ...

    async def end_session(self, actor: Actor, session_id: UUID) -> Session: ...

    async def end_all_sessions(self, actor: Actor, subject: str) -> int: ...

    async def who_am_i(self, actor: Actor) -> WhoAmI: ...

    async def account_of(self, actor: Actor, subject: Code) -> Account | None: ...

    async def names_of(self, actor: Actor, subjects: tuple[Code, ...]) -> dict[str, str]: ...

    async def start_break_glass(self, actor: Actor, command: StartBreakGlass, idempotency_key: str | None = None) -> BreakGlass: ...

    async def end_break_glass(self, actor: Actor) -> int: ...

    async def list_reviews(self, actor: Actor, query: ListReviews) -> ReviewsPage: ...

    async def close_review(self, actor: Actor, command: CloseReview) -> BreakGlass: ...

    async def give_consent(self, actor: Actor, command: GiveConsent) -> GivenConsent: ...

    async def record_consent(self, actor: Actor, command: RecordConsent) -> Consent: ...

    async def accept_consent(self, actor: Actor, command: AcceptConsent) -> Consent: ...

    async def list_consents(self, actor: Actor) -> ConsentsPage: ...

    async def find_proxies(self, actor: Actor, query: FindProxies) -> ProxiesPage: ...

    async def withdraw_consent(self, actor: Actor, consent_id: UUID) -> Consent: ...

    async def act_for(self, actor: Actor, command: ActFor) -> StartedSession: ...

    async def register_client(self, actor: Actor, command: RegisterClient, idempotency_key: str | None = None) -> Client: ...

    async def list_clients(self, actor: Actor) -> ClientsPage: ...

    async def change_client_keys(self, actor: Actor, command: ChangeClientKeys) -> Client: ...

    async def look_at_app(self, actor: Actor, command: AskApp) -> AppAsked: ...

    async def let_app_in(self, actor: Actor, command: LetAppIn) -> AppCode: ...

    async def startable_apps(self, actor: Actor) -> tuple[StartableApp, ...]: ...

    async def start_app(self, actor: Actor, command: StartApp) -> AppStarted: ...

    async def answer_launch(self, actor: Actor, command: AskApp) -> AppCode: ...

    async def my_apps(self, actor: Actor) -> tuple[AppLetIn, ...]: ...

    async def list_app_grants(self, actor: Actor, query: ListAppGrants) -> AppGrantsPage: ...

    async def turn_app_off(self, actor: Actor, grant_id: UUID) -> None: ...

    async def enrol_station(self, actor: Actor, command: EnrolStation) -> EnrolledStation: ...

    async def renew_station_code(self, actor: Actor, station_id: UUID) -> EnrolledStation: ...

    async def list_stations(self, actor: Actor) -> StationsPage: ...

    async def retire_station(self, actor: Actor, station_id: UUID) -> Station: ...

    async def redeem_station_code(self, actor: Actor, command: RedeemStationCode) -> StartedSession: ...

    async def own_station(self, actor: Actor) -> Station: ...

    async def disable_account(self, actor: Actor, account_id: UUID) -> Account: ...

    async def enable_account(self, actor: Actor, account_id: UUID) -> Account: ...

    async def start_sign_in(self, actor: Actor, command: StartSignIn) -> SignInStarted: ...

    async def complete_sign_in(self, actor: Actor, command: CompleteSignIn) -> SignedIn: ...

    async def find_passkey_origin(self, actor: Actor) -> str | None: ...

    async def start_passkey(self, actor: Actor, command: StartPasskey) -> PasskeyAsked: ...

    async def add_passkey(self, actor: Actor, command: AddPasskey) -> Passkey: ...

    async def start_passkey_sign_in(self, actor: Actor, command: StartPasskey) -> PasskeyAsked: ...

    async def redeem_passkey(self, actor: Actor, command: RedeemPasskey) -> StartedSession: ...

    async def my_passkeys(self, actor: Actor) -> tuple[Passkey, ...]: ...

    async def remove_passkey(self, actor: Actor, passkey_id: UUID) -> None: ...
