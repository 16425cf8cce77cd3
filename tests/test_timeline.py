"""A replay in the course of time: nothing lost between journal and pictures."""

import json
import re
from collections.abc import Callable

import numpy as np

from loadtests import timeline
from loadtests.journal import About, Clock, Journal, Share
from loadtests.summary import summarise
from reports.language import LANGUAGES, speaking
from reports.replay.page import render
from scenarios.load import parse
from tests.page_walk import Files, mistakes, walked
from tests.test_thresholds import DROPPED, rows

S = 10**9


def test_intervals_steps_and_shares_account_for_every_request() -> None:
    times_ns = [0, S // 20, S // 10, 3 * S // 10 + 1]
    frame = rows(
        *(
            {"intended_ns": one, "sent_ns": one, "response_ns": 10**6 * (1 + one)}
            for one in times_ns
        ),
        DROPPED | {"intended_ns": 2 * S // 10},
    )
    line = timeline.timeline(frame)
    assert (line.width_s, line.start_s.size) == (0.1, 4)
    assert line.planned_per_s.round(9).tolist() == [20, 10, 10, 10]
    assert line.sent_per_s.round(9).tolist() == [20, 10, 0, 10]
    assert line.good_per_s.round(9).tolist() == [20, 10, 0, 10]
    assert np.isnan(line.p99_ms).tolist() == [False, False, True, False]
    assert line.max_ms[0] == 1.0 + S // 20
    heat = timeline.heat_map(frame)
    assert heat.counts.sum(axis=0).tolist() == [2, 1, 0, 1]
    assert heat.edges_ms[-1] > 3 * S // 10
    found = timeline.curve(frame)
    assert found.share[-1] == 1.0
    assert found.response_ms[-1] == line.max_ms[3]
    assert (np.diff(found.response_ms) >= 0).all()


def test_long_replays_have_wider_intervals_and_none_at_all_is_drawn_empty() -> None:
    frame = rows({"intended_ns": 0}, {"intended_ns": 1000 * S})
    assert timeline.timeline(frame).width_s == 5
    assert timeline.heat_map(frame).counts.shape[1] == 201
    nothing = rows(DROPPED)
    assert timeline.curve(nothing).share.size == 0
    assert timeline.heat_map(nothing).counts.sum() == 0


def test_the_report_shows_verdict_thresholds_and_pictures(
    golden: Callable[[str, str], None],
) -> None:
    frame = rows(
        *(
            dict.fromkeys(("intended_ns", "ready_ns", "sent_ns"), one * S // 50)
            for one in range(99)
        ),
        {"intended_ns": S, "response_ns": 2 * S, "outcome": "unknown", "reason": "HTTP 503"},
    )
    limits = {"speed": 1.0, "send_lag_limit_ms": 2.0, "connections_count_max": 4}
    limits["clock_limit_ms"] = 2.0
    clock = Clock(offset_ns=40_000, uncertainty_ns=150_000, wall_offset_ns=-2_000_000)
    share = Share(worker=0, planned_count=frame.height, host="a-machine", clock=clock)
    about = About(
        planned_count=frame.height,
        trace_digest="0123456789",
        host="http://127.0.0.1:8080",
        started_unix_ns=0,
        limits=limits,
        shares=(share,),
    )
    found = Journal(about, frame.sort("intended_ns"))
    said = summarise(
        found,
        parse(["failed_ratio <= 0", "p50_response_ms < 2"]),
        lag_limit_ms=2.0,
        clock_limit_ms=2.0,
        stopped=[],
    )
    text = render(found, said.document())
    assert "Thresholds are broken" in text
    assert text.count("<svg") == 6
    document = json.loads(json.dumps(said.document()))
    assert text == render(found, document)
    files = Files({"replay": document | {"limits": limits}}, {})
    for language in LANGUAGES:
        with speaking(language):
            walk = walked(render(found, document))
            assert list(mistakes(walk, files)) == []
        assert len(walk.numbers) > 30
    plain = re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", text)
    golden("replay.txt", "\n".join(line.strip() for line in plain.splitlines() if line.strip()))
