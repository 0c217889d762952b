"""Settings: each bad one stops the start with one sentence that names it."""

from pathlib import Path

import pytest

from bot.config import BadSettings, load

CONFIG = Path(__file__).parents[2] / "config.yaml"

BAD = [
    ("SERVER__PORT", "abc", "server.port"),  # no number
    ("SERVER__PORT", "70000", "server.port"),  # no port
    ("SERVER__PUBLIC_URL", "bengkel.example", "server.public_url"),  # no scheme
    ("SERVER__RATE_LIMIT", "viel", "server.rate_limit"),  # neither N/minute nor off
    ("SERVER__PROT", "1", "server.prot"),  # a typing error is not passed over
    ("DATABASE__URL", "mysql://x", "database"),  # a database we don't know
    ("DATABASE__URL", "???", "database"),  # no address at all
    ("TELEGRAM__MODE", "pull", "telegram.mode"),
    ("WHATSAPP__ACCOUNT_SID", "AC1", "auth_token"),  # half an account
    ("MIDTRANS__PRODUCTION", "maybe", "midtrans.production"),
    ("EMAIL__SMTP_URL", "smtp://x", "sender"),  # mail from nobody
    ("WORKSHOP__SLOT_MINUTES", "3", "workshop.slot_minutes"),
    ("WORKSHOP__TIMEZONE", "Mars/Olympus", "workshop.timezone"),
    ("WORKSHOP__DOWN_PAYMENT_PERCENTS", "[20]", "down_payment_percents"),  # the owner's bounds are 30 to 50
    ("WORKSHOP__DOWN_PAYMENT_PERCENTS", "[30, 60]", "down_payment_percents"),
    ("WORKSHOP__HOLD_MINUTES", "5", "workshop.hold_minutes"),  # Midtrans wants at least 15
    ("WORKSHOP__HOLD_MINUTES", "10081", "workshop.hold_minutes"),  # and at most seven days
    ("WORKSHOP__OFFER_MINUTES", "10", "workshop.offer_minutes"),  # its link wouldn't live so short
    ("WORKSHOP__CANCEL_UNTIL_HOURS", "-1", "workshop.cancel_until_hours"),  # a deadline after the start
    ("WORKSHOP__CANCEL_UNTIL_HOURS", "24", "cancel_until_hours"),  # nobody cancels after that, so who'd pay the fee?
    ("WORKSHOP__MOVE_UNTIL_HOURS", "-6", "workshop.move_until_hours"),
    ("WORKSHOP__MOVE_UNTIL_HOURS", "23", "move_until_hours"),  # moved away from the fee that is due 24 hours before
    ("WORKSHOP__MAX_MOVES", "-1", "workshop.max_moves"),
    ("WORKSHOP__KEPT_PERCENTS", '{"24": 50, "6": 30}', "kept_percents"),  # cheaper the later
    ("WORKSHOP__KEPT_PERCENTS", '{"24": 120}', "workshop.kept_percents.24"),  # more than was paid
    ("WORKSHOP__KEPT_PERCENTS", '{"-3": 50}', "workshop.kept_percents.-3"),  # after the start
    ("WORKSHOP__KEPT_PERCENTS", '{"a day": 50}', "workshop.kept_percents.a day"),  # hours are numbers
    ("WORKSHOP__KEPT_PERCENTS", "50", "workshop.kept_percents"),  # of what, after when?
    ("WORKSHOP__KEPT_PERCENTS", "half", "BENGKEL_WORKSHOP__KEPT_PERCENTS"),
    ("WORKSHOP__NO_SHOW_KEPT_PERCENT", "40", "no_show_kept_percent"),  # staying away cheaper than cancelling
    ("WORKSHOP__NO_SHOW_KEPT_PERCENT", "101", "workshop.no_show_kept_percent"),
    ("WORKSHOP__NO_SHOWS_TOLERATED", "-1", "workshop.no_shows_tolerated"),
    ("WORKSHOP__OPENING_HOURS", '{"monday": "17:00-09:00"}', "opening_hours"),  # closes before it opens
    ("STAFF", "not json", "BENGKEL_STAFF"),
    ("STAFF", '[{"name": "Rina", "role": "boss"}]', "staff.0.role"),
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No .env of this machine has a say."""
    monkeypatch.chdir(tmp_path)


def test_the_settings_in_the_repository_are_right() -> None:
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
            "BENGKEL_TELEGRAM must be JSON, and isn't from line 1, column 29 on.",
        ),
        ("TELEGRAM", "123:very-secret", "BENGKEL_TELEGRAM must be JSON, and isn't from line 1, column 4 on."),
        ("EMAIL", '{\n"smtp_url": very-secret}', "BENGKEL_EMAIL must be JSON, and isn't from line 2, column 13 on."),
        ("TELEGRAM", '"very-secret"', "Setting telegram: Input should be a valid dictionary or instance of Telegram."),
        # A password that isn't quoted as addresses want it.
        (
            "DATABASE__URL",
            "postgresql+asyncpg://u:a@b:very-secret@db/x",
            "Setting database: url is no database address.",
        ),
    ],
)
def test_a_typing_error_beside_a_secret_does_not_show_it(
    key: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BENGKEL_{key}", value)
    with pytest.raises(BadSettings) as bad:
        load(CONFIG)
    assert str(bad.value) == named


def test_the_environment_wins_over_dot_env_and_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BENGKEL_SERVER__PORT=9001\nBENGKEL_WORKSHOP__CITY=Bekasi\n")
    monkeypatch.setenv("BENGKEL_SERVER__PORT", "9002")
    settings = load(CONFIG)
    assert (settings.server.port, settings.shop.city) == (9002, "Bekasi")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"20": 25, "12": 60}', {20: 25, 12: 60}),  # not beside what stands in the file
        ('{"24": 30}', {24: 30}),
        ("{}", {}),  # nothing is ever kept
    ],
)
def test_a_table_from_the_environment_replaces_the_one_in_the_file(
    given: str, kept: dict[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text('BENGKEL_WORKSHOP__KEPT_PERCENTS={"18": 10}\n')
    monkeypatch.setenv("BENGKEL_WORKSHOP__KEPT_PERCENTS", given)
    assert load(CONFIG).shop.kept_percents == kept


def test_staff_given_as_json_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_databases_password_in_the_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as bad:
        load(_with_database(url, tmp_path))
    assert str(bad.value) == "database.url holds a password, which is a secret: set BENGKEL_DATABASE__URL instead."


def test_a_databases_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _with_database("postgresql+asyncpg://bengkel@db/bengkel", tmp_path)
    assert load(file).database.url == "postgresql+asyncpg://bengkel@db/bengkel"
    monkeypatch.setenv("BENGKEL_DATABASE__URL", "postgresql+asyncpg://bengkel:hunter2@db/bengkel")
    assert load(file).database.url == "postgresql+asyncpg://bengkel:hunter2@db/bengkel"


def test_a_secret_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENGKEL_TELEGRAM__TOKEN", "123:very-secret")
    assert "very-secret" not in repr(load(CONFIG))


@pytest.mark.parametrize("section", ["telegram", "database", "email"])
def test_a_section_that_is_none_is_named(section: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"{section}: something\n")
    with pytest.raises(BadSettings, match=section):
        load(file)


@pytest.mark.parametrize("text", ["[", "just words", "\x00"])
def test_a_file_that_is_no_settings_file_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=r"config\.yaml"):
        load(file)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadSettings, match=r"nowhere\.yaml"):
        load(Path("nowhere.yaml"))


def test_what_the_log_must_not_hold_is_every_secret_and_the_passwords_in_addresses(
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
