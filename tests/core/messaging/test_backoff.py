"""When something that went wrong is tried again."""

from datetime import datetime, timedelta

import pytest

from core.messaging.backoff import retry_at

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [
        pytest.param(1, 0.0, 2, id="the first time soon"),
        pytest.param(0, 0.0, 2, id="what was never tried, too"),
        pytest.param(2, 0.0, 4, id="then twice as long"),
        pytest.param(5, 0.0, 32, id="and so on"),
        pytest.param(9, 0.0, 300, id="up to five minutes"),
        pytest.param(10_000, 0.0, 300, id="however often"),
        pytest.param(1, 1.0, 3, id="half as much again by jitter"),
    ],
)
def test_when_to_try_again(now: datetime, attempts: int, jitter: float, seconds: int) -> None:
    assert retry_at(attempts, now, jitter=jitter) == now + timedelta(seconds=seconds)
