"""A month's report: a summary, with the whole as a CSV file."""

from datetime import date

from conversations.registry import action
from conversations.staff.jobs import TO_STAFF_MENU
from conversations.staff.monthly import name_of, summary
from conversations.turn import Question, Turn, Who, question
from conversations.understand.months import read_month
from core.messaging.messages import Document, Option, say
from core.reports import monthly


@action("report", who=Who.ADMIN)
async def report(turn: Turn, words: str = "") -> Question:
    """The named month, or this one; raises `BooksDiffer`."""
    today = turn.local_now.date()
    first = read_month(words, today) if words else monthly.month_of(today)
    if first is None:
        return question(say("report.which"), always=[TO_STAFF_MENU])
    month = await monthly.load(turn.session, first, shop=turn.shop)
    return question(
        *summary(month),
        document=Document("report", f"{first:%Y-%m}.{turn.contact.language}"),
        always=[*_beside(first, today), TO_STAFF_MENU],
    )


def _beside(first: date, today: date) -> list[Option]:
    """The months before and after, if they have begun."""
    before, after = monthly.month_before(first), monthly.month_after(first)
    options = [Option(f"report:{before:%Y-%m}", say("team.option.report_before", month=name_of(before)))]
    if after <= today:
        options.append(Option(f"report:{after:%Y-%m}", say("team.option.report_after", month=name_of(after))))
    return options
