"""One figure of the page: a finding as its title, a drawing in two widths, and where it came from.

Decides how a drawing becomes inline SVG: the same bytes on every rebuild, text as text in the
page's own typeface, addresses of printed numbers as attributes, no id that another figure uses.
Lengths are CSS pixels (the canvas has 72 dots an inch, so that a point is a pixel).
"""

import base64
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import polars as pl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.typing import RcKeyType

from reports import font, style
from reports.cells import Series
from reports.language import later, say, say_html

_PX_PER_INCH: Final = 72.0
_RIGHT_PX: Final = 6.0
_BAND_NOTE: Final = later("Line: mean over replications. Band: nine replications in ten.")


@dataclass(frozen=True, slots=True)
class Layout:
    """A width to draw for: the desk and the printed page, or the phone."""

    name: str
    width_px: float
    font_px: float

    @property
    def narrow(self) -> bool:
        return self.name == "narrow"


WIDE: Final = Layout("wide", 960.0, 13.0)
NARROW: Final = Layout("narrow", 358.0, 11.0)
Draw = Callable[[Canvas, Layout], None]
Height = Callable[[Layout], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """What the template prints."""

    key: str
    title: Markup
    reading: Markup
    source: str
    drawings: Markup
    data: Markup
    """The rows behind the drawing as CSV in a data: address, for the button beside it."""


def figure(
    key: str,
    *,
    title: Markup,
    reading: Markup | str,
    subjects: Sequence[str],
    alt: str,
    height_px: Height,
    draw: Draw,
    data: pl.DataFrame,
    file: str = "estimates.parquet",
) -> Figure:
    """Draw both widths; `reading` says how to read the marks, `subjects` name the rows of the file
    that are drawn, `data` are those rows."""
    drawings = Markup("").join(
        _svg(f"{key}-{layout.name}", alt, height_px(layout), draw, layout)
        for layout in (WIDE, NARROW)
    )
    source = f"{file}: {', '.join(subjects)}"
    return Figure(key, title, Markup(reading), source, drawings, _download(data))


def _download(data: pl.DataFrame) -> Markup:
    """A table as an address that a browser saves."""
    text = data.write_csv().encode()
    return Markup(f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text).decode()}")


def reading(message: str) -> Markup:
    """How to read bands, then a message of the figure's own."""
    return say_html("{band} {own}", band=say_html(_BAND_NOTE), own=say_html(message))


def _svg(key: str, alt: str, height_px: float, draw: Draw, layout: Layout) -> Markup:
    settings: dict[RcKeyType, Any] = {
        "svg.hashsalt": key,
        "svg.fonttype": "none",
        "font.family": font.register(),
        "font.size": layout.font_px,
        "axes.labelsize": layout.font_px,
        "axes.labelcolor": style.MUTED,
        "axes.edgecolor": style.RULE,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "text.color": style.INK,
        "xtick.color": style.MUTED,
        "ytick.color": style.MUTED,
        "xtick.major.size": 0.0,
        "ytick.major.size": 0.0,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": style.RULE,
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.6,
        "hatch.linewidth": 0.8,
    }
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change the page's bytes
        mpl.rcParams.update(settings)
        size = (layout.width_px / _PX_PER_INCH, height_px / _PX_PER_INCH)
        canvas = Canvas(figsize=size, dpi=_PX_PER_INCH)
        canvas.patch.set_visible(False)
        FigureCanvasSVG(canvas)
        draw(canvas, layout)
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(_inline(buffer.getvalue().decode(), key, alt, layout))


def _inline(svg: str, key: str, alt: str, layout: Layout) -> str:
    """Matplotlib's document as one element of an HTML page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="num:([^|"]+)\|([^|"]+)\|([^"]+)">', _address, svg)
    svg = re.sub(r'(?<=\s)id="', f'id="{key}-', svg)
    svg = svg.replace("url(#", f"url(#{key}-").replace('href="#', f'href="#{key}-')
    svg = re.sub(r"font-family: '[^']+'; ", "", svg)
    box = re.search(r'viewBox="[^"]+"', svg)
    assert box is not None, "matplotlib writes a viewBox"
    head = f'<svg class="drawing {layout.name}" role="img" {box[0]}><title>{escape(alt)}</title>'
    body = svg[svg.index(">") + 1 :]
    return head + re.sub(r"\n\s*", "\n", body)


def _address(match: re.Match[str]) -> str:
    source, field, form = match.groups()
    return f'<g class="num" data-source="{source}" data-field="{field}" data-form="{form}">'


def panels(
    canvas: Canvas,
    layout: Layout,
    *,
    rows: int,
    columns: int = 1,
    head_px: float = 41.0,
    foot_px: float = 10.0,
    bottom_px: float = 42.0,
) -> list[Axes]:
    """Panels on fixed margins: a head for the name, a foot for ticks, room for the last label.

    Fixed, because margins fitted to text would follow the fonts of the machine that draws.
    """
    width_px, height_px = canvas.get_size_inches() * _PX_PER_INCH
    cell_px = ((width_px - _RIGHT_PX) / columns, (height_px - bottom_px + foot_px) / rows)
    axes_px = (cell_px[0] - left_px(layout), cell_px[1] - head_px - foot_px)
    found = []
    for at in range(rows * columns):
        row, column = divmod(at, columns)
        x = column * cell_px[0] + left_px(layout)
        y = height_px - row * cell_px[1] - head_px - axes_px[1]
        box = (x / width_px, y / height_px, axes_px[0] / width_px, axes_px[1] / height_px)
        found.append(canvas.add_axes(box))
    return found


def left_px(layout: Layout) -> float:
    """Room for the tick labels of a panel."""
    return 46.0 if layout.narrow else 56.0


def name_panel(axes: Axes, layout: Layout, name: str, unit: str) -> None:
    """The panel's name and the unit of its values, flush with the text of the page."""
    for text, weight, colour, above_px, smaller_px in (
        (name, "bold", style.INK, 23.0, 0.0),
        (unit, "normal", style.MUTED, 9.0, 1.0),
    ):
        axes.annotate(
            text,
            (0, 1),
            xytext=(-left_px(layout), above_px),
            xycoords="axes fraction",
            textcoords="offset points",
            fontweight=weight,
            color=colour,
            fontsize=layout.font_px - smaller_px,
        )


def name_lines(axes: Axes, names: Sequence[str]) -> None:
    """The panel's lines in the order they were drawn, named above it on the right."""
    axes.legend(
        handles=axes.lines[: len(names)],
        labels=names,
        loc="lower right",
        bbox_to_anchor=(1.0, 0.99),
        ncols=len(names),
        frameon=False,
        handlelength=1.6,
        columnspacing=1.0,
        borderpad=0,
    )


def thousands(value: float, _position: float) -> str:
    """A tick label: thousands apart, digits only where the axis needs them."""
    return f"{value:,.7g}".replace("-", style.MINUS)


def days_axis(axes: Axes, days: Sequence[int], *, label: bool) -> None:
    """Hourly x axis: midnights as rules, each day named at its noon by its lunar offset."""
    first = days[0]
    axes.set_xlim(0, len(days) * 24)
    axes.set_xticks([24 * (day - first) + 12 for day in days], [style.day_number(d) for d in days])
    for day in days[1:]:
        axes.axvline(24 * (day - first), color=style.RULE, linewidth=0.7, zorder=0)
    if label:
        axes.set_xlabel(say("lunar day (0 = New Year's Day)"))
    else:
        axes.tick_params(labelbottom=False)


def hours_x(series: Series, first_day: int) -> list[float]:
    """Middle of each hour of an hourly series on the axis of `days_axis`."""
    return [24.0 * (key[0] - first_day) + key[1] + 0.5 for key in series.keys]


def shade(axes: Axes, x: Sequence[float], marked: np.ndarray) -> None:
    """Shade the marked hours; neighbours become one area, so that no seams show."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        axes.axvspan(x[first] - 0.5, x[last - 1] + 0.5, color=style.SHADE, linewidth=0, zorder=0)


def banded(
    axes: Axes,
    x: Sequence[float],
    series: Series,
    *,
    colour: str,
    scale: float = 1.0,
    marker: str = "",
    dashed: bool = False,
) -> None:
    """A mean with the band that nine replications in ten fall into."""
    axes.fill_between(
        x,
        series.band_low * scale,
        series.band_high * scale,
        color=colour,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(
        x,
        series.mean * scale,
        color=colour,
        marker=marker,
        markersize=4,
        linestyle="--" if dashed else "-",
    )
