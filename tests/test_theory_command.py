"""`springpeak theory erlang-c` and its sisters: keys, values, and what is refused."""

import json

import pytest

from tests.test_cli import springpeak_says
from tests.test_theory import LEVELS

LINE = "--agents 13 --arrivals-per-h 200 --aht-s 180 --patience-s 300 --threshold-s 20 --json"
KEYS = {*LEVELS, "asa_all_s", "asa_answered_s", "asa_virtual_s", "occupancy", "agents"}


def theory_says(queue: str, options: str) -> dict[str, object]:
    said = springpeak_says("theory", queue, *options.split())
    assert said.status == 0, said.err
    found: dict[str, object] = json.loads(said.out)
    return found


@pytest.mark.parametrize(
    ("queue", "sl"),
    [
        ("erlang-c", 0.7955947884),
        ("erlang-b", 0.9156611373),
        ("erlang-a", 0.8581777000),
        ("mmng", 0.8581777000),
        ("chat", 0.8581777000),
        ("priority", 0.7955947884),
        ("redial", 0.8492337905),
        ("reconnect", 0.6710910684),
    ],
)
def test_one_line_for_every_queue(queue: str, sl: float) -> None:
    said = theory_says(queue, LINE)
    assert said.keys() >= KEYS
    assert said["agents"] == 13
    assert said["sl_of_offered"] == pytest.approx(sl, rel=1e-9)


def test_laws_of_patience_and_random_rates() -> None:
    small = "--agents 13 --arrivals-per-h 200 --aht-s 180 --json"
    law = theory_says("mmng", f"{small} --patience exponential:mean=300 --rate-cv 0.3")
    mean = theory_says("erlang-a", f"{small} --patience-s 300 --rate-cv 0.3")
    assert law == mean
    assert mean["sl_of_offered"] == pytest.approx(0.72051924, abs=1e-8)
    patient = theory_says("mmng", f"{small} --patience deterministic:60")
    assert patient["sl_excluding_short_abandons"] == pytest.approx(patient["sl_of_offered"])


def test_classes_and_sessions() -> None:
    options = "--agents 13 --arrivals-per-h 60,140 --aht-s 180 --json"
    classes = theory_says("priority", options)["classes"]
    assert isinstance(classes, list)
    waits_s = [one["mean_wait_s"] for one in classes]
    assert waits_s == pytest.approx([5.134868155, 22.25109534], rel=1e-9)
    options = "--arrivals-per-h 2000 --aht-s 180 --sessions 3 --efficiency-ratio 0.8 --json"
    chat = theory_says("chat", f"{options} --required --target 80/20")
    assert (chat["agents"], chat["slots"]) == (45, 135)


def test_required() -> None:
    options = "--arrivals-per-h 200 --aht-s 180 --shrinkage-ratio 0.3 --json --required"
    said = theory_says("erlang-c", f"{options} --target 80/20")
    assert (said["agents"], said["agents_paid"]) == (14, 20)
    options = "--arrivals-per-h 26400 --aht-s 360 --patience-s 300 --json --required"
    said = theory_says("erlang-a", f"{options} --target 90/60 --target occupancy<=0.95")
    assert said["agents"] == 2779
    assert said["threshold_s"] == 60.0


def test_overload_has_no_steady_state() -> None:
    said = theory_says("erlang-c", "--agents 3 --arrivals-per-h 200 --aht-s 180 --json")
    assert (said["p_wait"], said["sl_of_offered"]) == (1.0, 0.0)
    assert said["mean_wait_s"] is None


@pytest.mark.parametrize(
    ("queue", "options", "words"),
    [
        ("erlang-c", "--agents 0 --arrivals-per-h nan --aht-s -1", "3 problems"),
        ("erlang-c", "--arrivals-per-h 200 --aht-s 180", "--agents: none"),
        ("erlang-c", "--agents 3 --arrivals-per-h 1,x --aht-s 180", "--arrivals-per-h: 1,x"),
        ("erlang-a", "--agents 3 --arrivals-per-h 200 --aht-s 180", "--patience-s: none"),
        ("mmng", "--agents 3 --arrivals-per-h 9 --aht-s 9 --patience x:3", "lognormal:mean="),
        ("redial", "--agents 3 --arrivals-per-h 9 --aht-s 9 --redial-ratio 1.2", "from 0 to 1"),
        ("erlang-c", "--arrivals-per-h 9 --aht-s 9 --required", "--required"),
        ("erlang-c", "--agents 3 --arrivals-per-h 9 --aht-s 9 --target 80/20", "goes with"),
        ("erlang-c", "--arrivals-per-h 9 --aht-s 9 --required --target 1.2", "between 0 and 1"),
        ("erlang-c", "--arrivals-per-h 9 --aht-s 9 --required --target fast", "right is 80/20"),
        (
            "erlang-c",
            "--arrivals-per-h 9 --aht-s 9 --required --target sl>=0.9 --target sl<=0.5",
            "contradicts",
        ),
        (
            "erlang-c",
            "--arrivals-per-h 9 --aht-s 9 --required --target 0.9 --target occupancy>=0.99",
            "contradicts",
        ),
        (
            "redial",
            "--agents 3 --arrivals-per-h 900 --aht-s 180 --patience-s 60 --redial-ratio 1",
            "more agents",
        ),
    ],
)
def test_what_is_refused(queue: str, options: str, words: str) -> None:
    said = springpeak_says("theory", queue, *options.split())
    assert said.status == 2
    assert words in said.err
    assert not said.out
