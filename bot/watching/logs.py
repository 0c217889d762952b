"""Log lines: for a console or as JSON, with the id of what set things going, without people and secrets in them.

    any logger ── level, time, trace ── exception as text ── masked ── one line

Modules and libraries keep the standard library's loggers; structlog writes what they say.
"""

import logging
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, TextIO
from urllib.parse import quote

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from conversations.understand.contacts import AREAS
from core import trace

QUIET = (
    "aiosqlite",
    "alembic",
    "apscheduler",
    "fontTools",
    "fpdf",
    "httpcore",
    "httpx",
    "mail.log",
    "PIL",
    "sqlalchemy",
    "telegram",
    "twilio",
    "urllib3",
)
"""Libraries that tell of every step, some with what they carry: messages, statements, where a photo was taken. Their
warnings are enough, whatever the level.
"""
OURS = frozenset({"timestamp", "level", "logger", "trace"})
"""What we write ourselves: nobody's words are in there."""
PERSONAL = frozenset({"address", "customer", "email", "name", "phone", "place", "plate", "text", "words"})
"""Fields, of a log line or a message, that hold what a person said or is."""
SHORTEST_WORD = 3
HIDDEN = "[…]"


def set_up(
    kind: Literal["console", "json"], level: str, *, secrets: Iterable[str] = (), stream: TextIO = sys.stderr
) -> None:
    """Write everybody's log lines this way from now on; `secrets` stand in no line, whoever logs them."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(kind, Mask(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # An answer of Telegram's that is no JSON, with its whole text: what became of the call is logged by `metrics.vendor_call`.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)
    # What our handlers raise is logged by `webhooks.app`; what is left there are strangers' unreadable requests.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.captureWarnings(True)
    sys.excepthook = _last_words


def personal_words(body: object) -> Iterator[str]:
    """What a message's JSON says of people, by the names of its parameters."""
    match body:
        case dict():
            for key, value in body.items():
                if key in PERSONAL and isinstance(value, str):
                    yield value
                else:
                    yield from personal_words(value)
        case list():
            for each in body:
                yield from personal_words(each)


class Mask:
    """A processor that takes people and secrets out of everything a line holds, and leaves it one line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._secrets = sorted(forms, key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
        """The line without them."""
        return {key: self._field(key, value) for key, value in line.items()}

    def text(self, text: str) -> str:
        """A text without secrets, contact data, plates, and what the present trace calls private."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _plain(text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        for word in sorted(trace.current().private, key=len, reverse=True):
            text = _hidden(text, _plain(word))
        return text

    def _field(self, key: str, value: Any) -> Any:
        if key == "exception":
            # Its lines are set in, so that none of them passes for a log line.
            return "\n".join(f"    {_one_line(part)}" for part in self.text(str(value)).split("\n"))
        if key in PERSONAL:
            return HIDDEN
        return _one_line(str(value)) if key in OURS else self._value(value)

    def _value(self, value: Any) -> Any:
        match value:
            case None | bool() | float():
                return value
            case int():
                return value if abs(value) < 10**6 else HIDDEN
            case dict():
                return {_one_line(self.text(str(key))): self._field(str(key), each) for key, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(each) for each in value]
            case _:
                return _one_line(self.text(str(value)))


def _formatter(kind: str, mask: Processor) -> ProcessorFormatter:
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if kind == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
    )


def _add_trace(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    if followed := trace.current().id:
        line["trace"] = followed
    return line


def _last_words(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("the program ends", exc_info=(kind, error, where))


def _plain(text: str) -> str:
    """The same text in plain letters and digits: neither full-width signs nor invisible ones hide anything."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")


def _one_line(text: str) -> str:
    """Control characters, line ends of all kinds and halves of characters as the escapes that Python writes."""
    return "".join(
        sign.encode("unicode_escape").decode() if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign
        for sign in text
    )


def _hidden(text: str, word: str) -> str:
    if len(word.strip()) < SHORTEST_WORD:
        return text
    return re.sub(rf"(?<!\w){re.escape(word.strip())}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)


_AREA = "|".join(sorted(AREAS, key=len, reverse=True))
_GAP = r"[\s().\-‐-―/_]"
_PATTERNS = [
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        # PostgreSQL repeats a row's values where a constraint speaks.
        (r"(DETAIL:\s*)[^\n]*", rf"\1{HIDDEN}"),
        (r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", rf"\1 {HIDDEN}"),
        (r"://[^\s/\"'<>]*@", f"://{HIDDEN}@"),
        (r"\b(?:SB-)?Mid-(?:server|client)-[\w-]+", HIDDEN),
        (r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*", HIDDEN),
        # Telegram's tokens, also in its addresses.
        (r"(?<!\d)(?:bot)?(?<!\d)\d{6,}:[\w-]{30,}", HIDDEN),
        (r"([?&][\w.%-]+=)[^&\s\"'<>)]+", rf"\1{HIDDEN}"),
        (r"(?<![\w.%+'-])[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+", HIDDEN),
        # Hex keys, signatures, tokens of pages.
        (r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12,}\b", HIDDEN),
        # Numbers that people are reached by: with +, 62 or 0 in front, or of seven digits and more.
        (rf"(?<!\w)(?:\+{_GAP}*\d|\(?0|62)(?:{_GAP}*\d){{6,14}}(?!\w)", HIDDEN),
        (r"(?<![\w.])\d{7,}(?!\w)", HIDDEN),
        (rf"(?<!\w)(?:{_AREA})[\s.-]*[1-9]\d{{0,3}}[\s.-]*[a-z]{{1,3}}(?!\w)", HIDDEN),
    )
]
