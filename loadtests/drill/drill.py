"""A drill: the API is loaded, killed or frozen on schedule, restarted, and its books are audited.

Decides when the service is disrupted, and what the whole comes to. The load is a replay in a
process of its own, whose clients repeat what was not answered with the same key; the verdict is the
auditor's alone, thresholds are judged beside it. A kill comes after the last answer, too: what was
acknowledged must outlive it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from loadtests import trace
from loadtests.audit.books import Target
from loadtests.audit.judge import audit, read_history
from loadtests.audit.verdict import Verdict
from loadtests.drill.load import POLL_S, Load, LoadError, Replay
from loadtests.drill.service import Service
from loadtests.thresholds import of_the_host
from scenarios.scenario import Scenario

ATTEMPTS_COUNT: Final = 100
"""With a pause of at most two seconds between them: longer than any outage that a drill makes."""
REPEATED_COUNT: Final = 200
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be drilled."""

    trace_path: Path
    folder: Path
    scenario: Scenario
    store: str = ""
    """URL of the store; a new SQLite file if empty."""
    processes_count: int = 1
    """Several share the store behind HAProxy, and are killed in turn."""
    duration_s: float = 60.0
    """The trace is replayed so fast that it lasts so long."""
    kill_every_s: float = 0.0
    freeze_every_s: float = 0.0
    freeze_s: float = 0.0
    thresholds: tuple[str, ...] = ()
    """What the replay must hold; the trace's own for the host where none are named."""
    spoil: str = ""
    """A fault to be planted in the books before the audit; none if empty."""
    lag_limit_ms: float = 50.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a drill comes to."""

    verdict: Verdict
    load: dict[str, Any]
    """The replay's summary."""
    service: Service
    outages_s: list[float] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "verdict": self.verdict.word,
            "processes": self.service.processes_count,
            **{key: self.load[key] for key in ("planned", "sent", "dropped")},
            "kills": self.service.kills_count,
            "freezes": self.service.freezes_count,
            **{kind: self.verdict.count(kind) for kind in ("lost", "doubled", "overdrawn")},
            "p99_response_ms": self.load["p99_response_ms"],
            "send_lag_p99_ms": self.load["send_lag_p99_ms"],
            "outage_s_mean": sum(self.outages_s) / len(self.outages_s) if self.outages_s else 0.0,
            "thresholds": self.load["thresholds"],
            "audit": self.verdict.document(),
        }


def drill(plan: Plan, say: Say = lambda _: None) -> Result:
    """Hold a drill. Raises LoadError, ServiceFailed, AuditError, TraceError."""
    loaded = trace.read(plan.trace_path)
    plan = replace(plan, thresholds=plan.thresholds or of_the_host(loaded.thresholds))
    speed = max(loaded.duration_s / plan.duration_s, 1e-3)
    service = Service(
        plan.folder,
        plan.scenario,
        store=plan.store,
        faults=bool(plan.spoil),
        processes=plan.processes_count,
    )
    try:
        say("starting the service")
        service.start()
        if service.has_claims():  # their keys would be answered from memory, and nothing shown
            raise LoadError(f"--store {plan.store} has claims already: name an empty data base")
        load = _loaded(plan, service, planned_count=loaded.steps.height, speed=speed, say=say)
        if plan.spoil:
            service.plant(plan.spoil)
        say("auditing")
        sent = read_history(plan.folder / "journal", plan.trace_path)
        verdict = audit(sent, Target(service.url, service.tokens), repeated_count=REPEATED_COUNT)
    finally:
        service.stop()
    outages_s = [(until_ns - since_ns) / 1e9 for since_ns, until_ns in service.down_ns]
    return Result(verdict, load, service, outages_s)


def _loaded(
    plan: Plan, service: Service, *, planned_count: int, speed: float, say: Say
) -> dict[str, Any]:
    """The summary of the replay, during which the service was disrupted as planned."""
    load = Load(
        trace_path=plan.trace_path,
        out=plan.folder / "journal",
        speed=speed,
        attempts_count=ATTEMPTS_COUNT,
        lag_limit_ms=plan.lag_limit_ms,
        thresholds=plan.thresholds,
    )
    say(f"sending {planned_count:,} requests in {plan.duration_s:.0f} s")
    with Replay(load, service) as replay:
        _disrupt(plan, service, replay, say)
        return replay.summary()


def _disrupt(plan: Plan, service: Service, replay: Replay, say: Say) -> None:
    """Kills and freezes at their times, counted from the first request; the last one comes after
    the replay's end if that is sooner."""
    while not replay.sends:
        sleep(POLL_S)
    began_s = monotonic()
    # Freezes lie halfway between kills.
    moments = sorted(
        [(s, "kill") for s in _every(plan.kill_every_s, plan.duration_s)]
        + [
            (s - plan.freeze_every_s / 2, "freeze")
            for s in _every(plan.freeze_every_s, plan.duration_s)
        ]
    )
    for at_s, what in moments:
        while replay.runs and monotonic() - began_s < at_s:
            sleep(POLL_S)
        if replay.failed:
            return
        say(f"{at_s:.0f} s: {what}")
        if what == "kill":
            service.kill()
        else:
            service.freeze(plan.freeze_s)


def _every(interval_s: float, duration_s: float) -> list[float]:
    if interval_s <= 0.0:
        return []
    count = math.floor(duration_s / interval_s + 1e-9)
    return [interval_s * number for number in range(1, count + 1)]
