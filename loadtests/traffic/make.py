"""A trace from a run: all parts together, the window cut out, copied, and written as requests.

Claims that are open when the window begins are opened in a lead-in before it, evenly, so that what
follows on them within the window has something to follow; what lies beyond its end is left out.
Amplified traffic is whole cases again, each copy a little earlier or later: the number of steps is
multiplied, what depends on what is kept. Everything is columns: an hour of the country takes
seconds.
"""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from loadtests.trace import Trace, TraceError
from loadtests.traffic import cases, platform
from loadtests.traffic.habits import Cutting, Habits
from loadtests.traffic.habits import load as load_habits
from loadtests.traffic.parts import Part, stream, together
from loadtests.traffic.requests import requests
from loadtests.traffic.rundata import RunData, open_run
from loadtests.traffic.window import Asked, Window, counted, place

AMPLIFY_MAX: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Made:
    """A trace, and what became of the run's rows in it."""

    trace: Trace
    carried_count: int
    """Claims opened in the lead-in."""
    beyond_count: int
    """Steps left out because they lie after the window's end."""


def make(
    path: Path, *, asked: Asked | None, amplify: float = 1.0, reads: bool = False, seed: int = 1
) -> Made:
    """The traffic of a run. Raises TraceError when there is none, or no such window."""
    if not 0.0 < amplify <= AMPLIFY_MAX:
        raise TraceError(f"--amplify {amplify:g}: above 0 and at most {AMPLIFY_MAX:g}")
    run, habits = open_run(path), load_habits()
    claims = _claims(run, habits, seed)
    window = counted(run.scenario)
    if asked is not None:
        busiest_s = busiest(claims.cases["time_s"], asked.length_s, window)
        window = place(asked, run.scenario, busiest_s=busiest_s)
    calls = [
        platform.statuses(run, habits.platform, seed),
        platform.lookups(run, seed),
        platform.polls(habits.platform, window),
    ]
    if reads:
        calls.append(platform.terms(run, window, seed))
    cut = _cut(together([claims, *calls]), window, habits.trace)
    if not cut.part.cases.height + cut.part.single.height:
        raise TraceError(f"{path} has no traffic in {window.name}")
    copied = _amplified(cut.part, amplify, window, habits.trace, seed)
    start_s = window.start_s - habits.trace.lead_in_s
    nonce = blake2b(f"{run.fingerprint} {window.name} {seed}".encode(), digest_size=4).hexdigest()
    steps = requests(copied, start_s=start_s, sweep_s=habits.platform.sweep_s, nonce=nonce)
    load = run.scenario.load
    trace = Trace(
        steps,
        f"{run.scenario.name} {run.fingerprint}",
        window.name,
        amplification=amplify,
        thresholds=load.thresholds if load else (),
    )
    return Made(trace, cut.carried_count, cut.beyond_count)


def busiest(times_s: pl.Series, length_s: float, within: Window) -> float:
    """Where the window with the most claims begins, on a grid of a tenth of its length."""
    step_s = length_s / 10
    count = max(1, int((within.end_s - within.start_s - length_s) / step_s + 1e-9) + 1)
    starts_s = within.start_s + step_s * np.arange(count)
    sorted_s = times_s.sort().to_numpy()
    inside = np.searchsorted(sorted_s, starts_s + length_s) - np.searchsorted(sorted_s, starts_s)
    return float(starts_s[int(inside.argmax())])


def _claims(run: RunData, habits: Habits, seed: int) -> Part:
    return together(
        [
            cases.self_service(run, habits.claims, seed),
            cases.by_agents(run),
            cases.cancellations(run, habits.claims),
            cases.alerts(run, habits.claims, seed),
            cases.reports(run, seed),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    part: Part
    carried_count: int
    beyond_count: int


def _cut(whole: Part, window: Window, habits: Cutting) -> _Cut:
    """What lies in the window; claims that follow-ups need are opened in the lead-in."""
    inside = pl.col("time_s").is_between(window.start_s, window.end_s, closed="left")
    following = whole.following.filter(inside)
    before = whole.cases.filter(pl.col("time_s") < window.start_s)
    carried = before.join(following.select("case").unique(), on="case", how="semi").sort(
        "time_s", "case"
    )
    lead_s = habits.lead_in_s * (pl.int_range(pl.len()) + 0.5) / pl.len()
    carried = carried.with_columns(time_s=window.start_s - habits.lead_in_s + lead_s)
    opened = pl.concat([carried, whole.cases.filter(inside)])
    kept = following.join(opened.select("case"), on="case", how="semi")
    beyond = whole.following.join(opened.select("case"), on="case", how="semi")
    beyond_count = beyond.filter(pl.col("time_s") >= window.end_s).height
    return _Cut(Part(opened, kept, whole.single.filter(inside)), carried.height, beyond_count)


def _amplified(cut: Part, amplify: float, window: Window, habits: Cutting, seed: int) -> Part:
    """Every case and call so many times: whole copies, and one more with the fraction's chance.

    A copy keeps its steps' distances and stays within the window, like the original.
    """
    if amplify == 1.0:
        return cut
    rng = stream(seed, "amplify")
    last = cut.following.group_by("case").agg(pl.col("time_s").max().alias("last_s"))
    spans = cut.cases.join(last, on="case", how="left", maintain_order="left")
    rows, copy = _copies(spans.height, amplify, rng)
    taken = spans[rows].with_columns(
        pl.Series("copy", copy), pl.int_range(pl.len(), dtype=pl.Int64).alias("new")
    )
    end_s = window.end_s - 1e-6
    first_s = taken["time_s"].to_numpy()
    last_s = taken["last_s"].fill_null(taken["time_s"]).to_numpy()
    low_s = np.where(first_s < window.start_s, window.start_s - habits.lead_in_s, window.start_s)
    apart_s = _apart(rng, first_s - low_s, end_s - last_s, habits.spread_s) * (copy > 0)
    taken = taken.with_columns(pl.Series("apart_s", apart_s))
    followed = cut.following.join(taken.select("case", "new", "apart_s"), on="case")
    polls = pl.col("operation") == "budgets"
    calls = cut.single.filter(~polls)
    rows, copy = _copies(calls.height, amplify, rng)
    more = calls[rows]
    at_s = more["time_s"].to_numpy()
    apart_s = _apart(rng, at_s - window.start_s, end_s - at_s, habits.spread_s) * (copy > 0)
    moved = pl.col("time_s") + pl.col("apart_s")
    return Part(
        taken.with_columns(moved, case=pl.col("new")).select(cut.cases.columns),
        followed.with_columns(moved, case=pl.col("new")).select(cut.following.columns),
        pl.concat(
            [
                cut.single.filter(polls),
                more.with_columns(time_s=at_s + pl.Series(apart_s)).select(cut.single.columns),
            ]
        ),
    )


def _copies(count: int, amplify: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers, each as often as it is taken, and the number of the copy, 0 = the original."""
    times = np.floor(amplify + rng.random(count)).astype(np.int64)
    rows = np.repeat(np.arange(count), times)
    starts = np.repeat(np.cumsum(times) - times, times)
    return rows, np.arange(rows.size) - starts


def _apart(
    rng: np.random.Generator, down_s: np.ndarray, up_s: np.ndarray, spread_s: float
) -> np.ndarray:
    low_s, high_s = -np.minimum(down_s, spread_s), np.minimum(up_s, spread_s)
    apart_s: np.ndarray = low_s + rng.random(low_s.size) * (high_s - low_s)
    return apart_s
