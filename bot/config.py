"""Settings: config.yaml, then the environment (`BENGKEL_SECTION__KEY`, also from .env), as frozen values.

Secrets come from the environment only.
"""

import os
import re
from collections.abc import Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from core.limits import RATE
from core.shop import Shop, StaffMember

SECRETS = (
    ("server", "metrics_token"),
    ("telegram", "token"),
    ("telegram", "webhook_secret"),
    ("whatsapp", "auth_token"),
    ("midtrans", "server_key"),
    ("email", "smtp_url"),
    ("second_reader", "key"),
)
"""Settings that config.yaml must not hold, because the file is meant to be shared."""


class BadSettings(Exception):
    """A missing or wrong setting; the message is one sentence that names its key."""


def _check_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return text.rstrip("/")


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


Url = Annotated[str, AfterValidator(_check_url)]
Rate = Annotated[str, Field(pattern=RATE)]
Optional = BeforeValidator(_none_if_empty)
"""An empty environment variable means: not set."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(_Section):
    """The address to listen on, and the public URL."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: Url = "http://127.0.0.1:8080"
    rate_limit: Rate = "60/minute"
    chat_limit: Rate = "60/minute"
    gather_seconds: float = Field(2, ge=0, le=5)
    """0 turns it off; more than a few seconds would keep everybody waiting."""
    behind_proxy: bool = False
    cors_origins: tuple[Url, ...] = ()
    photos: Path = Path("data/photos")
    log: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_token: Annotated[SecretStr | None, Optional] = None


class DatabaseAt(_Section):
    url: str = "sqlite+aiosqlite:///data/bengkel.db"

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            driver = make_url(self.url).drivername
        except (ArgumentError, ValueError):  # ValueError: a bad port, quoted in its message
            raise ValueError("url is not a database address") from None
        if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
            raise ValueError("url must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        return self


class Telegram(_Section):
    """The bot's account; without a token the channel is off."""

    token: Annotated[SecretStr | None, Optional] = None
    mode: Literal["polling", "webhook"] = "polling"
    webhook_secret: Annotated[SecretStr | None, Optional] = None
    api_url: Url = "https://api.telegram.org"
    per_second: int = Field(30, ge=1)
    """Telegram's limit for one bot; above it Telegram answers 429. Source: https://core.telegram.org/bots/faq"""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.token and self.mode == "webhook" and not self.webhook_secret:
            raise ValueError("webhook_secret is needed when mode is webhook")
        return self


class WhatsApp(_Section):
    """The Twilio account; without credentials the channel is off."""

    account_sid: Annotated[str | None, Optional] = None
    auth_token: Annotated[SecretStr | None, Optional] = None
    sender: Annotated[str | None, Optional] = None
    api_url: Url = "https://api.twilio.com"
    content_url: Url = "https://content.twilio.com"
    templates: dict[str, dict[str, str]] = {}
    per_second: int = Field(80, ge=1)
    """Twilio's limit for one WhatsApp sender. Source: https://www.twilio.com/docs/whatsapp/best-practices-and-faqs"""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in ("account_sid", "auth_token", "sender") if not getattr(self, name)]
        if 0 < len(missing) < 3:
            raise ValueError(f"{missing[0]} is missing")
        return self


class Midtrans(_Section):
    """The Midtrans account; without keys there are no payment links."""

    server_key: Annotated[SecretStr | None, Optional] = None
    client_key: Annotated[str | None, Optional] = None
    production: bool = False
    snap_url: Annotated[Url | None, Optional] = None
    api_url: Annotated[Url | None, Optional] = None

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if self.production and self.server_key and self.server_key.get_secret_value().startswith("SB-"):
            raise ValueError("production is on, but server_key is a sandbox key")
        return self


class Email(_Section):
    """The mail server; without one no mail is sent."""

    smtp_url: Annotated[SecretStr | None, Optional] = None
    sender: Annotated[str | None, Optional] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.smtp_url and not self.sender:
            raise ValueError("sender is missing")
        return self


class SecondReaderAt(_Section):
    """A language model behind an OpenAI-compatible address (docs/second_reader.md); off without all three."""

    url: Annotated[Url | None, Optional] = None
    model: Annotated[str | None, Optional] = None
    key: Annotated[SecretStr | None, Optional] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in ("url", "model", "key") if not getattr(self, name)]
        if 0 < len(missing) < 3:
            raise ValueError(f"{missing[0]} is missing")
        return self


class Clerk(_Section):
    """The issuer whose tokens the REST API accepts."""

    issuer: Annotated[Url | None, Optional] = None
    jwks_url: Annotated[Url | None, Optional] = None
    authorized_parties: tuple[str, ...] = ()

    @property
    def keys_url(self) -> str:
        return self.jwks_url or f"{self.issuer}/.well-known/jwks.json"


class Backup(_Section):
    """Where and how often the SQLite file is backed up; off without a folder."""

    folder: Annotated[Path | None, Optional] = None
    every_hours: int = Field(24, ge=1, le=24 * 7)
    keep: int = Field(14, ge=1)


class Privacy(_Section):
    """How long what isn't kept for the books is kept, in days."""

    keep_messages_days: int = Field(365, ge=90)
    """At least as long as a booking's own messages matter: 60 days ahead, and reminders."""
    keep_strangers_days: int = Field(90, ge=7)
    """People who wrote and never ordered."""
    keep_records_days: int = Field(400, ge=90)
    """Runs of nightly jobs, settled notifications, past entries of the waitlist."""


class Settings(_Section):
    server: Server = Server()
    database: DatabaseAt = DatabaseAt()
    telegram: Telegram = Telegram()
    whatsapp: WhatsApp = WhatsApp()
    midtrans: Midtrans = Midtrans()
    email: Email = Email()
    second_reader: SecondReaderAt = SecondReaderAt()
    clerk: Clerk = Clerk()
    backup: Backup = Backup()
    privacy: Privacy = Privacy()
    workshop: Shop
    staff: tuple[StaffMember, ...] = ()

    @property
    def shop(self) -> Shop:
        return self.workshop.model_copy(update={"staff": self.staff})

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold: the secrets, and passwords within URLs."""
        given = [getattr(getattr(self, section), key) for section, key in SECRETS]
        plain = [secret.get_secret_value() for secret in given if secret is not None]
        passwords = [urlsplit(secret).password for secret in plain if "://" in secret]
        return tuple(filter(None, [*plain, *passwords, _password(self.database.url)]))


class _WithEnvironment(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_prefix="BENGKEL_",
        env_nested_delimiter="__",
        env_nested_max_split=1,
        frozen=True,
        extra="forbid",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides .env, which overrides config.yaml, key by key; a table is replaced as a whole."""
        values: dict[str, Any] = {}
        for source in (init_settings, dotenv_settings, env_settings):
            for section, given in source().items():
                known = values.get(section)
                values[section] = known | given if isinstance(known, dict) and isinstance(given, dict) else given
        return (InitSettingsSource(settings_cls, values),)


def load(file: Path) -> Settings:
    """The settings of a file and the environment; raises `BadSettings`."""
    try:
        written = yaml.safe_load(file.read_text("utf-8")) or {}
    except FileNotFoundError:
        raise BadSettings(f"There is no settings file {file}; name one with --config.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file} can't be read: {' '.join(str(error).split())}.") from None
    if not isinstance(written, dict):
        raise BadSettings(f"{file} must hold sections such as server: and workshop:.")
    _refuse_secrets(written)
    try:
        return _WithEnvironment(**{name: value for name, value in written.items() if value is not None})
    except ValidationError as error:
        raise BadSettings(_sentence(error)) from None
    except SettingsError as error:
        raise BadSettings(_no_json(error)) from None


def _refuse_secrets(written: Mapping[str, Any]) -> None:
    for section, key in SECRETS:
        if _written(written, section, key):
            raise BadSettings(f"{section}.{key} is a secret: set BENGKEL_{section.upper()}__{key.upper()} instead.")
    if _password(str(_written(written, "database", "url") or "")):
        raise BadSettings("database.url holds a password, which is a secret: set BENGKEL_DATABASE__URL instead.")


def _written(written: Mapping[str, Any], section: str, key: str) -> Any:
    keys = written.get(section)
    return keys.get(key) if isinstance(keys, dict) else None


def _password(database_url: str) -> str | None:
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        return None
    password = url.password or url.query.get("password")
    return str(password) if password else None


def _no_json(error: SettingsError) -> str:
    """Name the key and the position only: the value may be a secret."""
    section = re.search(r'field "(\w+)"', str(error))
    names = f"BENGKEL_{section[1].upper() if section else ''}"
    broken = error.__cause__
    if not isinstance(broken, JSONDecodeError):
        return f"{names} must be JSON."
    key = next((key for key, value in os.environ.items() if value == broken.doc and key.startswith(names)), names)
    return f"{key} must be JSON, and is invalid at line {broken.lineno}, column {broken.colno}."


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    reason = first["msg"].removeprefix("Value error, ")
    return f"Setting {'.'.join(path) or 'file'}: {reason}."
