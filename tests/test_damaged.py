"""Files that were cut off or overwritten: one message that names the file, and nothing changed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.study_file import Design
from sim.experiment.files import RunError
from sim.study.conduct import conduct
from sim.study.lines import Lines
from tests.study_models import noisy, ten_factors, values_of
from tests.synthetic_run import InlineExecutor, write_synthetic_run
from tests.test_cli import springpeak_says

PLAN = ten_factors(Design(kind="lhs", points_count=4), replications_count=1)


def cut(file: Path) -> None:
    """What a full disk or a copy that stopped leaves."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def holds(text: bytes) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_bytes(text)

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def carry_out(path: Path) -> None:
    conduct(PLAN, noisy, values_of, path=path, workers=1, executor=InlineExecutor())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study"
    carry_out(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic_run(tmp_path_factory.mktemp("run") / "run", replications=2)


DAMAGED = [
    ("study_trials.parquet", cut),
    ("plan.json", cut),
    ("plan.json", holds(b"{}")),
    ("manifest.json", holds(b"[]")),
    ("manifest.json", holds(b"\xff\xfe")),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGED)
def test_a_damaged_study_is_neither_explained_nor_gone_on_with(
    name: str, damage: Callable[[Path], None], study: Path, tmp_path: Path
) -> None:
    path = tmp_path / "study"
    shutil.copytree(study, path)
    damage(path / name)
    before = contents(path)
    said = springpeak_says("study", str(path))
    assert said.status == 2
    assert f"{path / name} cannot be read, it is damaged (" in said.err
    with pytest.raises(RunError, match=r"damaged|other points"):
        carry_out(path)
    assert contents(path) == before


@pytest.mark.parametrize("line", [b"{nonsense}\n", b"\x00\x00\n", b'{"point":0}\n'])
def test_a_damaged_line_is_told_by_its_file(line: bytes, study: Path, tmp_path: Path) -> None:
    path = tmp_path / "study"
    shutil.copytree(study, path)
    lines = path / "parts" / "trials.jsonl"
    lines.parent.mkdir()
    lines.write_bytes(line)
    before = contents(path)
    with pytest.raises(RunError, match=r"parts/trials\.jsonl(:1)? cannot be read, it is damaged"):
        carry_out(path)
    assert contents(path) == before


def test_lines_are_whole_or_not_there(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "deep" / "a.jsonl")
    assert list(lines.read()) == []
    for told in ({"a": 1}, ["x", None]):
        with lines.open() as writer:
            writer.add(told)
        with lines.path.open("ab") as file:
            file.write(b'{"cut')
    assert list(lines.read()) == [{"a": 1}, ["x", None]]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("estimates.parquet", "report"),
        ("summary.json", "report"),
        ("manifest.json", "report"),
        ("scenario.toml", "report"),
        ("scenario.toml", "payout"),
        ("replications.parquet", "payout"),
        ("replications.parquet", "compare"),
    ],
)
def test_a_damaged_run_is_not_reported(
    name: str, command: str, run: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    shutil.copytree(run, path)
    cut(path / name)
    before = contents(path)
    more = [str(run)] if command == "compare" else []
    said = springpeak_says(command, str(path), *more)
    assert said.status == 2
    assert f"{path / name} cannot be read, it is damaged (" in said.err
    assert contents(path) == before


def test_a_damaged_run_does_not_go_on(run: Path, tmp_path: Path) -> None:
    """What is merged, and what is to be merged with it."""
    for name in ("replications.parquet", "demand.parquet", "manifest.json"):
        path = tmp_path / name
        shutil.copytree(run, path)
        cut(path / name)
        with pytest.raises(RunError, match=rf"{name} cannot be .*damaged"):
            write_synthetic_run(path, replications=3, resume=True)


def test_what_cannot_be_written_is_named(study: Path, tmp_path: Path) -> None:
    """A folder in the way, because root may write where nobody else may."""
    path = tmp_path / "study"
    shutil.copytree(study, path)
    (path / "study_variance.csv").mkdir()
    said = springpeak_says("study", str(path))
    assert said.status == 2
    assert "study_variance.csv" in said.err
    assert "cannot be written: Is a directory" in said.err
