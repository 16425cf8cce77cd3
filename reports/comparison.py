"""The comparison of runs: side by side, and what each differs in from the first, pair by pair.

Decides which metrics come first. Means and intervals are those of each run's summary.json, the
differences those of sim/experiment/compare.py: replication r of every run draws from the same
streams, so that what both did alike cancels.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from markupsafe import Markup
from matplotlib.figure import Figure as Canvas

from reports import style, templating
from reports.card import Card
from reports.chapter import Chapter, Part
from reports.figure import Figure, Layout, figure, name_panel, panels, thousands
from reports.language import file_name, say, say_html
from reports.metrics import ORDER, metric_name
from reports.rows import Row
from reports.tables import Table
from sim.experiment import subjects
from sim.experiment.compare import compare
from sim.experiment.files import RunError
from sim.experiment.rundir import SUMMARY, RunDirectory

FILE_NAME: Final = "comparison.html"
_HEADLINES: Final = (
    subjects.HOURS_ON_TARGET,
    subjects.ABANDONED_RATIO,
    subjects.WAGE,
    subjects.PAYOUT_NET,
)
_ROW_PX: Final = 26.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its name among the others, its metrics, and its paired differences from the first."""

    name: str
    metrics: dict[str, Any]
    differences: dict[str, Any]
    number: int

    def mean(self, metric: str) -> Row:
        """A metric of the run by itself."""
        return Row(f"run{self.number}:metrics.{metric}", self.metrics[metric])

    def apart(self, metric: str) -> Row:
        """Its difference from the first run."""
        return Row(f"compare{self.number}:{metric}", self.differences[metric])

    @property
    def said(self) -> Markup:
        """The name on the page."""
        return Markup('<code class="quoted">{}</code>').format(self.name)


def write(runs: Sequence[Path]) -> Path:
    """Write comparison.html into the last run's directory and return its path.

    Raises RunError when the runs are no pairs of the first.
    """
    name = file_name(FILE_NAME)
    RunDirectory(runs[-1]).write_text(name, render(read(runs)))
    return runs[-1] / name


def read(runs: Sequence[Path]) -> list[Run]:
    """The runs with what `compare` says of them. Raises RunError."""
    known = {path.resolve() for path in runs}
    if len(known) < len(runs):
        raise RunError("a run is given twice: a comparison takes runs that differ")
    short = [path.resolve().name for path in runs]
    names = short if len(set(short)) == len(short) else [str(path) for path in runs]
    found = []
    for number, (name, path) in enumerate(zip(names, runs, strict=True)):
        apart = {} if number == 0 else {one.metric: asdict(one) for one in compare(runs[0], path)}
        found.append(Run(name, _metrics(path), apart, number))
    return found


def _metrics(path: Path) -> dict[str, Any]:
    """The metrics of a finished run."""
    RunDirectory(path).manifest()
    file = path / SUMMARY
    if not file.exists():
        raise RunError(f"{path} is not finished: it has no {SUMMARY}; go on with --resume")
    metrics: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["metrics"]
    return metrics


def render(runs: Sequence[Run]) -> str:
    """The page as text."""
    first, *others = runs
    metrics = [name for name in ORDER if all(name in run.metrics for run in runs)]
    metrics = [name for name in metrics if all(name in run.differences for run in others)]
    parts = (
        Part(
            say("Side by side"),
            say_html(
                "Means with their 95&nbsp;% intervals; differences are paired, replication by "
                "replication, over those that both runs have, so that their interval is often much "
                "narrower than those of the means; between runs of different length a difference "
                "is not that of the means. Bold: the interval excludes zero.",
            ),
            _table(runs, metrics),
            tuple(_drawn(runs, name) for name in _HEADLINES if name in metrics),
        ),
    )
    return templating.rendered(
        "page.html.j2",
        title=say("Comparison of runs"),
        description=say_html(
            "{others} against {first}, under common random numbers: all runs meet the same "
            "consumers with the same patience and handle times.",
            others=Markup(say(", ")).join(run.said for run in others),
            first=first.said,
        ),
        chapters=(
            Chapter("comparison", say("Comparison"), parts, tuple(_card(first, r) for r in others)),
        ),
        foot="",
    )


def _card(first: Run, run: Run) -> Card:
    hours, net, wage = (
        _change(run.apart(name))
        for name in (subjects.HOURS_ON_TARGET, subjects.PAYOUT_NET, subjects.WAGE)
    )
    sentence = say_html(
        "Hours on target {hours}, net payout {net}, wages {wage}, against {first}.",
        hours=hours,
        net=net,
        wage=wage,
        first=first.said,
    )
    enough = run.mean(subjects.ENOUGH).number("mean", "probability")
    answer = say_html("{share} of seasons meet every target", share=enough)
    question = say_html("What does {run} change?", run=run.said)
    return Card(question, answer, "", sentence)


def _change(apart: Row) -> Markup:
    """A difference with its interval in one line."""
    form = _apart_form(apart["unit"])
    return say_html(
        "{difference} (95&nbsp;% interval {interval})",
        difference=apart.number("difference", form),
        interval=apart.range("low", "high", form),
    )


def _apart_form(unit: str) -> str:
    """Two shares differ by percentage points; other differences carry their sign."""
    if unit == "ratio":
        return "points"
    return {"fen": "cny_apart", "s": "seconds_apart"}.get(unit, "count_apart")


def _table(runs: Sequence[Run], metrics: Sequence[str]) -> Table:
    first, *others = runs
    rows = []
    for name in metrics:
        form = style.format_of_unit(first.metrics[name]["unit"])
        means = [run.mean(name).with_interval("mean", "low", "high", form) for run in runs]
        rows.append((metric_name(name), *means, *(_difference(run, name) for run in others)))
    heads = (
        say("Metric"),
        *(run.said for run in runs),
        *(say_html("{run} less {first}", run=run.said, first=first.said) for run in others),
    )
    return Table(heads, tuple(rows))


def _difference(run: Run, metric: str) -> Markup:
    apart = run.apart(metric)
    cell = apart.with_interval("difference", "low", "high", _apart_form(apart["unit"]))
    low, high = apart["low"], apart["high"]
    clear = low is not None and high is not None and low * high > 0.0
    return Markup("<b>{}</b>").format(cell) if clear else cell


def _drawn(runs: Sequence[Run], metric: str) -> Figure:
    """A metric in all runs: the mean, its interval, and the band where the run has one."""
    first, *others = runs
    unit = first.metrics[metric]["unit"]
    tops = [abs(run.metrics[metric]["mean"] or 0.0) for run in runs]
    scale, said = (100.0, say("percent")) if unit == "ratio" else style.money_axis(max(tops))
    names = [run.name for run in reversed(runs)]

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, metric_name(metric), said)
        for place, run in enumerate(reversed(runs)):
            one = run.metrics[metric]
            if one["low"] is not None:
                ends = (one["low"] * scale, one["high"] * scale)
                axes.plot(ends, (place, place), color=style.BLUE, linewidth=5.0, alpha=0.4)
            if one["mean"] is not None:
                axes.plot(one["mean"] * scale, place, "o", color=style.BLUE)
        axes.axvline((first.metrics[metric]["mean"] or 0.0) * scale, color=style.INK, linewidth=0.8)
        axes.set_yticks(range(len(runs)), names)
        axes.set_ylim(-0.6, len(runs) - 0.4)
        axes.grid(visible=False)
        axes.grid(axis="x", visible=True)
        axes.xaxis.set_major_formatter(thousands)
        box = axes.get_position()
        left = 0.34 if layout.narrow else 0.2
        axes.set_position((left, box.y0, box.x1 - left, box.height))

    last = others[-1]
    return figure(
        f"compare-{metric.replace('_', '-')}",
        title=say_html(
            "{metric}: {run} differs from {first} by {change}",
            metric=metric_name(metric),
            run=last.said,
            first=first.said,
            change=_change(last.apart(metric)),
        ),
        reading=say("Dot: mean. Bar: its 95 % interval. Line: the first run's mean."),
        subjects=(metric,),
        file="summary.json, replications.parquet",
        data=_data(runs, metric),
        alt=metric_name(metric),
        height_px=lambda _: 92.0 + _ROW_PX * len(runs),
        draw=draw,
    )


def _data(runs: Sequence[Run], metric: str) -> pl.DataFrame:
    """The means and the paired differences, one run a row."""
    rows = []
    for run in runs:
        own = {name: run.metrics[metric][name] for name in ("mean", "low", "high", "n")}
        apart = run.differences.get(metric, {})
        pair = {f"difference_{name}": apart.get(name) for name in ("low", "high")}
        rows.append({"run": run.name, **own, "difference": apart.get("difference"), **pair})
    return pl.DataFrame(rows, infer_schema_length=None)
