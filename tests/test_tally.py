"""Sums of finished requests: the same as adding each to Locust's statistics by itself."""

from collections import Counter

import numpy as np

from loadtests.tally import Tally, histogram


class Clock:
    """Says the time that it is set to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_times_round_to_three_digits_as_a_format_does() -> None:
    drawn_ms = np.random.default_rng(7).lognormal(0.0, 4.0, 5000)
    response_ms = np.concatenate([drawn_ms, [0.0, 0.09996, 999.6, 1234.0, 1.0]])
    expected = Counter(float(f"{one:.3g}") for one in response_ms.tolist())
    assert histogram(response_ms) == expected
    assert histogram(np.empty(0)) == {}


def test_requests_are_summed_by_name_in_the_order_of_their_first() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.add("POST", "open", 4.0, 10)
    tally.add("GET", "read", 1.0, 5)
    clock.now_s = 101.5
    tally.add("POST", "open", None, 0)
    tally.add("POST", "open", 2.0, 20)
    opened, read = tally.take(), tally.take()
    assert opened == {
        "name": "open",
        "method": "POST",
        "last_request_timestamp": 101.0,
        "num_requests": 3,
        "num_none_requests": 1,
        "total_response_time": 6.0,
        "max_response_time": 4.0,
        "min_response_time": 2.0,
        "total_content_length": 30,
        "response_times": {4.0: 1, 2.0: 1},
        "num_reqs_per_sec": {100: 1, 101: 2},
    }
    assert read is not None
    assert (read["name"], read["num_requests"]) == ("read", 1)
    assert tally.take() is None


def test_what_was_never_sent_has_no_time() -> None:
    tally = Tally(Clock())
    tally.add("POST", "open", None, 0)
    report = tally.take()
    assert report is not None
    assert (report["num_none_requests"], report["min_response_time"]) == (1, None)
    assert report["response_times"] == {}


def test_failures_are_counted_by_error_and_second() -> None:
    clock, error = Clock(), ValueError("HTTP 500")
    tally = Tally(clock)
    for _ in range(3):
        tally.add_failure("POST", "open", error)
    clock.now_s = 101.0
    tally.add_failure("POST", "open", error)
    assert tally.take_failures() == {
        ("open", "POST", error, 100): 3,
        ("open", "POST", error, 101): 1,
    }
    assert not tally.take_failures()
