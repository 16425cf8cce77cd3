"""How the page names things: a lunar day with its Chinese name and date, an hour, a guarantee.

Dates come from the scenario's calendar; a name is a label of a row, not a number of the model.
"""

from markupsafe import Markup

from reports import style
from scenarios.calendar import Calendar


def day_name(lunar_day: int) -> Markup:
    """The lunar name with its offset, as the charts print it."""
    return Markup('<span class="dim">{}&nbsp;(day&nbsp;{})</span>').format(
        style.lunar_name(lunar_day), style.day_number(lunar_day)
    )


def dated(calendar: Calendar, lunar_day: int) -> Markup:
    """The lunar day with its date, for the first column of a table."""
    return Markup('<span class="dim"><b>{}</b> {} <small>{}</small></span>').format(
        style.lunar_name(lunar_day),
        style.day_number(lunar_day),
        style.date_name(calendar.date_of(lunar_day)),
    )


def moment(lunar_day: int, hour: int) -> Markup:
    """An hour of a day."""
    return Markup('<span class="dim">{}&nbsp;(day&nbsp;{}),&nbsp;{}</span>').format(
        style.lunar_name(lunar_day), style.day_number(lunar_day), style.hour_name(hour)
    )


def hour_end(lunar_day: int, hour: int) -> Markup:
    """The end of an hour of a day."""
    return Markup('<span class="dim">{}</span> on {}').format(
        style.hour_name(hour + 1), day_name(lunar_day)
    )


def spans(hours: list[int]) -> Markup:
    """Hours of one day as runs: 10:00-13:00, 17:00-23:00."""
    runs: list[list[int]] = []
    for hour in sorted(hours):
        if runs and runs[-1][1] == hour - 1:
            runs[-1][1] = hour
        else:
            runs.append([hour, hour])
    return Markup(", ").join(
        Markup('<span class="dim">{}</span>').format(style.hour_span(*run)) for run in runs
    )


def guarantee_name(code: str) -> Markup:
    """English and Chinese name of a guarantee."""
    english, chinese = style.GUARANTEE_NAMES[code]
    return Markup('<b>{}</b> <small lang="zh">{}</small>').format(english, chinese)
