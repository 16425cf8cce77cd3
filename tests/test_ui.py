"""The what-if page without a browser: who may talk to it, what a form asks, what a study does."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from typer.testing import CliRunner

import springpeak
from reports.whatif.form import GENERAL, OVERLAYS, Posted, Reader, overlay_toml
from reports.whatif.guard import COOKIE
from scenarios.loader import shipped
from sim.experiment.rundir import RunDirectory
from sim.whatif.study import Busy, Desk, Question
from tests.synthetic_run import InlineExecutor
from tests.test_cli import springpeak_says
from tests.whatif_page import BASE, served
from tests.worlds import small

READER = Reader(shipped())


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("open")) as (found, _):
        yield found


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("locked"), token="s3cret") as (found, _):
        yield found


def ask(
    address: str,
    path: str = "/",
    *,
    method: str = "GET",
    body: str = "",
    origin: str | None = "",
    **headers: str,
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text; a POST comes from the page unless it says otherwise."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 0)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "POST" and origin is not None:
        sent["Origin"] = origin or f"http://{where.netloc}"
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read().decode()
    finally:
        connection.close()


def test_another_sites_name_is_not_served(address: str) -> None:
    port = urlsplit(address).port
    for name in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", ""):
        assert ask(address, Host=name)[0] in (400, 421)
    assert ask(address, Host=f"localhost:{port}")[0] == 200


def test_only_the_page_itself_may_change_something(address: str) -> None:
    for path in ("/form", "/answer", "/studies", "/studies/0/cancel", "/overlays"):
        for origin in (None, "null", "http://evil.example", "https://127.0.0.1"):
            assert ask(address, path, method="POST", origin=origin)[0] == 403
        cross = ask(address, path, method="POST", Sec_Fetch_Site="cross-site")
        assert cross[0] == 403
    assert ask(address, "/answer", method="POST")[0] == 200


def test_answers_let_the_page_load_nothing_from_elsewhere(address: str) -> None:
    status, headers, text = ask(address)
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert all(one.startswith(("/", "data:,", "#")) for one in loaded)


def test_the_token_is_asked_for_on_every_request(locked: str) -> None:
    plain = locked.partition("?")[0]
    for path in ("/", "/style.css", "/static/htmx.min.js", "/studies/0", "/overlays/x"):
        assert ask(plain, path)[0] == 401
        assert ask(plain, path, Authorization="Bearer wrong")[0] == 401
        assert ask(plain, path, Cookie=f"{COOKIE}=wrong")[0] == 401
    assert ask(plain, "/answer", method="POST")[0] == 401
    assert ask(plain, "/?token=wrong")[0] == 401
    status, headers, _ = ask(plain, "/?token=s3cret")
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]
    assert ask(plain, "/", Cookie=headers["set-cookie"].partition(";")[0])[0] == 200
    assert ask(plain, "/", Authorization="Bearer s3cret")[0] == 200


def test_websockets_are_refused(address: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert ask(address, **upgrade, **key)[0] != 101


def test_unknown_studies_overlays_and_paths_are_not_found(address: str) -> None:
    for path in ("/studies/7", "/studies/0/report/change", "/overlays/none", "/overlays/..%2fx"):
        assert ask(address, path)[0] == 404
    assert ask(address, "/studies/7/cancel", method="POST")[0] == 404
    assert ask(address, "/static/../page.css")[0] == 404


def test_a_name_that_is_no_file_name_is_refused(address: str) -> None:
    fields = urlencode({"overlay_name": "../x", "support.headcount_count": "60"})
    status, _, text = ask(address, "/overlays", method="POST", body=fields)
    assert status == 200
    assert "letters, digits" in text


def test_an_oversized_form_is_not_read(address: str) -> None:
    fields = urlencode({"support.headcount_count": "9" * (1 << 19)})
    status, _, text = ask(address, "/answer", method="POST", body=fields)
    assert status == 200
    assert "refused" in text
    assert "9999999999" not in text


def posted(*overlays: str, **fields: str) -> Posted:
    return Posted(BASE, overlays, {key.replace("__", "."): text for key, text in fields.items()})


def test_nothing_moved_is_the_baseline_exactly() -> None:
    asked = READER.read(posted())
    assert asked.problems == {}
    assert asked.resolved is not None
    assert asked.baseline is not None
    assert asked.resolved.scenario.fingerprint == asked.baseline.scenario.fingerprint
    texts = {key.replace(".", "__"): text for key, text in asked.texts.items()}
    again = READER.read(posted(**texts))
    assert again.resolved is not None
    assert again.resolved.scenario.fingerprint == asked.baseline.scenario.fingerprint
    assert again.moved == ()


def test_every_lever_moves_the_scenario_or_is_refused() -> None:
    """Each field is moved alone; what comes of it is another scenario or a problem beside it."""
    asked = READER.read(posted())
    assert asked.baseline is not None
    for group in asked.groups:
        for lever in group.levers():
            text = asked.texts[lever.key]
            others = [value for value, _ in lever.choices if value != text]
            moved = others[0] if others else repr(float(text) * 0.5 + 0.125)
            one = READER.read(Posted(BASE, (), {lever.key: moved}))
            if one.resolved is None:
                assert lever.key in one.problems, lever.key
            elif not lever.key.startswith("shocks."):
                same = one.resolved.scenario == asked.baseline.scenario
                assert not same, lever.key


def test_what_is_wrong_stands_beside_its_field_in_the_loaders_words() -> None:
    asked = READER.read(
        posted(
            support__headcount_count="12.5",
            support__attendance_ratio="all",
            pots__reserve_fen="-1",
            shocks__what_if__end_h="3",
            shocks__what_if__orders_multiple="2",
        )
    )
    assert asked.resolved is None
    said = {key: found[0].message for key, found in asked.problems.items()}
    assert said["support.headcount_count"] == "should be a valid integer"
    assert said["support.attendance_ratio"] == "should be a valid number"
    assert said["pots.reserve_fen"] == "should be greater than or equal to 0"
    assert "end_h 3 is not after start_h 16" in said["shocks.what_if.end_h"]
    assert GENERAL not in said


def test_overlays_that_contradict_each_other_are_refused_beside_the_overlays() -> None:
    asked = READER.read(posted("generous-terms", "strict-terms"))
    assert asked.resolved is None
    assert asked.problems[OVERLAYS]


def test_money_is_shown_in_cny_and_kept_in_fen() -> None:
    key = "pots.report_bounty.total_limit_fen"
    asked = READER.read(posted(**{key.replace(".", "__"): "300000.5"}))
    assert asked.base_texts[key] == "210000"
    assert asked.resolved is not None
    assert asked.resolved.scenario.pots.report_bounty.total_limit_fen == 30_000_050
    finer = READER.read(posted(**{key.replace(".", "__"): "0.001"}))
    assert finer.problems[key][0].message == "should be a valid integer"


def test_the_saved_overlay_is_what_was_asked(tmp_path: Path) -> None:
    form = posted(
        "snowstorm",
        "viral-video",
        support__headcount_count="2600",
        support__shifts__night__heads_ratio="0.14",
        support__shifts__late__heads_ratio="0.38",
        monitoring__enabled="false",
        shocks__what_if__contact_multiple="2.5",
    )
    asked = READER.read(form)
    assert asked.resolved is not None, asked.problems
    path = tmp_path / "mine.toml"
    path.write_text(overlay_toml(asked, form), encoding="utf-8")
    assert tomllib.loads(path.read_text("utf-8"))["shocks"]["what_if"]["lunar_days"] == [2]
    again = shipped().load(BASE, overlays=(str(path),))
    assert again.fingerprint == asked.resolved.scenario.fingerprint


def question(replications: int) -> Question:
    return Question(
        baseline=small(),
        change=small(sets=("support.headcount_count=60",)),
        days=(2, 2),
        replications=replications,
    )


def test_a_study_compares_pairs_and_simulates_a_baseline_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, workers=1, executor=InlineExecutor)
    study = desk.study(desk.start(question(2)))
    study.wait()
    assert study.progress.phase == "done", study.progress.message
    assert study.progress.finished_count == study.progress.planned_count == 4
    found = {one.metric: one for one in study.progress.differences}
    assert found["orders_count"].difference == 0.0
    assert (found["wage_fen"].low or 0.0) > 0.0
    path = study.progress.baseline_path
    assert path is not None
    before = json.loads((path / "manifest.json").read_text("utf-8"))
    again = desk.study(desk.start(question(2)))
    again.wait()
    assert again.progress.differences == study.progress.differences
    assert json.loads((path / "manifest.json").read_text("utf-8")) == before
    desk.close()


def test_a_cancelled_study_keeps_what_is_finished_and_goes_on_from_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, workers=1, executor=InlineExecutor)
    study = desk.study(desk.start(question(1)))
    study.wait()
    study = desk.study(desk.start(question(3)))
    study.cancel()
    study.wait()
    assert study.progress.phase == "cancelled"
    assert study.progress.baseline_path is not None
    assert len(RunDirectory(study.progress.baseline_path).merged()) >= 1
    study = desk.study(desk.start(question(3)))
    study.wait()
    assert study.progress.phase == "done", study.progress.message
    assert study.progress.differences[0].n == 3
    desk.close()


def test_one_study_at_a_time(tmp_path: Path) -> None:
    with served(tmp_path) as (_, gate):
        desk = Desk(tmp_path / "runs", workers=1, executor=lambda: gate)
        number = desk.start(question(1))
        with pytest.raises(Busy):
            desk.start(question(1))
        gate.open(2)
        desk.study(number).wait()


def test_a_wrong_address_is_refused_before_anything_is_served() -> None:
    for words, said in ((["--token", ""], "--token is empty"), (["--host", "192.0.2.1"], "cannot")):
        result = CliRunner().invoke(springpeak.app, ["ui", "--port", "0", *words])
        assert result.exit_code == 2
        assert said in result.output


@contextmanager
def command(*words: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The command in a process of its own, with the address that it printed."""
    program = [sys.executable, "-c", "import springpeak; springpeak.main()", "ui", "--port", "0"]
    process = subprocess.Popen(
        [*program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2], process
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_the_page_cleanly(tmp_path: Path) -> None:
    with command("--folder", str(tmp_path)) as (address, process):
        assert ask(address, "/static/page.css")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "ended\n", "")


def test_elsewhere_than_on_loopback_a_token_is_made_and_printed(tmp_path: Path) -> None:
    with command("--folder", str(tmp_path), "--host", "0.0.0.0") as (said, _):
        address, _, token = said.replace("0.0.0.0", "127.0.0.1").partition("?token=")
        assert len(token) >= 32
        assert ask(address, "/")[0] == 401
        assert ask(address, f"/?token={token}")[0] == 303


def test_a_folder_that_is_a_file_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = springpeak_says("ui", "--port", "0", "--folder", str(tmp_path / "file" / "runs"))
    assert said.status == 2
    assert "file is a file, not a directory: choose another folder" in said.err
