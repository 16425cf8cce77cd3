"""The replay inside Locust: a user, a runner, and honest figures in Locust's own statistics.

The only file that imports Locust. Locust's own users wait for their answers and so form a closed
loop; here one user a worker stands for the whole traffic, and a sender underneath keeps the times.
Each finished step is reported through `events.request` with its time from the intended one, so that
Locust's web page, HTML report, CSV and exporters show what a consumer would have waited for.
"""

import csv
import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import ClassVar, Final

# Sockets are not patched: nothing here blocks in one, and the rest of the process stays as it is.
os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

import gevent
import locust.stats
from gevent.event import Event
from locust import User, argument_parser, events, task
from locust.env import Environment
from locust.html import get_html_report

from loadtests.connection import Host
from loadtests.mapping import Mapping
from loadtests.recorder import Recorder
from loadtests.schedule import Schedule
from loadtests.sender import Limits, Sender, Watcher

LEAD_NS: Final = 500_000_000
"""From the agreement on a start to the start: Locust has started its user by then."""
WATCH_S: Final = 1.0
GRACE_S: Final = 2.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker needs to know."""

    url: str
    host: Host
    mapping: Mapping
    limits: Limits
    folder: Path
    stop_at_lag_ns: int | None
    """End the replay when a quarter of a second's p99 of the send lag is above it."""
    web_port: int | None
    otel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one worker's share ended."""

    worker: int
    planned_count: int
    stopped: str
    """Why it ended before its end; empty if it did not."""
    lost_ns: int | None
    """Since when rows of the journal are missing; None if none is."""
    started_unix_ns: int


Watch = Callable[[dict[str, int], int], None]
"""Told about once a second: counts by outcome, and the send lag's p99 in ns."""


def run(job: Job, schedule: Schedule, watch: Watch) -> Ending:
    """Replay in this process."""
    environment = _environment(job)
    runner = environment.create_local_runner()
    runner.greenlet.spawn(locust.stats.stats_history, runner)
    if job.web_port is not None:
        environment.create_web_ui(host="127.0.0.1", port=job.web_port)
    events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)
    sender, recorder = _sender(job, schedule, 0)
    runner.start(1, 1)
    start_ns = monotonic_ns() + LEAD_NS
    started_unix_ns = time.time_ns() + LEAD_NS
    sender.start(start_ns)
    _watched(sender, job, watch)
    recorder.close()
    runner.stop()
    write_tables(environment, job.folder)
    if environment.web_ui is not None:
        _hold_page()
        environment.web_ui.stop()
    runner.quit()
    return Ending(
        worker=0,
        planned_count=len(schedule),
        stopped=sender.stopped,
        lost_ns=sender.elapsed_ns if recorder.failure else None,
        started_unix_ns=started_unix_ns,
    )


def write_tables(environment: Environment, folder: Path) -> None:
    """Locust's own report and table, into the folder."""
    with (folder / CSV).open("w", encoding="utf-8", newline="") as file:
        table = locust.stats.StatsCSV(environment, locust.stats.PERCENTILES_TO_REPORT)
        table.requests_csv(csv.writer(file))
    page = get_html_report(environment, show_download_link=False)
    (folder / HTML).write_text(page, encoding="utf-8")


def _environment(job: Job) -> Environment:
    # Locust rounds times to two digits to save memory; three are still few, and closer.
    locust.stats.bucket_response_time = three_digits  # type: ignore[assignment]
    ReplayUser.ended.clear()
    parser = argument_parser.get_empty_argument_parser(add_help=False)
    argument_parser.setup_parser_arguments(parser)
    options = parser.parse_args([])
    options.headless = job.web_port is None
    if job.otel:
        from locust.opentelemetry import setup_opentelemetry  # noqa: PLC0415

        setup_opentelemetry(__file__, None)
    return Environment(
        user_classes=[ReplayUser], events=events, host=job.url, parsed_options=options
    )


def three_digits(response_ms: float) -> float:
    """A time to three significant digits, for Locust's histogram."""
    return float(f"{response_ms:.3g}")


def _sender(job: Job, schedule: Schedule, worker: int) -> tuple[Sender, Recorder]:
    recorder = Recorder(job.folder, worker)
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
    gc.collect()
    gc.freeze()  # what is there stays: the collector need not look at it while time counts
    return sender, recorder


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


def _watched(sender: Sender, job: Job, watch: Watch) -> None:
    """Until the schedule has ended; Ctrl-C ends it early."""
    while True:
        try:
            if ReplayUser.ended.wait(timeout=WATCH_S):
                return
            watch(dict(sender.counts), sender.lag_p99_ns)
            if job.stop_at_lag_ns is not None and sender.lag_p99_ns > job.stop_at_lag_ns:
                sender.stop("the send lag rose above its limit", grace_s=GRACE_S)
        except KeyboardInterrupt:
            sender.stop("interrupted", grace_s=GRACE_S)


def _hold_page() -> None:
    """Keep Locust's page until Ctrl-C."""
    try:
        gevent.wait()
    except KeyboardInterrupt:
        return
