"""Log lines for a console or as JSON, with a trace id, without personal data and secrets.

    any logger ── level, time, trace ── exception as text ── masked ── one line

Modules and libraries keep the standard library's loggers; structlog formats their records.
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
"""Libraries that log every step, some with its content: messages, statements, where a photo was taken.
Only their warnings are logged, whatever the level.
"""
OURS = frozenset({"timestamp", "level", "logger", "trace"})
"""Fields that the program writes itself; they hold no personal data."""
PERSONAL = frozenset({"address", "customer", "email", "name", "phone", "place", "plate", "text", "words"})
"""Fields of a log line or a message that hold personal data."""
SHORTEST_WORD = 3
HIDDEN = "[…]"


def set_up(
    kind: Literal["console", "json"], level: str, *, secrets: Iterable[str] = (), stream: TextIO = sys.stderr
) -> None:
    """Format all log lines this way from now on, libraries' lines included; `secrets` appear in none of them."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(kind, Mask(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs whole answers that aren't JSON; `metrics.vendor_call` logs the outcome of a call.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)
    # `webhooks.app` logs what handlers raise; this logger only adds malformed requests.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def personal_words(body: object) -> Iterator[str]:
    """The personal data in a message's JSON, by parameter name."""
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
    """A structlog processor that removes personal data and secrets, and keeps the entry on one line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._secrets = sorted(forms, key=len, reverse=True)

    def __call__(self, logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
        return {key: self._field(key, value) for key, value in line.items()}

    def text(self, text: str) -> str:
        """The text without secrets, contact data, plates, and the current trace's private words."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = without_contacts(text)
        for word in sorted(trace.current().private, key=len, reverse=True):
            text = _hidden(text, _plain(word))
        return text

    def _field(self, key: str, value: Any) -> Any:
        if key == "exception":
            # Indented, so that no line looks like a log entry of its own.
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


def without_contacts(text: str) -> str:
    """A text without contact data, plates and keys."""
    text = _plain(text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


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


def _log_uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("unhandled exception", exc_info=(kind, error, where))


def _plain(text: str) -> str:
    """The text normalized, so that full-width or invisible characters can't hide anything."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")


def _one_line(text: str) -> str:
    """Control characters, line ends and lone surrogates as Python escapes."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
        for char in text
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
        # PostgreSQL quotes a row's values when a constraint fails.
        (r"(DETAIL:\s*)[^\n]*", rf"\1{HIDDEN}"),
        (r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", rf"\1 {HIDDEN}"),
        (r"://[^\s/\"'<>]*@", f"://{HIDDEN}@"),
        (r"\b(?:SB-)?Mid-(?:server|client)-[\w-]+", HIDDEN),
        (r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*", HIDDEN),
        # Telegram tokens, also within URLs.
        (r"(?<!\d)(?:bot)?(?<!\d)\d{6,}:[\w-]{30,}", HIDDEN),
        (r"([?&][\w.%-]+=)[^&\s\"'<>)]+", rf"\1{HIDDEN}"),
        (r"(?<![\w.%+'-])[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+", HIDDEN),
        # Hex keys, signatures, page tokens.
        (r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12,}\b", HIDDEN),
        # Phone numbers: starting with +, 62 or 0, or any seven digits or more.
        (rf"(?<!\w)(?:\+{_GAP}*\d|\(?0|62)(?:{_GAP}*\d){{6,14}}(?!\w)", HIDDEN),
        (r"(?<![\w.])\d{7,}(?!\w)", HIDDEN),
        (rf"(?<!\w)(?:{_AREA})[\s.-]*[1-9]\d{{0,3}}[\s.-]*[a-z]{{1,3}}(?!\w)", HIDDEN),
    )
]
