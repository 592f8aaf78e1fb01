"""Whom we tell of appointments, and how they call what is ours."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from carewright.contracts.hl7 import Partner, UnknownPartner
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.announcing import TABLES
from carewright.hl7.model.charset import CODECS
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.transport import is_here

MANAGE = "hl7.partner.manage"
TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,4096}=*")
SCHEMES = ("mllp", "mllps", "https", "http")
PORTS = {"https": 443, "http": 80}
NO_ADDRESS = "An address looks like mllps://ehr.hospital.example:2575, mllp://127.0.0.1:2575 or https://ehr.hospital.example/hl7."


async def add_partner(ctx: Hl7Context, partner: Partner, token: str | None = None) -> None:
    """Tell this system of appointments from now on, and show it `token`, if it wants one.

    Raises `BadInput` for an address, a character set or a token that is none.
    """
    ctx.actor.require(MANAGE)
    _ensure_sound(ctx, partner, token)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        await store.put_partner(tx, cipher.organization_id, partner, ctx.clock.now())
        await store.set_partner_token(tx, cipher, partner.id, token)
        await audit.record(tx, _entry(ctx, "hl7.partner.add", "C", partner.id))
    ctx.told.forget(cipher.organization_id)


async def change_partner(ctx: Hl7Context, partner_id: UUID, said: Mapping[str, object], token: str | None = None) -> Partner:
    """Tell a system otherwise from now on: as `said` has it, by the names of `Partner`'s fields; what is not said stays.

    What was made for it already is sent as it was made. An empty token is none any more, and so is one that was given for another place:
    who gives a new address of another origin gives its token too. Raises `UnknownPartner`, and `BadInput`.
    """
    ctx.actor.require(MANAGE)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        before = await store.lock_partner(tx, cipher.organization_id, partner_id)
        if before is None:
            raise UnknownPartner(partner_id=str(partner_id))
        try:
            partner = msgspec.convert({**msgspec.structs.asdict(before), **said, "id": partner_id}, type=Partner, strict=False)
        except msgspec.ValidationError as fault:
            raise BadInput(str(fault)) from fault
        _ensure_sound(ctx, partner, token)
        await store.change_partner(tx, cipher.organization_id, partner)
        if token is not None or _origin(partner.address) != _origin(before.address):
            await store.set_partner_token(tx, cipher, partner_id, token)
        await audit.record(tx, _entry(ctx, "hl7.partner.change", "U", partner_id))
    ctx.told.forget(cipher.organization_id)
    return partner


async def list_partners(ctx: Hl7Context) -> list[Partner]:
    """Whom we tell."""
    ctx.actor.require(MANAGE)
    return await store.partners(ctx.db, ctx.actor.organization_id)


async def stop_partner(ctx: Hl7Context, partner_id: UUID) -> int:
    """Tell it nothing more; how many messages it was still to be told. Raises `UnknownPartner`."""
    ctx.actor.require(MANAGE)
    async with ctx.db.transaction() as tx:
        dropped = await store.stop_partner(tx, ctx.actor.organization_id, partner_id, ctx.clock.now())
        if dropped is None:
            raise UnknownPartner(partner_id=str(partner_id))
        await audit.record(tx, _entry(ctx, "hl7.partner.stop", "U", partner_id))
    ctx.told.forget(ctx.actor.organization_id)
    return dropped


async def set_partner_code(ctx: Hl7Context, partner_id: UUID, table: str, ours: str, theirs: str | None) -> None:
    """What one of ours is called there from now on; None for nothing any more. Raises `UnknownPartner`, and `BadInput` for no table."""
    ctx.actor.require(MANAGE)
    if table not in TABLES or not 1 <= len(ours) <= 200 or not 1 <= len(theirs or "x") <= 200:
        raise BadInput(f"There are these tables: {', '.join(TABLES)}. Codes have 1 to 200 letters.")
    await _known(ctx, partner_id)
    async with ctx.db.transaction() as tx:
        await store.put_partner_code(tx, ctx.actor.organization_id, partner_id, table, ours, theirs)
        await audit.record(tx, _entry(ctx, "hl7.partner.map", "U", partner_id))


async def _known(ctx: Hl7Context, partner_id: UUID) -> Partner:
    found = {each.id: each for each in await store.partners(ctx.db, ctx.actor.organization_id)}
    if partner_id not in found:
        raise UnknownPartner(partner_id=str(partner_id))
    return found[partner_id]


def _ensure_sound(ctx: Hl7Context, partner: Partner, token: str | None) -> None:
    _ensure_reachable(ctx, partner.address)
    if partner.charset not in CODECS:
        raise BadInput(f"Character sets are those of table 0211: {', '.join(CODECS)}.")
    if token and not (TOKEN.fullmatch(token) and partner.address.startswith("http")):
        raise BadInput("A token is shown over HTTP alone, and has letters, digits and -._~+/= (RFC 6750, section 2.1).")


def _origin(address: str) -> tuple[str, str | None, int | None]:
    """Whom an address reaches: scheme, host and port (RFC 6454, section 4)."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def _ensure_reachable(ctx: Hl7Context, address: str) -> None:
    """Raise `BadInput` for what is no address, and where patients' data would leave this machine in the clear."""
    try:
        parts = urlsplit(address)
        named = parts.scheme in SCHEMES and parts.hostname and not parts.username and (parts.port or not parts.scheme.startswith("mllp"))
    except ValueError as fault:
        raise BadInput(NO_ADDRESS) from fault
    if not named:
        raise BadInput(NO_ADDRESS)
    if parts.scheme in ("mllp", "http") and not is_here(parts.hostname or "") and not ctx.settings.plain:
        raise BadInput(
            "Beyond this machine messages go over TLS: mllps:// or https://, or set CAREWRIGHT_HL7_PLAIN where a tunnel ends it."
        )


def _entry(ctx: Hl7Context, event: str, action: audit.Action, partner_id: UUID) -> audit.Entry:
    return audit.entry(ctx, event, action, entities=(audit.Entity(type="Endpoint", id=partner_id),))
