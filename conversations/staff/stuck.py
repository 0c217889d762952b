"""Messages that never arrived: an admin sees why, and has them sent again."""

from conversations.registry import action
from conversations.staff.jobs import TO_STAFF_MENU
from conversations.turn import Question, Turn, Who, question
from core.messaging.messages import Option, Say, say
from core.refusals import NotFound
from core.upkeep import undelivered
from core.upkeep.undelivered import DeadLetter

MOST_LISTED = 8
LONGEST_REASON = 80
_TWILIO = {"63003", "63016", "63019", "63024"}
"""What WhatsApp reports most when it can't deliver, as a bare number: https://www.twilio.com/docs/api/errors"""


@action("stuck", who=Who.ADMIN)
async def stuck(turn: Turn, _: str = "", *, first: Say | None = None) -> Question:
    """The latest messages that were given up, each with its reason; a tap sends one again."""
    before = [first] if first else []
    found = await undelivered.listed(turn.session, limit=MOST_LISTED)
    if not found:
        return question(*before, say("stuck.none"), always=[TO_STAFF_MENU])
    return question(
        *before,
        say("stuck.list", lines=[_line(turn, letter) for letter in found]),
        say("stuck.ask"),
        options=[Option(f"resend:{letter.row.id}", _whom(letter), _hint(turn, letter)) for letter in found],
        always=[TO_STAFF_MENU],
        button=say("button.stuck"),
    )


@action("resend", who=Who.ADMIN)
async def resend(turn: Turn, letter: str) -> Question:
    """Send one again, whatever it failed of."""
    try:
        key = await undelivered.key_of(turn.session, int(letter) if letter.isdecimal() and len(letter) < 19 else 0)
        await undelivered.resend(turn.session, key=key, now=turn.now)
    except NotFound:  # a colleague was quicker, or it is an old button
        return await stuck(turn, first=say("stuck.gone"))
    return await stuck(turn, first=say("stuck.sent_again"))


def _line(turn: Turn, letter: DeadLetter) -> Say:
    kind, reason = say(f"stuck.kind.{letter.row.kind}"), _reason(letter.row.error or "")
    return say("stuck.line", at=turn.shop.local(letter.row.due_at), kind=kind, name=_whom(letter), reason=reason)


def _reason(error: str) -> Say | str:
    if error in _TWILIO:
        return say(f"stuck.reason.{error}", code=error)
    return " ".join(error.split())[:LONGEST_REASON]


def _hint(turn: Turn, letter: DeadLetter) -> Say:
    channel = say(f"stuck.channel.{letter.row.channel}")
    return say("stuck.hint", channel=channel, at=turn.shop.local(letter.row.due_at))


def _whom(letter: DeadLetter) -> str:
    return letter.name or letter.row.address.removeprefix("whatsapp:")
