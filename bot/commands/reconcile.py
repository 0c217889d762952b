"""`bengkel reconcile`: compare our payments with Midtrans' and correct ours, as the nightly run does.

--settle-unknown ORDER --note TEXT   note what an order was that Midtrans reports and we don't know
"""

from argparse import Namespace
from collections.abc import AsyncIterator
from datetime import timedelta

from bot import app, vendors
from bot.commands import CommandFailed, opened
from bot.config import Settings, load
from bot.payments.reconciliation_worker import Page, Reconciler
from bot.transactions import Transactions
from conversations.texts import render
from core.context import Context
from core.messaging.messages import say
from core.payment import reconciliation, unknown_orders
from core.payment.reconciliation import Findings
from core.refusals import NotFound


async def run(options: Namespace) -> AsyncIterator[str]:
    settings = load(options.config)
    if options.settle_unknown:
        yield await _explained(settings, options.settle_unknown, (options.note or "").strip())
        return
    async for line in _compared(settings, options):
        yield line


async def _explained(settings: Settings, order_id: str, note: str) -> str:
    if not note:
        raise CommandFailed("Say what the order was: --note TEXT.")
    try:
        async with opened(settings) as database, database.write() as session:
            await unknown_orders.explain(Context(session, settings.shop, app.now()), order_id, note)
    except NotFound:
        raise CommandFailed(f"No unknown order is called {order_id}; see bengkel reconcile.") from None
    return f"{order_id} is settled: {note}"


async def _compared(settings: Settings, options: Namespace) -> AsyncIterator[str]:
    """Compare the last `options.days` and everything open; fails if Midtrans doesn't answer."""
    midtrans = vendors.midtrans(settings)
    if midtrans is None:
        raise CommandFailed("Nothing to compare with: BENGKEL_MIDTRANS__SERVER_KEY is not set.")
    page = Page("", Findings())
    try:
        async with opened(settings) as database:
            since = app.now() - timedelta(days=options.days)
            reconciler = Reconciler(Transactions(database, settings.shop, app.now), midtrans, wake=lambda: None)
            findings = Findings()
            while not (page.is_last or page.trouble):
                page = await reconciler.page(since, page.after)
                findings += page.findings
            async with database.read() as session:
                unknown = await unknown_orders.unexplained(session)
    finally:
        midtrans.close()
    for line in reconciliation.report(findings, unknown) or [say("reconcile.same", asked=findings.asked)]:
        yield render(line, options.language)
    if page.trouble:
        raise CommandFailed(f"Midtrans doesn't answer ({page.trouble}); orders after {page.after!r} weren't compared.")
