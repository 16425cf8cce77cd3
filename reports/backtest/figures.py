"""Figures of a backtest: bands against what happened, predicted against observed, PIT.

Everything drawn stands in backtest.json; hours are drawn in their order, one beside the next.
"""

from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.figure import Figure, Layout, figure, name_panel, panels
from reports.language import later, say, say_html
from reports.rows import Row

_FILE: Final = "backtest.json"
_SHOWN: Final = (
    ("abandoned_ratio", later("Abandoned"), later("% of contacts"), 100.0),
    ("mean_wait_s", later("Mean wait"), later("seconds"), 1.0),
)
_BAND: Final = "0.8"


def figures(document: dict[str, Any]) -> list[Figure]:
    """In the order of the page."""
    return [_bands(document), _against(document), _pit(document)]


def _bands(document: dict[str, Any]) -> Figure:
    hours = document["hours"]
    x = range(len(hours["start_s"]))
    days = [datetime.fromtimestamp(start, UTC).date() for start in hours["start_s"]]
    dates = [style.short_date(day) for day in days]
    ticks = [0]
    for i in x:
        if dates[i] != dates[i - 1] and i - ticks[-1] >= len(x) / 12:
            ticks.append(i)

    def draw(canvas: Canvas, layout: Layout) -> None:
        step = 3 if layout.narrow else 1
        for axes, (name, title, unit, scale) in zip(
            panels(canvas, layout, rows=2), _SHOWN, strict=True
        ):
            name_panel(axes, layout, say(title), say(unit))
            low, high, seen = (
                [value * scale for value in hours[f"{name}_{part}"]]
                for part in ("low", "high", "observed")
            )
            axes.fill_between(x, low, high, color=style.SKY, alpha=0.5, linewidth=0)
            axes.plot(x, seen, color=style.INK, linewidth=0.7)
            axes.set_xticks(ticks[::step], [dates[i] for i in ticks[::step]])

    coverage = Row("backtest:coverage", document["coverage"])
    return figure(
        "bands",
        title=say_html(
            "Of the hours, {inside} lie inside the band that should hold four in five",
            inside=coverage.number(_BAND, "percent"),
        ),
        reading=say("Band: the middle 80 % of replays. Line: observed."),
        subjects=["hours"],
        data=pl.DataFrame(hours),
        alt=say("Observed abandonment and waits by hour with 80 % bands"),
        height_px=lambda layout: 360.0 if layout.narrow else 420.0,
        draw=draw,
        file=_FILE,
    )


def _against(document: dict[str, Any]) -> Figure:
    hours = document["hours"]
    names = {"observed": say("Observed"), "simulated": say("Simulated"), "erlang_a": "Erlang A"}
    columns = {name: hours[f"abandoned_ratio_{name}"] for name in names}

    def draw(canvas: Canvas, layout: Layout) -> None:
        for axes, (who, colour) in zip(
            panels(canvas, layout, rows=1, columns=2),
            (("simulated", style.BLUE), ("erlang_a", style.ORANGE)),
            strict=True,
        ):
            seen, said = ([100.0 * v for v in columns[key]] for key in ("observed", who))
            name_panel(axes, layout, names[who], say("% abandoned, predicted"))
            top = max([1.0, *seen, *said])
            axes.plot([0.0, top], [0.0, top], color=style.RULE)
            axes.scatter(seen, said, s=8, color=colour, alpha=0.6, linewidths=0)
            axes.set_xlabel(say("% abandoned, observed"))

    error = Row("backtest:mae_abandoned_ratio_hourly", document["mae_abandoned_ratio_hourly"])
    return figure(
        "against",
        title=say_html(
            "By the hour, predicted abandonment is off by {simulated} on average; Erlang A by "
            "{erlang_a}",
            simulated=error.number("simulated", "points_off"),
            erlang_a=error.number("erlang_a", "points_off"),
        ),
        reading=say("One dot an hour; on the line the prediction is exact."),
        subjects=["hours"],
        data=pl.DataFrame({"start_s": hours["start_s"], **columns}),
        alt=say("Scatter of predicted and observed abandonment by hour"),
        height_px=lambda layout: 260.0 if layout.narrow else 360.0,
        draw=draw,
        file=_FILE,
    )


def _pit(document: dict[str, Any]) -> Figure:
    shares = {name: document["hourly"][name]["pit"] for name, *_ in _SHOWN}

    def bars(axes: Axes, layout: Layout, name: str, title: str) -> None:
        values = shares[name]
        name_panel(axes, layout, say(title), say("% of hours"))
        places = [(i + 0.5) / len(values) for i in range(len(values))]
        axes.bar(places, [100.0 * s for s in values], width=0.9 / len(values), color=style.GREEN)
        axes.axhline(100.0 / len(values), color=style.INK, linewidth=0.8)
        axes.set_xlabel(say("share of replays below the observed hour"))

    def draw(canvas: Canvas, layout: Layout) -> None:
        for axes, (name, title, _, _) in zip(
            panels(canvas, layout, rows=1, columns=2), _SHOWN, strict=True
        ):
            bars(axes, layout, name, title)

    coverage = Row("backtest:coverage", document["coverage"])
    widest = max(document["coverage"], key=float)
    return figure(
        "pit",
        title=say_html(
            "Of the hours, {inside} lie inside the {band} band",
            inside=coverage.number(widest, "percent"),
            band=style.percent(float(widest), 0),
        ),
        reading=say(
            "Where observed hours lie in their predictions (PIT). Flat on the line: bands are "
            "right. Hump: too wide. Bowl: too narrow."
        ),
        subjects=["hourly.*.pit"],
        data=pl.DataFrame(shares),
        alt=say("Histogram of the probability integral transform"),
        height_px=lambda layout: 220.0 if layout.narrow else 260.0,
        draw=draw,
        file=_FILE,
    )
