"""Fits and backtests measured: coverage on logs that the model made, and real logs of yours.

    python -m benchmarks.bench_fit coverage --logs 200
    python -m benchmarks.bench_fit backtest PAST.csv.gz NEW.csv.gz
    python -m benchmarks.bench_fit months PAST.csv.gz
    python -m benchmarks.bench_fit forward PAST.csv.gz --last 3
    python -m benchmarks.bench_fit memory --rows 5000000

`coverage`: share of synthetic logs whose 95 % interval holds the truth, by parameter. `backtest`:
seconds of the fit, then the figures that a backtest is judged by. `months`: such of each month,
foretold from the others, also by queue; `forward`: from those before it, at least two and with
`--last` at most so many. `memory`: seconds and peak memory of `springpeak fit contacts` on a log of
that many rows, whose days are ten made days again and again. Seconds are of CPU.
"""

import argparse
import json
import resource
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sim.backtest.backtest import OVERALL, Fitted, backtest
from sim.backtest.rivals import erlang_a_factor
from sim.experiment.confidence import Estimate
from sim.fit import words
from sim.fit.arrivals import hourly_counts, of_counts
from sim.fit.availability import fit_availability
from sim.fit.bootstrap import joint_draws
from sim.fit.contacts import fit_contacts
from sim.fit.handling import handle_times
from sim.fit.instants import Clock
from sim.fit.logs import ContactLog, Reading, read
from sim.fit.patience import fit_patience
from sim.fit.presence import Presence
from sim.fit.replay import FloorLaw, replay
from sim.fit.returns import Links, fit_returns, fresh
from sim.fit.survival import Waits, fit_law
from sim.fit.turns import Turns
from tests.log_cases import Truth, frame, write

READING = Reading({}, Clock())
REPLICATIONS: Final = 30
FEWEST_MONTHS: Final = 2


def fitted(contacts: ContactLog) -> dict[str, Estimate | None]:
    """The parameters that `Truth` names."""
    arrivals = of_counts(*hourly_counts(contacts, fresh(contacts)))
    handling = handle_times(contacts.handle_s[~contacts.abandoned], rivals=False)
    told = contacts.wait_s > 0.0
    waits = Waits.of(contacts.wait_s[told], contacts.abandoned[told])
    law = fit_law("lognormal", waits).parameters
    back = fit_returns(Links.of(contacts))
    turns = Turns.of(contacts)
    floor = fit_availability(contacts, fit_patience(contacts), turns, seed=1)
    return {
        "availability_ratio": floor.ratio if floor else None,
        "turn_mean_s": turns.mean_s,
        "day_cv": arrivals.day_cv,
        "hour_cv": arrivals.hour_cv,
        "handle_mu": handling.body.mu,
        "handle_sigma": handling.body.sigma,
        "short_ratio": handling.short_ratio,
        "patience_mu": law["mu"],
        "patience_sigma": law["sigma"],
        "redial_ratio": back.redial_ratio,
        "redial_delay_mean_s": back.redial_delay_mean_s,
        "reconnect_ratio": back.reconnect_ratio,
        "reconnect_delay_median_s": back.reconnect_delay_median_s,
        "reconnect_delay_sigma": back.reconnect_delay_sigma,
    }


def coverage(logs: int, *, days: int = 20, first_seed: int = 1000) -> dict[str, float]:
    """Share of logs that hold the truth, by parameter."""
    truth, hits, names = Truth(), Counter[str](), set[str]()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first_seed, first_seed + logs):
            path = write(Path(folder) / "log.csv", truth, days=days, seed=seed)
            for name, one in fitted(read([path], READING)).items():
                names.add(name)
                hits[name] += one is not None and one.low <= getattr(truth, name) <= one.high
    return {name: hits[name] / logs for name in sorted(names)}


def real(past: Path, new: Path) -> dict[str, object]:
    """Fit one log, backtest the other."""
    started = time.process_time()
    contacts = read([past], READING)
    fit = fit_contacts(contacts)
    document = {**words.document(fit), "erlang_a_factor": erlang_a_factor(contacts, fit)}
    joint_draws(contacts, fit, seed=1)
    seconds = time.process_time() - started
    found = backtest(read([new], READING), Fitted.of(document), replications=60, seed=1)
    said = found.document()
    overall = ("observed", "simulated", "foretold", "erlang_a", "erlang_c", "nearer", "by_chance")
    hourly = ("intervals", "coverage", "mae_abandoned_ratio_hourly", "mae_mean_wait_s_hourly")
    return {
        "fit_s": seconds,
        "rows": len(contacts),
        **{key: said[key] for key in (*overall, *hourly)},
    }


def months(paths: list[Path]) -> dict[str, object]:
    """Every calendar month foretold from all the others."""
    contacts = read(paths, READING)
    month = contacts.local_s.astype("datetime64[s]").astype("datetime64[M]")
    folds = [(str(one), month != one, month == one) for one in np.unique(month)]
    return _foretold(contacts, folds)


def forward(paths: list[Path], *, last: int | None) -> dict[str, object]:
    """Every calendar month foretold from those before it, or from so many of the last of them."""
    contacts = read(paths, READING)
    month = contacts.local_s.astype("datetime64[s]").astype("datetime64[M]")
    names = np.unique(month)
    folds = []
    for number in range(FEWEST_MONTHS, len(names)):
        before = names[:number] if last is None else names[:number][-last:]
        folds.append((str(names[number]), np.isin(month, before), month == names[number]))
    return _foretold(contacts, folds)


def _foretold(
    contacts: ContactLog, folds: list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]
) -> dict[str, object]:
    """Errors of the model and of Erlang A, by fold: its name, rows to fit, rows to foretell."""
    table: dict[str, dict[str, float]] = {}
    for name, known, new in folds:
        fit = fit_contacts(past := contacts.taken(known))
        document = {**words.document(fit), "erlang_a_factor": erlang_a_factor(past, fit)}
        fitted = Fitted.of(document)
        said = backtest(contacts.taken(new), fitted, replications=REPLICATIONS, seed=1).document()
        table[name] = _errors(said) | _by_queue(contacts.taken(new), fitted.floor)
    means = {
        name: float(np.mean([abs(row[name]) for row in table.values()]))
        for name in next(iter(table.values()))
    }
    return {**table, "mean, errors without sign": means}


def _errors(said: dict[str, Any]) -> dict[str, float]:
    """What a backtest is judged by, in one row."""
    row = {}
    for name in OVERALL[1:]:
        truth, wide = said["observed"][name], said["foretold"][name]
        row[f"{name}_observed"] = truth
        row[f"{name}_error_simulated"] = said["simulated"][name]["mean"] - truth
        row[f"{name}_error_erlang_a"] = said["erlang_a"][name] - truth
        if wide["low"] is not None:
            row[f"{name}_in_interval"] = float(wide["low"] <= truth <= wide["high"])
        row[f"{name}_in_80_band"] = said["hourly"][name]["coverage"]["0.8"]
    for name in ("abandoned_ratio", "mean_wait_s"):
        row[f"{name}_error_by_chance"] = said["by_chance"][name]
        row[f"mae_{name}_hourly_by_chance"] = said["by_chance"][f"mae_{name}_hourly"]
        for who in ("simulated", "erlang_a"):
            row[f"mae_{name}_hourly_{who}"] = said[f"mae_{name}_hourly"][who]
    return row


def _by_queue(contacts: ContactLog, law: FloorLaw) -> dict[str, float]:
    """Errors of the abandoned ratio, replayed four times, by queue; and what was observed."""
    presence, row = Presence.of(contacts, turn_s=law.turn_s), {}
    again = [replay(contacts, presence, law, np.random.default_rng(seed)) for seed in range(4)]
    for code, queue in enumerate(contacts.queues):
        own = contacts.queue == code
        truth = float(contacts.abandoned[own].mean())
        said = np.mean([one.abandoned[own].mean() for one in again])
        row[f"abandoned_ratio_{queue}_observed"] = truth
        row[f"abandoned_ratio_{queue}_error_simulated"] = float(said) - truth
    return row


def memory(rows: int) -> dict[str, float]:
    """Peak memory is the process's own, the making of the log included."""
    day = frame(Truth(per_day=700.0), days=10, seed=1)
    times = ("arrived_at", "answered_at", "ended_at")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("wb") as file:
            for copy in range(-(-rows // day.height)):
                shift = timedelta(days=10 * copy)
                moved = day.with_columns(
                    *(pl.col(t).str.to_datetime().dt.offset_by(f"{shift.days}d") for t in times),
                    pl.col("contact_id") + copy * day.height,
                )
                moved.write_csv(file, include_header=copy == 0, datetime_format="%FT%T%.6f")
        started = time.process_time()
        contacts = read([path], READING)
        read_s = time.process_time() - started
        fit = fit_contacts(contacts)
        erlang_a_factor(contacts, fit)
        joint_draws(contacts, fit, seed=1)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": len(contacts),
        "read_s": read_s,
        "fit_s": time.process_time() - started - read_s,
        "peak_gib": peak_kib / 2.0**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("coverage", "backtest", "months", "forward", "memory"))
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--logs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--last", type=int, help="months to fit on, at most")
    parser.add_argument("--rows", type=int, default=5_000_000)
    asked = parser.parse_args()
    if asked.what == "coverage":
        said: object = coverage(asked.logs, first_seed=asked.seed)
    elif asked.what == "backtest":
        said = real(*asked.paths)
    elif asked.what == "months":
        said = months(asked.paths)
    elif asked.what == "forward":
        said = forward(asked.paths, last=asked.last)
    else:
        said = memory(asked.rows)
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
