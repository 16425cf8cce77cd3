"""The documents run: every command that README shows exists, and every command explains itself."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import springpeak
from scenarios.loader import SHIPPED, names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:sh|console)\n(.*?)```", README, re.DOTALL)
LINES = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for block in BLOCKS
    for line in block.splitlines()
    if line.strip() and not line.startswith("#")
]
COMMANDS = [shlex.split(line) for line in LINES if line.startswith("springpeak ")]
TARGETS = [line.split()[1] for line in LINES if re.match(r"make \S", line)]


def all_commands() -> dict[tuple[str, ...], Any]:
    """Every command with the words that call it, groups included."""
    found: dict[tuple[str, ...], Any] = {}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(springpeak.app))]
    while waiting:
        words, command = waiting.pop()
        found[words] = command
        waiting += [((*words, name), one) for name, one in getattr(command, "commands", {}).items()]
    return found


@pytest.mark.parametrize("words", sorted(all_commands()), ids=" ".join)
def test_every_command_and_option_explains_itself(words: tuple[str, ...]) -> None:
    command = all_commands()[words]
    assert command.help
    assert command.help.rstrip().endswith((".", "?"))
    assert [parameter.name for parameter in command.params if not parameter.help] == []
    said = CliRunner().invoke(springpeak.app, [*words, "--help"])
    assert said.exit_code == 0
    assert "Usage: " in said.stdout


def test_readme_shows_commands_of_each_kind() -> None:
    assert {words[1] for words in COMMANDS} >= {"run", "compare", "report", "scenarios"}
    assert {"peak", "test", "setup"} <= set(TARGETS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_of_the_readme_exist_with_their_options(words: list[str]) -> None:
    commands = all_commands()
    path: tuple[str, ...] = ()
    rest = words[1:]
    while rest and (*path, rest[0]) in commands:
        path, rest = (*path, rest[0]), rest[1:]
    if path == ("trace",):  # what is no command of it is the run of `trace make`
        path = ("trace", "make")
    known = {option for parameter in commands[path].params for option in parameter.opts}
    used = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert used <= known
    shipped = {**names(), **names(SHIPPED / "overlays")}
    mentioned = {name for word in rest for name in word.split("+") if name in shipped}
    overlays = [rest[k + 1] for k, word in enumerate(rest[:-1]) if word == "--overlay"]
    assert {name for name in overlays if not name.endswith(".toml")} <= mentioned


@pytest.mark.parametrize("target", TARGETS)
def test_make_targets_of_the_readme_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_files_that_the_readme_points_to_exist() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    # The picture is rendered from a run and added with it.
    missing = [link for link in links if not (ROOT / link).exists()]
    assert set(missing) <= {"docs/first-page.png"}


def test_every_folder_is_on_the_map() -> None:
    for path in ROOT.iterdir():
        if (path / "__init__.py").is_file():
            assert f"`{path.name}/`" in README


def test_continuous_integration_runs_what_developers_run() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert "make test" in run.read_text(encoding="utf-8")
