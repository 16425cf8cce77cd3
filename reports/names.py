"""How the page names things: a lunar day with its Chinese name and date, an hour, a guarantee.

Dates come from the scenario's calendar; a name is a label of a row, not a number of the model.
"""

from markupsafe import Markup

from reports import style
from reports.language import say, say_html, spoken
from scenarios.calendar import Calendar


def day_name(lunar_day: int) -> Markup:
    """The lunar name with its offset, as the charts print it."""
    return say_html(
        '<span class="dim">{name}&nbsp;(day&nbsp;{number})</span>',
        name=style.lunar_name(lunar_day),
        number=style.day_number(lunar_day),
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
    return say_html(
        '<span class="dim">{name}&nbsp;(day&nbsp;{number}),&nbsp;{hour}</span>',
        name=style.lunar_name(lunar_day),
        number=style.day_number(lunar_day),
        hour=style.hour_name(hour),
    )


def hour_end(lunar_day: int, hour: int) -> Markup:
    """The end of an hour of a day."""
    return say_html(
        '<span class="dim">{hour}</span> on {day}',
        hour=style.hour_name(hour + 1),
        day=day_name(lunar_day),
    )


def spans(hours: list[int]) -> Markup:
    """Hours of one day as runs: 10:00-13:00, 17:00-23:00."""
    runs: list[list[int]] = []
    for hour in sorted(hours):
        if runs and runs[-1][1] == hour - 1:
            runs[-1][1] = hour
        else:
            runs.append([hour, hour])
    return Markup(say(", ")).join(
        Markup('<span class="dim">{}</span>').format(style.hour_span(*run)) for run in runs
    )


def guarantee_name(code: str) -> Markup:
    """Both names of a guarantee, the reader's language first."""
    english, chinese = style.GUARANTEE_NAMES[code]
    if spoken() == "zh":
        return Markup('<b>{}</b> <small lang="en">{}</small>').format(chinese, english)
    return Markup('<b>{}</b> <small lang="zh">{}</small>').format(english, chinese)


def named(code: str) -> Markup:
    """The name of a guarantee, or a code of another vocabulary in words."""
    if code in style.GUARANTEE_NAMES:
        return guarantee_name(code)
    return Markup.escape(style.words(code) if code else "")
