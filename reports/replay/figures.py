"""Figures of a replay: rates and response times over time, their heat map, the percentile curve.

Response times are drawn on a logarithmic scale: a host that stalls answers a thousand times slower.
"""

from typing import Final

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure as Canvas

from loadtests.journal import FILE_NAME
from loadtests.timeline import Curve, HeatMap, Timeline
from reports import style
from reports.figure import Figure, Layout, figure, name_panel, panels, thousands
from reports.language import say, say_html
from reports.rows import Row

_TICKS: Final = (0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def over_time(line: Timeline, of: Row) -> Figure:
    """Rates and percentiles by interval."""

    def draw(canvas: Canvas, layout: Layout) -> None:
        rate, times = panels(canvas, layout, rows=2)
        by = say("per second, by {width} s", width=f"{line.width_s:g}")
        name_panel(rate, layout, say("Requests"), by)
        for values, colour, dashed in (
            (line.planned_per_s, style.MUTED, True),
            (line.sent_per_s, style.BLUE, False),
            (line.good_per_s, style.GREEN, False),
        ):
            rate.plot(line.start_s, values, color=colour, linestyle="--" if dashed else "-")
        rate.set_ylim(bottom=0.0)
        rate.yaxis.set_major_formatter(thousands)
        name_panel(times, layout, say("Response time"), say("ms, logarithmic"))
        for values, colour in (
            (line.p50_ms, style.SKY),
            (line.p99_ms, style.BLUE),
            (line.max_ms, style.VERMILION),
        ):
            times.plot(line.start_s, values, color=colour, marker="." if len(values) < 3 else "")
        times.fill_between(
            line.start_s, line.p50_ms, line.max_ms, color=style.SKY, alpha=0.25, linewidth=0
        )
        _logarithmic(times)
        times.set_xlabel(say("s from the start"))
        rate.tick_params(labelbottom=False)

    return figure(
        "over-time",
        title=say_html(
            "{sent} of {planned} planned requests were sent, {ok} ended well; half are answered "
            "within {p50}, ninety-nine in a hundred within {p99}",
            sent=of.number("sent", "count"),
            planned=of.number("planned", "count"),
            ok=of.number("ok", "count"),
            p50=of.number("p50_response_ms", "milliseconds"),
            p99=of.number("p99_response_ms", "milliseconds"),
        ),
        reading=say(
            "Above: planned (dashed), sent (blue), well ended (green). Below: p50 (light), p99 "
            "(blue), maximum (red); the band reaches from p50 to the maximum."
        ),
        data=pl.DataFrame(
            {
                "start_s": line.start_s,
                "planned_per_s": line.planned_per_s,
                "sent_per_s": line.sent_per_s,
                "good_per_s": line.good_per_s,
                "p50_ms": line.p50_ms,
                "p99_ms": line.p99_ms,
                "max_ms": line.max_ms,
            }
        ),
        subjects=("intended_ns", "sent_ns", "response_ns"),
        alt=say("Requests per second and percentiles of response time over the replay"),
        height_px=lambda _: 430.0,
        draw=draw,
        file=FILE_NAME,
    )


def heat_map(heat: HeatMap, of: Row) -> Figure:
    """How many requests took how long, interval by interval."""
    ramp = LinearSegmentedColormap.from_list("ramp", [style.ON_TARGET, style.BLUE, style.INK])

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, say("Response time"), say("ms, logarithmic"))
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
        axes.set_xlabel(say("s from the start"))

    return figure(
        "heat-map",
        title=say_html(
            "The slowest of {sent} requests took {slowest}; 999 in a thousand took at most {p999}",
            sent=of.number("sent", "count"),
            slowest=of.number("max_response_ms", "milliseconds"),
            p999=of.number("p999_response_ms", "milliseconds"),
        ),
        reading=say(
            "One column an interval, one row a step of response time; darker cells hold more "
            "requests, colours count logarithmically. A freeze of the host is a slanted edge: "
            "whoever came earlier waited longer."
        ),
        data=_cells(heat),
        subjects=("intended_ns", "response_ns"),
        alt=say("Heat map of response times over the replay"),
        height_px=lambda _: 340.0,
        draw=draw,
        file=FILE_NAME,
    )


def percentiles(curve: Curve, of: Row) -> Figure:
    """The time that a share of the requests does not exceed, the tail stretched."""

    def draw(canvas: Canvas, layout: Layout) -> None:
        (axes,) = panels(canvas, layout, rows=1)
        name_panel(axes, layout, say("Time"), say("ms, logarithmic"))
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
        axes.set_xlabel(say("share of the requests"))
        _logarithmic(axes)

    return figure(
        "percentiles",
        title=say_html(
            "Ninety-nine in a hundred are answered within {response} of their intended time, "
            "within {service} of being sent",
            response=of.number("p99_response_ms", "milliseconds"),
            service=of.number("p99_service_ms", "milliseconds"),
        ),
        reading=say(
            "Blue: response time, from the intended time. Orange: service time, from sending. They "
            "part where requests could not leave in time."
        ),
        data=pl.DataFrame(
            {
                "share": curve.share,
                "response_ms": curve.response_ms,
                "service_ms": curve.service_ms,
            }
        ),
        subjects=("response_ns", "service_ns"),
        alt=say("Response and service time by percentile"),
        height_px=lambda _: 300.0,
        draw=draw,
        file=FILE_NAME,
    )


def _cells(heat: HeatMap) -> pl.DataFrame:
    """The cells that are not empty, one a row."""
    steps, intervals = np.nonzero(heat.counts)
    return pl.DataFrame(
        {
            "start_s": intervals * heat.width_s,
            "from_ms": heat.edges_ms[steps],
            "to_ms": heat.edges_ms[steps + 1],
            "requests_count": heat.counts[steps, intervals],
        }
    )


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda _value, _position: "")


def _is_decade(value: float) -> bool:
    return bool(abs(np.log10(value) - round(np.log10(value))) < 1e-9)
