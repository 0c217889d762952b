"""The REST API for web front ends, on the same core as the chat.

    endpoint     a handler with its route, rights and types    openapi, docs   generated from them
    auth         Clerk's tokens and keys                       answers         envelope and failures
    catalogue    parts, services, technicians                  workshop        hours and slots
    calendar     closures, leave, impossible bookings
    bookings     for customers                                 work            for staff
    user         the caller                                    models          request and response types

aiohttp-pydantic would have needed replacements for its failures, its docs page (from another server) and its
class-based views; a decorator does the same in one file.
"""

from importlib.metadata import version

from aiohttp import web

from webhooks.api import bookings, calendar, catalogue, docs, openapi, user, work, workshop
from webhooks.api.endpoint import Api, Endpoint

__all__ = ["ENDPOINTS", "Api", "routes"]

# In order of definition, since the first matching path wins: my-bookings comes before an id.
ENDPOINTS: tuple[Endpoint, ...] = tuple(
    each
    for module in (catalogue, workshop, calendar, bookings, work, user)
    for each in vars(module).values()
    if isinstance(each, Endpoint)
)


def routes(api: Api, *, public_url: str) -> list[web.RouteDef]:
    """Every route of api.md under /api/, and the OpenAPI document."""
    document = openapi.document(
        ENDPOINTS, title=f"{api.shop.name}: REST API", version=version("bengkel"), server=public_url
    )
    return [*(each.route(api) for each in ENDPOINTS), *docs.routes(document)]
