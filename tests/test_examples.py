"""The examples under docs/ run: blocks of Python in order, each followed by what it prints.

`make golden` rewrites what they print; a change of numbers shows in the diff of a document.
"""

import contextlib
import io
import re
import shutil
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
STEP = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<said>.*?)```", re.DOTALL)


@pytest.mark.parametrize("name", ["planner", "finance", "engineer", "study"])
def test_an_example_prints_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    document = DOCS / f"{name}.md"
    text = document.read_text(encoding="utf-8")
    (tmp_path / "docs").mkdir()
    for file in DOCS.glob("*.toml"):
        shutil.copy(file, tmp_path / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}

    def step(found: re.Match[str]) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(found["code"], str(document), "exec"), names)
        return f"```python\n{found['code']}```\n\n```text\n{said.getvalue()}```"

    written = STEP.sub(step, text)
    assert text.count("```python") == len(STEP.findall(text))
    if request.config.getoption("--update-golden"):
        document.write_text(written, encoding="utf-8")
    assert written == document.read_text(encoding="utf-8"), "`make golden` if meant"
