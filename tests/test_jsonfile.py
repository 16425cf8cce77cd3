"""A result's file: whole, or not there, and what stood there before stays."""

import json
import resource
from pathlib import Path

import pytest

from loadtests import jsonfile


def test_what_finds_no_room_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    jsonfile.write(path, {"host": "正月"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match=r"summary.json cannot be written: File too large"):
            jsonfile.write(path, {"host": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.name for one in tmp_path.iterdir()] == ["summary.json"]
    assert json.loads(path.read_text(encoding="utf-8")) == {"host": "正月"}
