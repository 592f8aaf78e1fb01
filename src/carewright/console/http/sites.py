"""Which site a page is about."""

from collections.abc import Sequence

from carewright.console.http.page import Ask
from carewright.contracts.directory import Location
from carewright.kernel.errors import NotFound


async def sites_of(ask: Ask) -> Sequence[Location]:
    """The sites where the member of staff works."""
    return [each for each in (await ask.ctx.directory.find_sites(ask.ctx.actor)).items if ask.ctx.actor.works_at(each.id)]


def site_named(sites: Sequence[Location], wanted: str) -> Location | None:
    """The one whose id is `wanted`; where none is wanted, the only one that there is."""
    wanted = wanted or (str(sites[0].id) if len(sites) == 1 else "")
    return next((one for one in sites if str(one.id) == wanted), None)


def site_or_only(sites: Sequence[Location], wanted: str) -> Location | None:
    """The one whose id is `wanted`, or the only one that there is, whatever is wanted."""
    return site_named(sites, wanted) or site_named(sites, "")


async def site_of(ask: Ask, wanted: str) -> Location:
    """The site, if it is one where they work. Raises `NotFound`."""
    site = site_named(await sites_of(ask), wanted) if wanted else None
    if site is None:
        raise NotFound
    return site


async def site_to_show(ask: Ask, wanted: str) -> tuple[Sequence[Location], Location | None]:
    """The sites where they work, and the one that a page shows; None where it has to ask which. Raises `NotFound`."""
    sites = await sites_of(ask)
    site = site_or_only(sites, wanted)
    if wanted and site is None:
        raise NotFound
    return sites, site
