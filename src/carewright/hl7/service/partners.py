"""Whom we tell of appointments, and how they call what is ours."""

from urllib.parse import urlsplit
from uuid import UUID

from carewright.contracts.hl7 import Partner, UnknownPartner
from carewright.hl7 import store
from carewright.hl7.context import Hl7Context
from carewright.hl7.model.announcing import TABLES
from carewright.hl7.model.charset import CODECS
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.transport import is_here

MANAGE = "hl7.partner.manage"
SCHEMES = ("mllp", "mllps", "https", "http")
NO_ADDRESS = "An address looks like mllps://ehr.hospital.example:2575, mllp://127.0.0.1:2575 or https://ehr.hospital.example/hl7."


async def add_partner(ctx: Hl7Context, partner: Partner) -> None:
    """Tell this system of appointments from now on. Raises `BadInput` for an address or a character set that is none."""
    ctx.actor.require(MANAGE)
    _ensure_reachable(ctx, partner.address)
    if partner.charset not in CODECS:
        raise BadInput(f"Character sets are those of table 0211: {', '.join(CODECS)}.")
    async with ctx.db.transaction() as tx:
        await store.put_partner(tx, ctx.actor.organization_id, partner, ctx.clock.now())
        await audit.record(tx, _entry(ctx, "hl7.partner.add", "C", partner.id))
    ctx.told.forget(ctx.actor.organization_id)


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
    if all(each.id != partner_id for each in await store.partners(ctx.db, ctx.actor.organization_id)):
        raise UnknownPartner(partner_id=str(partner_id))
    async with ctx.db.transaction() as tx:
        await store.put_partner_code(tx, ctx.actor.organization_id, partner_id, table, ours, theirs)
        await audit.record(tx, _entry(ctx, "hl7.partner.map", "U", partner_id))


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
