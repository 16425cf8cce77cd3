"""backtest.html: the figures of backtest.json as one self-contained page. Computes nothing."""

from pathlib import Path
from typing import Any, Final

from reports import style, templating
from reports.backtest.figures import figures

FILE_NAME: Final = "backtest.html"
_HEADS: Final = ("figure", "observed", "simulated", "Erlang A", "Erlang C")
_WHO: Final = ("simulated", "erlang_a", "erlang_c")


def write(document: dict[str, Any], folder: Path) -> Path:
    """Write the page into a folder and return its path."""
    path = folder / FILE_NAME
    path.write_text(render(document), encoding="utf-8")
    return path


def render(document: dict[str, Any]) -> str:
    """The page as text."""
    return templating.rendered(
        "backtest.html.j2",
        log=document["log"],
        fitted_on=document["fitted_on"],
        staffing=document["staffing"],
        intervals=document["intervals"],
        left_out=document["intervals_left_out"],
        heads=_HEADS,
        rows=_rows(document),
        figures=figures(document),
    )


def _rows(document: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, said, form in (
        ("abandoned", "abandoned_ratio", style.percent),
        ("mean wait", "mean_wait_s", _seconds),
        ("answered in time", "service_level_ratio", style.percent),
    ):
        values = [document["observed"][said], document["simulated"][said]["mean"]]
        values += [document[rival][said] for rival in _WHO[1:]]
        rows.append([name, *(form(value) for value in values)])
    for name, said, form in (
        ("mean error, abandoned by hour", "mae_abandoned_ratio_hourly", style.percent),
        ("mean error, mean wait by hour", "mae_mean_wait_s_hourly", _seconds),
    ):
        rows.append([name, "", *(form(document[said][who]) for who in _WHO)])
    for level, share in document["coverage"].items():
        name = f"hours inside the {style.percent(float(level), 0)} band, abandoned"
        rows.append([name, style.percent(float(level), 0), style.percent(share), "", ""])
    return rows


def _seconds(value: float) -> str:
    return f"{value:.1f} s"
