"""Papers as PDF, rendered off the event loop; the same facts and payments give the same bytes in any process."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from bot.papers import credit_note, invoice, receipt
from core.papers.credit_notes import CreditNoteFacts
from core.papers.invoices import InvoiceFacts, Payment
from core.papers.numbering import PaperFacts
from core.papers.receipts import ReceiptFacts


async def make(facts: PaperFacts, payments: Sequence[Payment] = (), *, language: str) -> bytes:
    """Return a paper's PDF, cached by content; `payments` are an invoice's."""
    return await asyncio.to_thread(_draw_once, facts, tuple(payments), language=language)


def draw(facts: PaperFacts, payments: Sequence[Payment] = (), *, language: str) -> bytes:
    """Render a paper; takes about 0.1 s."""
    match facts:
        case InvoiceFacts():
            return invoice.draw(facts, payments, language=language)
        case ReceiptFacts():
            return receipt.draw(facts, language=language)
        case CreditNoteFacts():
            return credit_note.draw(facts, language=language)
    raise TypeError(f"no paper has {type(facts).__name__}")


_draw_once = lru_cache(maxsize=64)(draw)
