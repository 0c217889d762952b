"""How often somebody may do something."""

from datetime import UTC, datetime, timedelta

from core.limits import MOST_CALLERS, Limiter

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NONE = timedelta()


def test_off_means_no_limit() -> None:
    limiter = Limiter("off")
    assert {limiter.wait("sari", NOW) for _ in range(1000)} == {NONE}


def test_what_is_too_much_isnt_counted_and_the_bucket_fills_evenly() -> None:
    limiter = Limiter("3/minute")
    assert [limiter.wait("sari", NOW) for _ in range(5)] == [NONE] * 3 + [timedelta(seconds=20)] * 2
    assert limiter.wait("tono", NOW) == NONE
    assert limiter.wait("sari", NOW + timedelta(seconds=20)) == NONE
    assert limiter.wait("sari", NOW + timedelta(seconds=20)) == timedelta(seconds=20)


def test_what_came_to_nothing_isnt_counted() -> None:
    limiter = Limiter("3/minute")
    for _ in range(10):
        assert limiter.wait("sari", NOW) == NONE
        limiter.give_back("sari")
    limiter.give_back("tono")
    assert [limiter.wait("sari", NOW) for _ in range(4)] == [NONE] * 3 + [timedelta(seconds=20)]


def test_it_forgets_who_came_longest_ago() -> None:
    limiter = Limiter("1/hour")
    for number in range(MOST_CALLERS + 1):
        limiter.wait(f"user-{number}", NOW)
    assert limiter.wait("user-0", NOW) == NONE
    assert limiter.wait(f"user-{MOST_CALLERS}", NOW) > NONE


def test_a_clock_that_is_set_back_an_hour_locks_nobody_out() -> None:
    limiter, before = Limiter("2/minute"), NOW - timedelta(hours=1)
    for _ in range(2):
        limiter.wait("sari", NOW)
    assert [limiter.wait("sari", before) for _ in range(3)] == [NONE, NONE, timedelta(seconds=30)]


def test_who_was_held_up_for_some_seconds_sets_no_clock_back() -> None:
    limiter = Limiter("1/minute")
    assert limiter.wait("sari", NOW) == NONE
    assert limiter.wait("sari", NOW - timedelta(seconds=5)) == timedelta(seconds=65)
