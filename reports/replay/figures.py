"""Figures of a replay: rates and response times over time, their heat map, the percentile curve.

Response times are drawn on a logarithmic scale: a host that stalls answers a thousand times slower.
"""

from typing import Final

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure as Canvas

from loadtests.journal import FILE_NAME
from loadtests.timeline import Curve, HeatMap, Timeline
from reports import style
from reports.figure import Figure, Layout, figure, name_panel, panels, thousands

_TICKS: Final = (0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_NOTHING: Final = "Nothing was sent."


def over_time(line: Timeline) -> Figure:
    """Rates and percentiles by interval."""

    def draw(canvas: Canvas, layout: Layout) -> None:
        rate, times = panels(canvas, layout, rows=2)
        name_panel(rate, layout, "Requests", f"per second, by {line.width_s:g} s")
        for values, colour, dashed in (
            (line.planned_per_s, style.MUTED, True),
            (line.sent_per_s, style.BLUE, False),
            (line.good_per_s, style.GREEN, False),
        ):
            rate.plot(line.start_s, values, color=colour, linestyle="--" if dashed else "-")
        rate.set_ylim(bottom=0.0)
        rate.yaxis.set_major_formatter(thousands)
        name_panel(times, layout, "Response time", "ms, logarithmic")
        for values, colour in (
            (line.p50_ms, style.SKY),
            (line.p99_ms, style.BLUE),
            (line.max_ms, style.VERMILION),
        ):
            times.plot(line.start_s, values, color=colour, marker="." if len(values) < 3 else "")
        _logarithmic(times)
        times.set_xlabel("s from the start")
        rate.tick_params(labelbottom=False)

    return figure(
        "over-time",
        title=Markup("Requests and response times in the course of time"),
        reading="Above: planned (dashed), sent (blue), well ended (green). Below: p50 (light), p99 "
        "(blue), maximum (red).",
        subjects=("intended_ns", "sent_ns", "response_ns"),
        alt="Requests per second and percentiles of response time over the replay",
        height_px=lambda _: 430.0,
        draw=draw,
        file=FILE_NAME,
    )


def heat_map(heat: HeatMap) -> Figure:
    """How many requests took how long, interval by interval."""
    ramp = LinearSegmentedColormap.from_list("ramp", [style.ON_TARGET, style.BLUE, style.INK])

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, "Response time", "ms, logarithmic")
        shown = np.ma.masked_equal(heat.counts, 0)
        steps, intervals = heat.counts.shape
        axes.imshow(
            shown,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap=ramp,
            norm=LogNorm(vmin=1, vmax=max(2, int(heat.counts.max(initial=1)))),
            extent=(0.0, float(intervals * heat.width_s), 0.0, float(steps)),
        )
        decades = [at for at in range(steps + 1) if _is_decade(heat.edges_ms[at])]
        axes.set_yticks(decades, [f"{heat.edges_ms[at]:g}" for at in decades])
        axes.grid(visible=False)
        axes.set_xlabel("s from the start")

    return figure(
        "heat-map",
        title=Markup("Where the requests lie: darker cells hold more of them"),
        reading="One column an interval, one row a step of response time; colours count "
        "logarithmically. A freeze of the host is a slanted edge: whoever came earlier waited "
        "longer.",
        subjects=("intended_ns", "response_ns"),
        alt="Heat map of response times over the replay",
        height_px=lambda _: 340.0,
        draw=draw,
        file=FILE_NAME,
    )


def percentiles(curve: Curve) -> Figure:
    """The time that a share of the requests does not exceed, the tail stretched."""

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, "Time", "ms, logarithmic")
        # Nines are equally far apart; the maximum stands half a nine after the last of them.
        inner = curve.share < 1.0
        nines = -np.log10(1.0 - curve.share[inner])
        x = np.append(nines, nines[-1] + 0.5) if nines.size else nines
        for values, colour in (
            (curve.service_ms, style.ORANGE),
            (curve.response_ms, style.BLUE),
        ):
            axes.plot(x, values[: x.size], color=colour)
        ticks = [(-np.log10(1.0 - one), one) for one in _TICKS]
        shown = [(at, one) for at, one in ticks if not x.size or at <= x[-1]]
        axes.set_xticks([at for at, _ in shown], [f"{100 * one:g}%" for _, one in shown])
        axes.set_xlabel("share of the requests")
        _logarithmic(axes)

    last = "" if curve.share.size else f" {_NOTHING}"
    return figure(
        "percentiles",
        title=Markup("Percentiles of response and service time"),
        reading="Blue: response time, from the intended time. Orange: service time, from sending. "
        f"They part where requests could not leave in time.{last}",
        subjects=("response_ns", "service_ns"),
        alt="Response and service time by percentile",
        height_px=lambda _: 300.0,
        draw=draw,
        file=FILE_NAME,
    )


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda _value, _position: "")


def _is_decade(value: float) -> bool:
    return bool(abs(np.log10(value) - round(np.log10(value))) < 1e-9)
