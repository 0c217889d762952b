"""`bengkel reconcile`: compare our payments with Midtrans' and correct ours, as the nightly run does."""

from argparse import Namespace
from collections.abc import AsyncIterator
from datetime import timedelta

from bot import app, vendors
from bot.commands import CommandFailed, opened
from bot.config import load
from bot.payments.reconciliation_worker import Page, Reconciler
from bot.transactions import Transactions
from conversations.texts import render
from core.messaging.messages import Say, say
from core.payment import reconciliation
from core.payment.reconciliation import Findings


async def run(options: Namespace) -> AsyncIterator[str]:
    """Compare the last `options.days` and everything open; fails if Midtrans doesn't answer."""
    settings = load(options.config)
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
    finally:
        midtrans.close()
    for line in _report(findings):
        yield render(line, options.language)
    if page.trouble:
        raise CommandFailed(f"Midtrans doesn't answer ({page.trouble}); orders after {page.after!r} weren't compared.")


def _report(findings: Findings) -> list[Say]:
    if not (findings.mended or findings.left):
        return [say("reconcile.same", asked=findings.asked)]
    head = say("reconcile.head", asked=findings.asked, mended=findings.mended, left=findings.left)
    return [head, *reconciliation.lines(findings)]
