"""Retry-After headers."""

from datetime import timedelta

import pytest

from bot.timeouts import MAX_RETRY_AFTER, retry_after

DATE = "Mon, 23 Nov 2026 01:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "40"}, 40, id="seconds"),
        pytest.param({"Retry-After": " 7 "}, 7, id="with room around"),
        pytest.param({"Retry-After": "0"}, 0, id="at once"),
        pytest.param(
            {"Retry-After": "Mon, 23 Nov 2026 01:02:00 GMT", "Date": DATE}, 120, id="a moment, by their clock"
        ),
        pytest.param({"Retry-After": "Mon, 23 Nov 2026 00:00:00 GMT", "Date": DATE}, 0, id="a moment that has passed"),
        pytest.param({"Retry-After": "86400"}, 3600, id="a day: not so long"),
        pytest.param({"Retry-After": "9" * 400}, 3600, id="for ever: not so long either"),
        pytest.param({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT", "Date": DATE}, 3600, id="next century"),
    ],
)
def test_retry_after_is_followed_up_to_a_limit(headers: dict[str, str], seconds: int) -> None:
    assert retry_after(headers) == timedelta(seconds=seconds) <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Retry-After": ""}, id="empty"),
        pytest.param({"Retry-After": "-5"}, id="less than nothing"),
        pytest.param({"Retry-After": "1.5"}, id="no whole number"),
        pytest.param({"Retry-After": "soon"}, id="a word"),
        pytest.param({"Retry-After": "٤٠"}, id="digits nobody sends"),
        pytest.param({"Retry-After": "Mon, 23 Nov 2026 01:02:00 GMT"}, id="a moment, and no clock to read it by"),
        pytest.param({"Retry-After": "Mon, 23 Nov 2026 01:02:00", "Date": DATE}, id="a moment in no time zone"),
    ],
)
def test_unreadable_retry_after_is_ignored(headers: dict[str, str]) -> None:
    assert retry_after(headers) is None
