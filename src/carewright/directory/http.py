"""The directory over HTTP: parse, call one use case, answer."""

from carewright.contracts.directory import (
    FindServices,
    FindStaff,
    InvalidResource,
    PutResources,
    PutResult,
    ServicesPage,
    ServiceSummary,
    SitesPage,
    Staff,
    StaffPage,
    UnknownResource,
    VisitType,
)
from carewright.directory import service
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route


async def find_services(ctx: Context, call: Call[FindServices, Nothing]) -> ServicesPage:
    """Services with their visit types, a page of them."""
    return await service.find_services(ctx, call.query)


async def get_service(ctx: Context, call: Call[Nothing, Nothing]) -> ServiceSummary:
    """One service with its visit types."""
    return await service.get_service(ctx, call.path["service_id"])


async def get_visit_type(ctx: Context, call: Call[Nothing, Nothing]) -> VisitType:
    """One visit type."""
    return await service.get_visit_type(ctx, call.path["visit_type_id"])


async def find_sites(ctx: Context, _: Call[Nothing, Nothing]) -> SitesPage:
    """Every site."""
    return await service.find_sites(ctx)


async def find_practitioners(ctx: Context, call: Call[FindStaff, Nothing]) -> StaffPage:
    """Staff with their roles, a page of them."""
    return await service.find_staff(ctx, call.query)


async def get_practitioner(ctx: Context, call: Call[Nothing, Nothing]) -> Staff:
    """One member of staff with every role."""
    return await service.get_staff(ctx, call.path["practitioner_id"])


async def put_directory(ctx: Context, call: Call[Nothing, PutResources]) -> PutResult:
    """Change many entries at once."""
    return await service.put_resources(ctx, call.body)


ROUTES = (
    Route(
        "GET", "/api/v1/services", find_services, "Find healthcare services and their visit types", service.READ,
        ServicesPage, query=FindServices,
    ),
    Route(
        "GET", "/api/v1/services/{service_id}", get_service, "One healthcare service with its visit types", service.READ,
        ServiceSummary, refusals=(UnknownResource,),
    ),
    Route(
        "GET", "/api/v1/visit-types/{visit_type_id}", get_visit_type, "What a visit type needs and when it may be booked",
        service.READ, VisitType, versioned=True, refusals=(UnknownResource,), tag="services",
    ),
    Route("GET", "/api/v1/sites", find_sites, "The hospital's sites", service.READ, SitesPage),
    Route(
        "GET", "/api/v1/practitioners", find_practitioners, "Find physicians, nurses and technicians", service.READ,
        StaffPage, query=FindStaff,
    ),
    Route(
        "GET", "/api/v1/practitioners/{practitioner_id}", get_practitioner, "One practitioner with every role", service.READ,
        Staff, refusals=(UnknownResource,),
    ),
    Route(
        "PUT", "/api/v1/directory", put_directory, "Create or change many entries at once, all or none", service.CHANGE,
        PutResult, body=PutResources, keyed=True, refusals=(InvalidResource,),
    ),
)  # fmt: skip
