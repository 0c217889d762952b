"""The REST API for web front ends, on the same core as the chat.

    endpoint     a handler whose signature says all       openapi, docs   made from these signatures
    auth         Clerk's tokens                           limits          writes per user and per address
    catalogue    parts, services, technicians             workshop        hours and slots
    bookings     as a customer                            work            as staff
    user         who a token is                           models          what goes in and out

aiohttp-pydantic was looked at: its failures, its docs page (from another server) and its class-based
views would all have had to be replaced, so a decorator of our own does it in one file.
"""

from importlib.metadata import version

from aiohttp import web

from webhooks.api import bookings, catalogue, docs, openapi, user, work, workshop
from webhooks.api.endpoint import Api, Endpoint

__all__ = ["ENDPOINTS", "Api", "routes"]

# Where two paths fit, the first one is taken: /technicians/available before an id, my-bookings and statistics likewise.
ENDPOINTS: tuple[Endpoint, ...] = (
    *catalogue.ENDPOINTS,
    *workshop.ENDPOINTS,
    *bookings.ENDPOINTS,
    *work.ENDPOINTS,
    *user.ENDPOINTS,
)


def routes(api: Api, *, public_url: str) -> list[web.RouteDef]:
    """Every route of api.md under /api/, with its own description."""
    document = openapi.document(
        ENDPOINTS, title=f"{api.shop.name}: REST API", version=version("bengkel"), server=public_url
    )
    return [*(each.route(api) for each in ENDPOINTS), *docs.routes(document)]
