"""The limits of a site over HTTP: parse, call one use case, answer."""

from carewright.contracts.delays import AtSite
from carewright.contracts.flow import UnknownSite
from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.flow.service import limits
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route

LIMITS = "/api/v1/site-limits"


async def get_limits(ctx: Context, call: Call[AtSite, Nothing]) -> SiteLimits:
    """From when on something at a site is to be looked at."""
    return await limits.get_limits(ctx, call.query)


async def set_limits(ctx: Context, call: Call[Nothing, SetLimits]) -> SiteLimits:
    """Set that."""
    return await limits.set_limits(ctx, call.body)


ROUTES = (
    Route("GET", LIMITS, get_limits, "From when on something at a site is to be looked at", limits.READ, SiteLimits, query=AtSite),
    Route(
        "PUT", LIMITS, set_limits, "Set from when on something at a site is to be looked at", limits.CHANGE, SiteLimits, body=SetLimits,
        keyed=True, refusals=(UnknownSite,),
    ),
)  # fmt: skip
