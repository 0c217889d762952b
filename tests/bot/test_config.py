"""Settings: a bad one stops the start with one sentence that names it."""

from pathlib import Path

import pytest

from bot.config import BadSettings, load

CONFIG = Path(__file__).parents[2] / "config.yaml"

BAD = [
    ("SERVER__PORT", "abc", "server.port"),  # no number
    ("SERVER__PORT", "70000", "server.port"),  # no port
    ("SERVER__PUBLIC_URL", "bengkel.example", "server.public_url"),  # no scheme
    ("SERVER__RATE_LIMIT", "viel", "server.rate_limit"),  # neither N/minute nor off
    ("SERVER__PROT", "1", "server.prot"),  # a typo is an error
    ("DATABASE__URL", "mysql://x", "database"),  # a database we don't know
    ("DATABASE__URL", "???", "database"),  # not a URL
    ("TELEGRAM__MODE", "pull", "telegram.mode"),
    ("WHATSAPP__ACCOUNT_SID", "AC1", "auth_token"),  # half an account
    ("MIDTRANS__PRODUCTION", "maybe", "midtrans.production"),
    ("EMAIL__SMTP_URL", "smtp://x", "sender"),  # no sender
    ("WORKSHOP__SLOT_MINUTES", "3", "workshop.slot_minutes"),
    ("WORKSHOP__TIMEZONE", "Mars/Olympus", "workshop.timezone"),
    ("WORKSHOP__DOWN_PAYMENT_PERCENTS", "[20]", "down_payment_percents"),  # the owner's bounds are 30 to 50
    ("WORKSHOP__DOWN_PAYMENT_PERCENTS", "[30, 60]", "down_payment_percents"),
    ("WORKSHOP__HOLD_MINUTES", "5", "workshop.hold_minutes"),  # Midtrans wants at least 15
    ("WORKSHOP__HOLD_MINUTES", "10081", "workshop.hold_minutes"),  # and at most seven days
    ("WORKSHOP__OFFER_MINUTES", "10", "workshop.offer_minutes"),  # shorter than a payment link
    ("WORKSHOP__CANCEL_UNTIL_HOURS", "-1", "workshop.cancel_until_hours"),  # a deadline after the start
    ("WORKSHOP__CANCEL_UNTIL_HOURS", "24", "cancel_until_hours"),  # no cancellation after that could cost the fee
    ("WORKSHOP__MOVE_UNTIL_HOURS", "-6", "workshop.move_until_hours"),
    ("WORKSHOP__MOVE_UNTIL_HOURS", "23", "move_until_hours"),  # moving would avoid the fee due 24 hours before
    ("WORKSHOP__MAX_MOVES", "-1", "workshop.max_moves"),
    ("WORKSHOP__KEPT_PERCENTS", '{"24": 50, "6": 30}', "kept_percents"),  # later but cheaper
    ("WORKSHOP__KEPT_PERCENTS", '{"24": 120}', "workshop.kept_percents.24"),  # more than was paid
    ("WORKSHOP__KEPT_PERCENTS", '{"-3": 50}', "workshop.kept_percents.-3"),  # after the start
    ("WORKSHOP__KEPT_PERCENTS", '{"a day": 50}', "workshop.kept_percents.a day"),  # hours are numbers
    ("WORKSHOP__KEPT_PERCENTS", "50", "workshop.kept_percents"),  # no hours
    ("WORKSHOP__KEPT_PERCENTS", "half", "BENGKEL_WORKSHOP__KEPT_PERCENTS"),
    ("WORKSHOP__NO_SHOW_KEPT_PERCENT", "40", "no_show_kept_percent"),  # a no-show would be cheaper than cancelling
    ("WORKSHOP__NO_SHOW_KEPT_PERCENT", "101", "workshop.no_show_kept_percent"),
    ("WORKSHOP__NO_SHOWS_TOLERATED", "-1", "workshop.no_shows_tolerated"),
    ("WORKSHOP__OPENING_HOURS", '{"monday": "17:00-09:00"}', "opening_hours"),  # closes before it opens
    ("STAFF", "not json", "BENGKEL_STAFF"),
    ("STAFF", '[{"name": "Rina", "role": "boss"}]', "staff.0.role"),
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in a folder without a .env file."""
    monkeypatch.chdir(tmp_path)


def test_repository_settings_are_valid() -> None:
    settings = load(CONFIG)
    assert settings.shop.name == "Bengkel Suara Jaya"
    assert settings.telegram.token is None


@pytest.mark.parametrize(("key", "value", "named"), BAD)
def test_a_bad_setting_is_named_in_one_sentence(
    key: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BENGKEL_{key}", value)
    with pytest.raises(BadSettings) as bad:
        load(CONFIG)
    assert named in str(bad.value)
    assert "\n" not in str(bad.value)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        (
            "TELEGRAM",
            '{"token": "123:very-secret",}',
            "BENGKEL_TELEGRAM must be JSON, and is invalid at line 1, column 29.",
        ),
        ("TELEGRAM", "123:very-secret", "BENGKEL_TELEGRAM must be JSON, and is invalid at line 1, column 4."),
        ("EMAIL", '{\n"smtp_url": very-secret}', "BENGKEL_EMAIL must be JSON, and is invalid at line 2, column 13."),
        ("TELEGRAM", '"very-secret"', "Setting telegram: Input should be a valid dictionary or instance of Telegram."),
        # A password that isn't URL-encoded.
        (
            "DATABASE__URL",
            "postgresql+asyncpg://u:a@b:very-secret@db/x",
            "Setting database: url is not a database address.",
        ),
    ],
)
def test_typo_next_to_a_secret_does_not_leak_it(
    key: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BENGKEL_{key}", value)
    with pytest.raises(BadSettings) as bad:
        load(CONFIG)
    assert str(bad.value) == named


def test_environment_overrides_dot_env_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BENGKEL_SERVER__PORT=9001\nBENGKEL_WORKSHOP__CITY=Bekasi\n")
    monkeypatch.setenv("BENGKEL_SERVER__PORT", "9002")
    settings = load(CONFIG)
    assert (settings.server.port, settings.shop.city) == (9002, "Bekasi")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"20": 25, "12": 60}', {20: 25, 12: 60}),  # not merged with the file's table
        ('{"24": 30}', {24: 30}),
        ("{}", {}),  # keeps nothing
    ],
)
def test_table_from_the_environment_replaces_the_files(
    given: str, kept: dict[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text('BENGKEL_WORKSHOP__KEPT_PERCENTS={"18": 10}\n')
    monkeypatch.setenv("BENGKEL_WORKSHOP__KEPT_PERCENTS", given)
    assert load(CONFIG).shop.kept_percents == kept


def test_staff_may_be_given_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "BENGKEL_STAFF",
        '[{"name": "Rina", "role": "admin", "telegram": 7, "whatsapp": "+628111000001"},'
        ' {"name": "Dedi", "role": "technician", "technician": "dedi", "telegram": 8}]',
    )
    assert load(CONFIG).shop.admin_addresses == (("telegram", "7"), ("whatsapp", "whatsapp:+628111000001"))


def test_a_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.read_text().replace("  mode: polling", "  token: 123:abc\n  mode: polling"))
    with pytest.raises(BadSettings, match="BENGKEL_TELEGRAM__TOKEN"):
        load(file)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://bengkel:hunter2@db/bengkel",
        "postgresql+asyncpg://bengkel@db/bengkel?password=hunter2",
        "sqlite+aiosqlite://x:hunter2@/data",  # one that is of no use
    ],
)
def test_database_password_in_the_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as bad:
        load(_with_database(url, tmp_path))
    assert str(bad.value) == "database.url holds a password, which is a secret: set BENGKEL_DATABASE__URL instead."


def test_database_password_may_come_from_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _with_database("postgresql+asyncpg://bengkel@db/bengkel", tmp_path)
    assert load(file).database.url == "postgresql+asyncpg://bengkel@db/bengkel"
    monkeypatch.setenv("BENGKEL_DATABASE__URL", "postgresql+asyncpg://bengkel:hunter2@db/bengkel")
    assert load(file).database.url == "postgresql+asyncpg://bengkel:hunter2@db/bengkel"


def test_a_secret_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENGKEL_TELEGRAM__TOKEN", "123:very-secret")
    assert "very-secret" not in repr(load(CONFIG))


@pytest.mark.parametrize("section", ["telegram", "database", "email"])
def test_malformed_section_is_named(section: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"{section}: something\n")
    with pytest.raises(BadSettings, match=section):
        load(file)


@pytest.mark.parametrize("text", ["[", "just words", "\x00"])
def test_malformed_settings_file_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=r"config\.yaml"):
        load(file)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadSettings, match=r"nowhere\.yaml"):
        load(Path("nowhere.yaml"))


def test_secrets_include_passwords_within_urls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENGKEL_TELEGRAM__TOKEN", "1:token")
    monkeypatch.setenv("BENGKEL_EMAIL__SMTP_URL", "smtp://user:letter%21@mail.example")
    monkeypatch.setenv("BENGKEL_EMAIL__SENDER", "halo@suarajaya.example")
    monkeypatch.setenv("BENGKEL_DATABASE__URL", "postgresql+asyncpg://bengkel:p%40ss@db/bengkel")
    monkeypatch.setenv("BENGKEL_SERVER__METRICS_TOKEN", "graphs")
    assert {"1:token", "letter%21", "p@ss", "graphs"} <= set(load(CONFIG).secrets)


def _with_database(url: str, folder: Path) -> Path:
    file = folder / "config.yaml"
    file.write_text(CONFIG.read_text().replace("sqlite+aiosqlite:///data/bengkel.db", url))
    return file
