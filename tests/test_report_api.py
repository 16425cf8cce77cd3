"""The report's answer about the guarantee API: from api.json, and only where there is one."""

import json
from pathlib import Path
from typing import Any

import pytest

from reports.answers import cards
from reports.cells import Book
from tests.synthetic_run import write_synthetic_run

API: dict[str, Any] = {
    "verdict": "valid",
    "measured": True,
    "reasons": [],
    "sent": 329_429,
    "speed_multiple": 7.3,
    "sent_per_s": 3660.3,
    "p99_response_ms": 12.4,
    "lost": 0,
    "doubled": 0,
    "overdrawn": 0,
}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic_run(tmp_path_factory.mktemp("api") / "run", replications=2)


@pytest.mark.parametrize(
    ("change", "answer", "said"),
    [
        ({}, "Yes", "329,429 requests of the busiest ten minutes, 7.3 times as fast"),
        ({}, "Yes", "are answered within 12.4 ms"),
        ({"verdict": "invalid", "lost": 3}, "No", "3 acknowledged writes lost"),
        ({"verdict": "unknown"}, "Cannot tell", "0 doubled"),
        ({"measured": False, "reasons": ["it was late"]}, "Its books do", "no measurement: it was"),
    ],
)
def test_the_answer_follows_the_file(
    change: dict[str, Any], answer: str, said: str, run_dir: Path
) -> None:
    (run_dir / "api.json").write_text(json.dumps(API | change))
    card = cards(Book(run_dir))[-1]
    assert card.question == "Does the guarantee API hold the peak?"
    assert card.answer == answer
    assert said in card.sentence.striptags()
    assert 'data-source="api:p99_response_ms"' in card.sentence


def test_a_run_whose_api_was_not_loaded_has_no_such_answer(run_dir: Path) -> None:
    (run_dir / "api.json").unlink(missing_ok=True)
    assert len(cards(Book(run_dir))) == 3
