"""The REST API as the settings want it."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from aiohttp import ClientSession, ClientTimeout

from bot.config import Settings
from bot.papers.photos import Photos
from bot.payments.payment_worker import PaymentWorker
from bot.timeouts import USUAL, Patience
from core.db.database import Database
from webhooks.api import Api
from webhooks.api.auth import Clerk, Fetch, KeySet
from webhooks.api.jwks import fetching

_log = logging.getLogger(__name__)


async def rest(
    settings: Settings,
    database: Database,
    collector: PaymentWorker | None,
    photos: Photos,
    *,
    file_link: Callable[[str, str], str],
    clock: Callable[[], datetime],
    fresh: Callable[[], str],
    wake: Callable[[], None],
    stack: AsyncExitStack,
    patience: Patience = USUAL,
) -> Api:
    """What the API's handlers need; `stack` closes what it opens."""
    return Api(
        database=database,
        shop=settings.shop,
        clock=clock,
        fresh=fresh,
        wake=wake,
        clerk=await _clerk(settings, stack, patience),
        pay_link=collector.link_for if collector else None,
        file_link=file_link,
        keep_photo=photos.keep,
        rate_limit=settings.server.rate_limit,
        behind_proxy=settings.server.behind_proxy,
    )


async def _clerk(settings: Settings, stack: AsyncExitStack, patience: Patience) -> Clerk | None:
    issuer = settings.clerk.issuer
    if issuer is None:
        _log.warning("Signing in on the web is off: BENGKEL_CLERK__ISSUER is not set")
        return None
    client = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=patience.keys.total_seconds())))
    keys = KeySet(published_keys(settings, client))
    return Clerk(issuer=issuer, parties=settings.clerk.authorized_parties, keys=keys, shop=settings.shop)


def published_keys(settings: Settings, client: ClientSession) -> Fetch:
    """Fetches the JWKS of the issuer in the settings."""
    return fetching(client, settings.clerk.jwks_url or f"{settings.clerk.issuer}/.well-known/jwks.json")
