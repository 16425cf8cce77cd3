"""The house rules that no other tool keeps: sizes of files and functions, listed packages, marks.

Ruff keeps line length, prints and unfinished marks in Python, import-linter keeps the floors; both
run with `make test`. What is left is here, as an ordinary test.
"""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES = 400
FUNCTION_LINES = 70


def tracked() -> list[Path]:
    """Files under version control; everything on disk where there is none (an unpacked archive)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
        return [path for path in names if path.is_file()]
    kinds = ("*.py", "*.toml", "*.md")
    found = [path for kind in kinds for path in ROOT.rglob(kind)]
    return [path for path in found if not {".venv", "results"} & set(path.relative_to(ROOT).parts)]


FILES = tracked()
CODE = [path for path in FILES if path.suffix == ".py"]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_hold_one_noun_each() -> None:
    long = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in CODE}
    assert not {name: lines for name, lines in long.items() if lines > FILE_LINES}


def test_functions_fit_on_a_page() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


def test_modules_say_what_they_decide() -> None:
    silent = [
        name_of(path)
        for path in CODE
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_every_package_is_listed() -> None:
    houses = ("scenarios", "sim", "loadtests", "reports")
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in CODE
        if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] in houses
    }
    assert found == set(PYPROJECT["tool"]["setuptools"]["packages"])
    folders = {path.parent for path in CODE if path.relative_to(ROOT).parts[0] in houses}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_data_files_of_packages_are_packaged() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    for house, globs in patterns.items():
        packaged = {path for pattern in globs for path in (ROOT / house).glob(pattern)}
        data = {p for p in FILES if ROOT / house in p.parents and p.suffix not in (".py", ".md")}
        assert not sorted(name_of(path) for path in data - packaged)


@pytest.mark.parametrize("kind", [".toml", ".md", ""])
def test_no_unfinished_marks_and_no_place_of_one_machine(kind: str) -> None:
    unfinished = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    home = re.compile(r"/(?:home|Users|root|work)/\w+")
    hits = []
    for path in FILES:
        if path.suffix == kind and path.name != "LICENSE":
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                if unfinished.search(line) or home.search(line):
                    hits.append(f"{name_of(path)}:{number}: {line}")
    assert not hits


def test_pins_name_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    pinned = {re.split("==", pin)[0].lower().replace("_", "-") for pin in pins}
    project = PYPROJECT["project"]
    wanted = {*project["dependencies"], *project["optional-dependencies"]["dev"]}
    assert wanted <= pinned


def test_the_floors_are_kept_by_contracts() -> None:
    linter = PYPROJECT["tool"]["importlinter"]
    layers = next(one for one in linter["contracts"] if one["type"] == "layers")["layers"]
    assert layers == ["reports", "sim | loadtests", "scenarios"]
    assert set(linter["root_packages"]) == {"reports", "sim", "loadtests", "scenarios"}
