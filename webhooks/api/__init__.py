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

from functools import cache
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
    return [*(each.route(api) for each in ENDPOINTS), *docs.routes(*_documentation(api.shop.name, public_url))]


@cache
def _documentation(shop: str, server: str) -> tuple[str, str]:
    """The OpenAPI document and its page."""
    document = openapi.document(ENDPOINTS, title=f"{shop}: REST API", version=version("bengkel"), server=server)
    return docs.render(document)
