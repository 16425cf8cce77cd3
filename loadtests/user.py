"""The replay inside Locust: a user, a runner, and honest figures in Locust's own statistics.

The only file that imports Locust. Locust's own users wait for their answers and so form a closed
loop; here one user a worker stands for the whole traffic, and a sender underneath keeps the times.
Each finished step is reported through `events.request` with its time from the intended one, so that
Locust's web page, HTML report, CSV and exporters show what a consumer would have waited for.
"""

import csv
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from time import monotonic_ns
from typing import Any, ClassVar, Final

# Sockets are not patched: nothing here blocks in one, and the rest of the process stays as it is.
os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

import gevent
import locust.runners
import locust.stats
from gevent.event import Event
from locust import User, argument_parser, events, task
from locust.env import Environment
from locust.exception import RPCError
from locust.html import get_html_report
from locust.stats import StatsEntry, StatsError

from loadtests import exposition
from loadtests.job import Begin, Ending, Job, View, Watch
from loadtests.journal import Share
from loadtests.mapping import Mapping
from loadtests.port import LOOPBACK
from loadtests.recorder import PartFile, Recorder
from loadtests.schedule import Schedule
from loadtests.sender import GRACE_S, Sender, Watcher
from loadtests.tally import Tally

LEAD_NS: Final = 500_000_000
"""From the agreement on a start to the start: Locust has started its user by then."""
WATCH_S: Final = 1.0
SETTLE_S: Final = 0.05
"""Between two settlements of Locust's statistics: often, so that each is short."""
LINGER_MS: Final = 1000
LATE: Final = "the send lag rose above its limit"
HTML: Final = "locust.html"
CSV: Final = "locust.csv"


class StepFailed(Exception):
    """What Locust's table of failures shows."""


class ReplayUser(User):
    """Stands for everybody who sends: it is there as long as the sender sends."""

    ended: ClassVar[Event] = Event()

    @task
    def replay(self) -> None:
        """Wait for the end of the schedule."""
        self.ended.wait()
        gevent.sleep(1.0)


@contextmanager
def sent(
    job: Job, schedule: Schedule, *, view: View, begin: Begin, watch: Watch
) -> Iterator[list[Ending]]:
    """Replay in this process, for as long as its ending is dealt with: Ctrl-C ends it early, and
    breaks nothing off."""
    environment = environment_of(view)
    runner = environment.create_local_runner()
    totals = Totals(environment.stats)
    open_page(environment, view)
    part = PartFile(view.folder, 0)
    recorder = Recorder(part.write, part.reach)
    sender = sender_of(job, schedule, recorder)
    with interrupted(lambda: sender.stop("interrupted", grace_s=GRACE_S)):
        runner.start(1, 1)
        begin(time.time_ns() + LEAD_NS)
        start_ns, started_unix_ns = monotonic_ns() + LEAD_NS, time.time_ns() + LEAD_NS
        sender.start(start_ns)
        watch_over(sender, job, watch, totals)
        part.close()
        runner.quit()
        lost_ns = sender.elapsed_ns if recorder.failure else None
        share = Share(worker=0, planned_count=len(schedule), lost_ns=lost_ns)
        yield [Ending(share=share, stopped=sender.stopped, started_unix_ns=started_unix_ns)]
        write_tables(environment, view.folder)  # last: the journal counts, should the disk be full
    hold_page(environment)


def open_page(environment: Environment, view: View) -> None:
    """Keep the history that Locust draws, show its page if asked for, and call its hooks."""
    runner = environment.runner
    assert runner is not None
    runner.greenlet.spawn(locust.stats.stats_history, runner)
    if view.web_port is not None:
        page = environment.create_web_ui(LOOPBACK, view.web_port, delayed_start=True)
        kind = {"content-type": exposition.CONTENT_TYPE}
        assert page.app is not None
        page.app.add_url_rule(
            "/metrics", "metrics", lambda: (exposition.text(runner.stats.entries.values()), kind)
        )
        page.start()
    events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)


def hold_page(environment: Environment) -> None:
    """Keep Locust's page, if there is one, until Ctrl-C."""
    if environment.web_ui is not None:
        page: Any = environment.web_ui.greenlet
        with interrupted(environment.web_ui.stop):
            page.join()


def write_tables(environment: Environment, folder: Path) -> None:
    """Locust's own report and table, into the folder. Raises OSError that names the file."""
    page = get_html_report(environment, show_download_link=False)
    rows = StringIO(newline="")
    table = locust.stats.StatsCSV(environment, locust.stats.PERCENTILES_TO_REPORT)
    table.requests_csv(csv.writer(rows))
    for name, text in ((CSV, rows.getvalue()), (HTML, page)):
        try:
            (folder / name).write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise OSError(f"{folder / name} cannot be written: {error.strerror}") from None


def report(runner: Any) -> None:
    """A worker's share of Locust's statistics since its last report, to the master."""
    more: dict[str, Any] = {}
    runner.environment.events.report_to_master.fire(client_id=runner.client_id, data=more)
    runner.send_message("stats", more)


def environment_of(view: View | None) -> Environment:
    """Locust's environment with the one user; a worker has no view of its own."""
    ReplayUser.ended.clear()
    sys.argv[1:] = []  # Locust's page parses the command line, which is not its own
    parser = argument_parser.get_empty_argument_parser(add_help=False)
    argument_parser.setup_parser_arguments(parser)
    options = parser.parse_args([])
    options.headless = view is None or view.web_port is None
    if view is not None and view.otel:
        export()
    host = None if view is None else view.url
    return Environment(user_classes=[ReplayUser], events=events, host=host, parsed_options=options)


def export() -> None:
    """Switch on Locust's OpenTelemetry hooks. Raises OSError if they are not installed."""
    from locust.opentelemetry import setup_opentelemetry  # noqa: PLC0415

    if not setup_opentelemetry(__file__, None):
        raise OSError("--otel needs exporters: pip install 'locust[otel]'")


def master_runner(environment: Environment, host: str, port: int) -> Any:
    """The runner that workers come to. Raises OSError if it cannot listen there."""
    try:
        return environment.create_master_runner(host, port)
    except SystemExit:
        raise OSError(f"port {port} for the workers is taken") from None
    except RPCError as error:
        raise OSError(f"{host}:{port} cannot be listened at: {error}") from None


def worker_runner(environment: Environment, host: str, port: int, *, wait_s: float) -> Any:
    """The runner of a worker, once its master answers. Raises OSError if it does not."""
    locust.runners.CONNECT_RETRY_COUNT = max(2, int(wait_s))
    locust.runners.CONNECT_TIMEOUT = 1
    try:
        return environment.create_worker_runner(host, port)
    except ConnectionError:
        raise OSError(f"{host}:{port} is no master of a replay: it does not answer") from None
    except SystemExit:  # what Locust makes of Ctrl-C while it waits
        raise KeyboardInterrupt from None


def leave(runner: Any) -> None:
    """End a worker's runner, once its last messages are away or LINGER_MS have passed.

    Without Locust's own message: a master that has no worker left for a moment would end.
    """
    runner.quit()
    context = runner.client.socket.context
    runner.client.close(linger=LINGER_MS)
    context.term()


class Totals:
    """Locust's statistics of a runner in this process: what `events.request` reports is added up
    when they are settled, many requests at a time. See loadtests/tally.py."""

    def __init__(self, stats: locust.stats.RequestStats) -> None:
        self.ahead_s = 0.0
        """This machine's wall clock against the master's, who merges by seconds."""
        self._stats, self._tally = stats, Tally(lambda: time.time() - self.ahead_s)
        # The runner's own listener calls these two for every request.
        stats.log_request = self._tally.add  # type: ignore[method-assign,assignment]
        stats.log_error = self._tally.add_failure  # type: ignore[method-assign,assignment]

    def settle(self) -> bool:
        """Add what waited of one operation to the statistics, and all failures; whether anything
        waited."""
        report = self._tally.take()
        if report is not None:
            more = StatsEntry.unserialize(report, self._stats)  # type: ignore[arg-type]
            for entry in (self._stats.total, self._stats.get(more.name, more.method)):
                entry.extend(more)
        for (name, method, error, second), count in self._tally.take_failures().items():
            for entry in (self._stats.total, self._stats.get(name, method)):
                entry.num_failures += count
                entry.num_fail_per_sec[second] += count
            key = StatsError.create_key(method, name, error)
            seen = self._stats.errors.setdefault(key, StatsError(method, name, error))
            seen.occurred()
            seen.occurrences += count - 1
        return report is not None


def sender_of(job: Job, schedule: Schedule, recorder: Recorder) -> Sender:
    """A worker's sender, ready to start."""
    sender = Sender(
        schedule,
        loop=gevent.get_hub().loop,
        host=job.host,
        mapping=job.mapping,
        limits=job.limits,
        recorder=recorder,
        finished=_told(job.mapping),
        ended=ReplayUser.ended.set,
    )
    sender.warm()
    prefer(us=True)
    gc.collect()
    gc.freeze()  # what is there stays: the collector need not look at it while time counts
    return sender


def prefer(*, us: bool) -> None:
    """Go before other work on this machine, or no longer, where the user may (CAP_SYS_NICE).

    On a busy machine an ordinary process waits for whole time slices: the sender would be late by
    milliseconds. Threads and processes that it starts stay ordinary.
    """
    with suppress(AttributeError, OSError):  # not Linux, or not allowed
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK if us else os.SCHED_OTHER
        os.sched_setscheduler(0, policy, os.sched_param(1 if us else 0))


def _told(mapping: Mapping) -> Watcher:
    """Reports a finished step to Locust."""
    fire = events.request.fire
    failures: dict[str, StepFailed] = {"": StepFailed()}
    methods = {name: one.method for name, one in mapping.operations.items()}

    def finished(name: str, response_ns: int | None, answer_bytes: int, reason: str) -> None:
        response_ms = None if response_ns is None else response_ns / 1e6
        if reason not in failures:
            failures[reason] = StepFailed(reason)
        fire(
            request_type=methods[name],
            name=name,
            response_time=response_ms,
            response_length=answer_bytes,
            exception=failures[reason] if reason else None,
            context={},
            start_time=time.time() - (response_ms or 0.0) / 1e3,
            url="",
        )

    return finished


def watch_over(sender: Sender, job: Job, watch: Watch, totals: Totals) -> None:
    """Until the schedule has ended."""
    looked_ns = monotonic_ns()
    while not ReplayUser.ended.wait(timeout=SETTLE_S):
        totals.settle()
        if monotonic_ns() - looked_ns < WATCH_S * 1e9:
            continue
        looked_ns = monotonic_ns()
        lag_ns = sender.take_lag_p99_ns()
        watch(sender.counts, lag_ns)
        if job.stop_at_lag_ns is not None and lag_ns > job.stop_at_lag_ns:
            sender.stop(LATE, grace_s=GRACE_S)
    prefer(us=False)
    while totals.settle():
        pass


@contextmanager
def interrupted(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls `stop` between two callbacks of the hub, instead of breaking one off."""
    watcher: Any = gevent.signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        watcher.cancel()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # libev leaves none
