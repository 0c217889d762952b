"""How often somebody may do something."""

from datetime import UTC, datetime, timedelta

from core.limits import MOST_CALLERS, Limiter

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NONE = timedelta()


def test_off_means_no_limit() -> None:
    limiter = Limiter("off")
    assert {limiter.wait("sari", NOW) for _ in range(1000)} == {NONE}


def test_a_refused_call_takes_no_token() -> None:
    limiter = Limiter("3/minute")
    assert [limiter.wait("sari", NOW) for _ in range(5)] == [NONE] * 3 + [timedelta(seconds=20)] * 2
    assert limiter.wait("tono", NOW) == NONE
    assert limiter.wait("sari", NOW + timedelta(seconds=20)) == NONE
    assert limiter.wait("sari", NOW + timedelta(seconds=20)) == timedelta(seconds=20)


def test_give_back_returns_a_token() -> None:
    limiter = Limiter("3/minute")
    for _ in range(10):
        assert limiter.wait("sari", NOW) == NONE
        limiter.give_back("sari")
    limiter.give_back("tono")
    assert [limiter.wait("sari", NOW) for _ in range(4)] == [NONE] * 3 + [timedelta(seconds=20)]


def test_the_least_recent_key_is_forgotten() -> None:
    limiter = Limiter("1/hour")
    for number in range(MOST_CALLERS + 1):
        limiter.wait(f"user-{number}", NOW)
    assert limiter.wait("user-0", NOW) == NONE
    assert limiter.wait(f"user-{MOST_CALLERS}", NOW) > NONE


def test_a_clock_set_back_locks_nobody_out() -> None:
    limiter, before = Limiter("2/minute"), NOW - timedelta(hours=1)
    for _ in range(2):
        limiter.wait("sari", NOW)
    assert [limiter.wait("sari", before) for _ in range(3)] == [NONE, NONE, timedelta(seconds=30)]


def test_a_delayed_caller_does_not_reset_the_bucket() -> None:
    limiter = Limiter("1/minute")
    assert limiter.wait("sari", NOW) == NONE
    assert limiter.wait("sari", NOW - timedelta(seconds=5)) == timedelta(seconds=65)
