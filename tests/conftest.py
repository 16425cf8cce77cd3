"""What all tests share: Hypothesis without randomness or clock, golden files with an update."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests import api_postgres

settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that:
# tests that press it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Read when NumPy is first imported. Threads of linear algebra spin while they wait for a core that
# other tests have: a fit of 60 ms took 4 s of CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of a small world: three replications, the rows of the first; only read it."""
    from tests.worlds import write_small_run

    return write_small_run(tmp_path_factory.mktemp("runs") / "small", replications=3)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)` holds `text` against tests/golden/<name>; `make golden` rewrites it."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, f"{name} differs; `make golden` if meant"

    return check


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of the guarantee API: every test that asks for it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'guarantee.db'}"
    return _fresh_postgres()


@pytest.fixture
def postgres_url() -> str:
    """An empty data base of PostgreSQL, for what SQLite does not have."""
    return _fresh_postgres()


def _fresh_postgres() -> str:
    if api_postgres.why_not():
        pytest.skip(f"PostgreSQL was not tested: {api_postgres.why_not()}")
    return api_postgres.fresh_database()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what was not tested."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = ("PostgreSQL", "Chromium", "HAProxy", "Network namespaces")
    said = {
        str(one.longrepr[2])
        for one in skipped
        if any(name in str(one.longrepr) for name in missing)
    }
    for line in sorted(said):
        terminalreporter.write_line(line.removeprefix("Skipped: "), yellow=True, bold=True)
