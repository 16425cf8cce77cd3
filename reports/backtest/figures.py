"""Figures of a backtest: bands against what happened, predicted against observed, PIT.

Everything drawn stands in backtest.json; hours are drawn in their order, one beside the next.
"""

from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from reports import style
from reports.figure import Figure, Layout, figure, name_panel, panels

_FILE: Final = "backtest.json"
_SHOWN: Final = (
    ("abandoned_ratio", "Abandoned", "% of contacts", 100.0),
    ("mean_wait_s", "Mean wait", "seconds", 1.0),
)


def figures(document: dict[str, Any]) -> list[Figure]:
    """In the order of the page."""
    return [_bands(document), _against(document), _pit(document)]


def _bands(document: dict[str, Any]) -> Figure:
    hours = document["hours"]
    x = range(len(hours["start_s"]))
    dates = [datetime.fromtimestamp(start, UTC).strftime("%d %b") for start in hours["start_s"]]
    ticks = [0]
    for i in x:
        if dates[i] != dates[i - 1] and i - ticks[-1] >= len(x) / 12:
            ticks.append(i)

    def draw(canvas: Canvas, layout: Layout) -> None:
        step = 3 if layout.narrow else 1
        for axes, (name, title, unit, scale) in zip(
            panels(canvas, layout, rows=2), _SHOWN, strict=True
        ):
            name_panel(axes, layout, title, unit)
            low, high, seen = (
                [value * scale for value in hours[f"{name}_{part}"]]
                for part in ("low", "high", "observed")
            )
            axes.fill_between(x, low, high, color=style.SKY, alpha=0.5, linewidth=0)
            axes.plot(x, seen, color=style.INK, linewidth=0.7)
            axes.set_xticks(ticks[::step], [dates[i] for i in ticks[::step]])

    return figure(
        "bands",
        title=Markup("What was predicted, and what happened"),
        reading="Band: the middle 80 % of replays. Line: observed.",
        subjects=["hours"],
        alt="Observed abandonment and waits by hour with 80 % bands",
        height_px=lambda layout: 360.0 if layout.narrow else 420.0,
        draw=draw,
        file=_FILE,
    )


def _against(document: dict[str, Any]) -> Figure:
    hours = document["hours"]

    def draw(canvas: Canvas, layout: Layout) -> None:
        for axes, (who, title, colour) in zip(
            panels(canvas, layout, rows=1, columns=2),
            (("simulated", "Simulated", style.BLUE), ("erlang_a", "Erlang A", style.ORANGE)),
            strict=True,
        ):
            seen, said = (
                [100.0 * v for v in hours[f"abandoned_ratio_{key}"]] for key in ("observed", who)
            )
            name_panel(axes, layout, title, "% abandoned, predicted")
            top = max([1.0, *seen, *said])
            axes.plot([0.0, top], [0.0, top], color=style.RULE)
            axes.scatter(seen, said, s=8, color=colour, alpha=0.6, linewidths=0)
            axes.set_xlabel("observed")

    return figure(
        "against",
        title=Markup("Predicted against observed"),
        reading="One dot an hour; on the line the prediction is exact.",
        subjects=["hours"],
        alt="Scatter of predicted and observed abandonment by hour",
        height_px=lambda layout: 260.0 if layout.narrow else 360.0,
        draw=draw,
        file=_FILE,
    )


def _pit(document: dict[str, Any]) -> Figure:
    def bars(axes: Axes, layout: Layout, name: str, title: str) -> None:
        shares = document["hourly"][name]["pit"]
        name_panel(axes, layout, title, "% of hours")
        places = [(i + 0.5) / len(shares) for i in range(len(shares))]
        axes.bar(places, [100.0 * s for s in shares], width=0.9 / len(shares), color=style.GREEN)
        axes.axhline(100.0 / len(shares), color=style.INK, linewidth=0.8)

    def draw(canvas: Canvas, layout: Layout) -> None:
        for axes, (name, title, _, _) in zip(
            panels(canvas, layout, rows=1, columns=2), _SHOWN, strict=True
        ):
            bars(axes, layout, name, title)

    return figure(
        "pit",
        title=Markup("Where observed hours lie in their predictions (PIT)"),
        reading="Flat on the line: bands are right. Hump: too wide. Bowl: too narrow.",
        subjects=["hourly.*.pit"],
        alt="Histogram of the probability integral transform",
        height_px=lambda layout: 220.0 if layout.narrow else 260.0,
        draw=draw,
        file=_FILE,
    )
