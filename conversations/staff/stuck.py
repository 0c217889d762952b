"""Undelivered messages: an admin sees why they failed, and sends them again."""

from conversations.registry import action
from conversations.staff.jobs import TO_STAFF_MENU
from conversations.turn import Question, Turn, Who, question
from core.messaging.messages import Option, Say, say
from core.refusals import NotFound
from core.upkeep import undelivered
from core.upkeep.undelivered import DeadLetter

MAX_LISTED = 8
MAX_REASON_LENGTH = 80
_TWILIO = {"63003", "63016", "63019", "63024"}
"""WhatsApp's commonest delivery errors, reported as bare numbers: https://www.twilio.com/docs/api/errors"""


@action("stuck", who=Who.ADMIN)
async def stuck(turn: Turn, _: str = "", *, first: Say | None = None) -> Question:
    before = [first] if first else []
    found = await undelivered.listed(turn.session, limit=MAX_LISTED)
    if not found:
        return question(*before, say("stuck.none"), always=[TO_STAFF_MENU])
    return question(
        *before,
        say("stuck.list", lines=[_line(turn, message) for message in found]),
        say("stuck.ask"),
        options=[Option(f"resend:{message.row.id}", _recipient(message), _hint(turn, message)) for message in found],
        always=[TO_STAFF_MENU],
        button=say("button.stuck"),
    )


@action("resend", who=Who.ADMIN)
async def resend(turn: Turn, message: str) -> Question:
    try:
        key = await undelivered.key_of(turn.session, int(message) if message.isdecimal() and len(message) < 19 else 0)
        await undelivered.resend(turn.ctx, key=key)
    except NotFound:  # another admin resent it, or the button is old
        return await stuck(turn, first=say("stuck.gone"))
    return await stuck(turn, first=say("stuck.sent_again"))


def _line(turn: Turn, message: DeadLetter) -> Say:
    kind, error = say(f"stuck.kind.{message.row.kind}"), message.row.error or ""
    in_short = " ".join(error.split())[:MAX_REASON_LENGTH]
    reason = say(f"stuck.reason.{error}", code=error) if error in _TWILIO else in_short
    return say("stuck.line", at=turn.shop.local(message.row.due_at), kind=kind, name=_recipient(message), reason=reason)


def _hint(turn: Turn, message: DeadLetter) -> Say:
    channel = say(f"stuck.channel.{message.row.channel}")
    return say("stuck.hint", channel=channel, at=turn.shop.local(message.row.due_at))


def _recipient(message: DeadLetter) -> str:
    return message.name or message.row.address.removeprefix("whatsapp:")
