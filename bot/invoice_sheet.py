"""What every part of an invoice is drawn from, and on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.paper import Paper
from conversations.texts import render
from core.invoices import InvoiceFacts, Payment
from core.messages import say
from core.money import Money


@dataclass(frozen=True, slots=True)
class Sheet:
    """One invoice in one language, with the paper it goes on."""

    paper: Paper
    facts: InvoiceFacts
    payments: Sequence[Payment]
    language: str

    def text(self, key: str, **params: object) -> str:
        """A text of the invoice, by the key behind `invoice.`."""
        return render(say(f"invoice.{key}", **params), self.language)

    def day(self, moment: datetime, form: str = "d MMM y") -> str:
        """The day of a moment at the shop."""
        return format_date(self.local(moment), form, locale=self.language)

    def local(self, moment: datetime) -> datetime:
        """A moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.facts.timezone))

    @property
    def paid(self) -> Money:
        """What was paid, less what went back."""
        return sum(payment.amount for payment in self.payments)
