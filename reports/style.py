"""How values look on the page: the printed form of a number, the names of days, the colours.

Decides digits, units in words and colours; does not decide which number is shown, and computes
none: a share is printed as a percentage and fen as CNY, that is all. In Chinese, large numbers are
counted in 万 (10^4) and 亿 (10^8), with as many digits as in English. Colours are those of Okabe
and Ito (jfly.uni-koeln.de/color), which stay apart for colour-blind readers; the heat map's ramp is
ordered in lightness, so that it also survives a grey printer.
"""

import datetime
from collections.abc import Callable
from typing import Final

from reports.language import say, spoken

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
INK: Final = "#1b1f24"
MUTED: Final = "#5b6570"
RULE: Final = "#d5dae0"
SHADE: Final = "#fbe6dc"
# Service level from far below its target to just below it; "on target" is the one cool colour.
RAMP: Final[tuple[str, ...]] = ("#7a2d00", "#c4581c", "#eb9557", "#f8cfae")
ON_TARGET: Final = "#cfe3f1"
NO_VALUE: Final = "#eef0f2"

MISSING: Final = "–"
MINUS: Final = "−"
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_LUNAR_DIGITS: Final = (
    *("初一", "初二", "初三", "初四", "初五"),
    *("初六", "初七", "初八", "初九", "初十"),
)


def percent(value: float, digits: int = 1) -> str:
    """A ratio as a percentage; a share that is not quite 0 or 1 is not printed as if it were."""
    text = f"{value * 100:.{digits}f}"
    least = 10.0**-digits
    if value > 0 and float(text) == 0:
        text = f"< {least:.{digits}f}"
    elif value < 1 and float(text) == 100:
        text = f"> {100 - least:.{digits}f}"
    return _signed(f"{text}%" if spoken() == "zh" else f"{text} %")


def points(value: float) -> str:
    """A difference of ratios in percentage points."""
    return say("{number} pp", number=_signed(f"{value * 100:+.2f}"))


def points_off(value: float) -> str:
    """An error of a ratio, in percentage points, without a sign."""
    return say("{number} pp", number=f"{value * 100:.2f}")


def probability(value: float) -> str:
    """A share of replications, in whole percent."""
    return percent(value, 0)


def whole(value: float) -> str:
    """A ratio in whole percent without its sign, for the cells of the heat map."""
    return f"{value * 100:.0f}"


def fine_percent(value: float) -> str:
    """A small ratio, such as incidents per order."""
    return percent(value, 2)


def _apart(form: Callable[[float], str], value: float) -> str:
    """A difference in a form of its own kind: with its sign."""
    return f"+{form(value)}" if value > 0 else form(value)


def count_apart(value: float) -> str:
    """A difference of counts."""
    return _apart(count, value)


def cny_apart(fen: float) -> str:
    """A difference of amounts."""
    return _in_cny(_apart(_scaled, fen / 100))


def seconds_apart(value: float) -> str:
    """A difference of times."""
    return _apart(seconds, value)


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


# From which size on, divided by what, with which digits, in which unit.
_STEPS: Final = {
    "en": ((1e9, 1e9, 2, " bn"), (1e8, 1e6, 1, " M"), (1e6, 1e6, 2, " M"), (1e4, 1e3, 1, " k")),
    "zh": ((1e9, 1e8, 2, " 亿"), (1e8, 1e8, 3, " 亿"), (1e6, 1e4, 0, " 万"), (1e4, 1e4, 2, " 万")),
}


def _scaled(value: float) -> str:
    for least, scale, digits, unit in _STEPS[spoken()]:
        if abs(value) >= least:
            return _signed(f"{value / scale:,.{digits}f}{unit}")
    return _signed(f"{value:,.0f}")


def cny(fen: float) -> str:
    """Fen as CNY in three to five digits."""
    return _in_cny(_scaled(fen / 100))


def _in_cny(number: str) -> str:
    """A number with its currency."""
    if spoken() == "zh":
        return f"{number}元" if number[-1] in "万亿" else f"{number} 元"
    return f"CNY {number}"


def cny_bare(fen: float) -> str:
    """Fen as CNY where the unit stands beside it already."""
    return _scaled(fen / 100)


# From how many fen on, times what, called what: the unit of an axis of money.
_AXES: Final = {
    "en": ((1e8, 1e-8, "M CNY"), (1e5, 1e-5, "k CNY"), (0.0, 1e-2, "CNY")),
    "zh": ((1e11, 1e-10, "亿元"), (1e6, 1e-6, "万元"), (0.0, 1e-2, "元")),
}


def money_axis(top_fen: float) -> tuple[float, str]:
    """Scale and name of the axis unit that suits the largest value."""
    return next((scale, name) for least, scale, name in _AXES[spoken()] if top_fen >= least)


def cny_each(fen: float) -> str:
    """A small amount, such as the margin of one order, to the fen."""
    number = _signed(f"{fen / 100:,.2f}")
    return f"{number} 元" if spoken() == "zh" else f"CNY {number}"


def count(value: float) -> str:
    """A number of things; a mean below ten keeps one digit."""
    if abs(value) < 10 and value != round(value):
        return _signed(f"{value:.1f}")
    if abs(value) >= 1e6:
        return _scaled(value)
    return _signed(f"{value:,.0f}")


def seconds(value: float) -> str:
    """A waiting time."""
    number = f"{value:.1f}" if value < 10 else f"{value:,.0f}"
    return say("{number} s", number=_signed(number))


def day_mean(value: float) -> str:
    """A mean of lunar days, which need not be a whole day."""
    return say("day {number}", number=_signed(f"{value:+.1f}"))


def per_second(value: float) -> str:
    """A speed of the simulation."""
    return say("{number}/s", number=f"{value:,.0f}")


def plain(value: float) -> str:
    """A setting as it was written: no unit, no rounding; thousands only where they help."""
    if value == round(value):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    return f"{value:.10g}"


def milliseconds(value: float) -> str:
    """A response time."""
    number = f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"
    return say("{number} ms", number=number)


def figures(value: float) -> str:
    """A measured value of any unit, in four figures."""
    return _signed(f"{value:,.4g}")


FORMATS: Final[dict[str, Callable[[float], str]]] = {
    "percent": percent,
    "points": points,
    "points_off": points_off,
    "probability": probability,
    "whole": whole,
    "fine_percent": fine_percent,
    "cny": cny,
    "cny_bare": cny_bare,
    "cny_apart": cny_apart,
    "cny_each": cny_each,
    "count": count,
    "count_apart": count_apart,
    "seconds": seconds,
    "seconds_apart": seconds_apart,
    "milliseconds": milliseconds,
    "figures": figures,
    "day_mean": day_mean,
    "per_second": per_second,
    "plain": plain,
}
_FORMAT_BY_UNIT: Final = {"fen": "cny", "ratio": "percent", "s": "seconds", "d": "day_mean"}


def format_of_unit(unit: str) -> str:
    """The usual printed form of a unit; anything that is counted is a count."""
    return _FORMAT_BY_UNIT.get(unit, "count")


def form_in_range(form: str) -> str:
    """The form of the two ends of a range behind a number in the given form."""
    return "cny_bare" if form == "cny" else form


def lunar_name(lunar_day: int) -> str:
    """The day's name: 除夕 is the last day of the old year, whether its month has 29 days or 30."""
    if lunar_day == -1:
        return "除夕"
    if lunar_day < -1:
        return f"除夕前{-lunar_day - 1}日"
    return _LUNAR_DIGITS[lunar_day]


def day_number(lunar_day: int) -> str:
    """The lunar offset: 0 is New Year's Day."""
    return f"+{lunar_day}" if lunar_day > 0 else str(lunar_day).replace("-", MINUS)


def date_name(date: datetime.date) -> str:
    """A short date, independent of the machine's language."""
    if spoken() == "zh":
        return f"{date.month}月{date.day}日 周{'一二三四五六日'[date.weekday()]}"
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[date.weekday()]
    return f"{weekday} {date.day} {_MONTHS[date.month - 1]}"


def short_date(date: datetime.date) -> str:
    """Day and month."""
    if spoken() == "zh":
        return f"{date.month}月{date.day}日"
    return f"{date.day} {_MONTHS[date.month - 1]}"


def hour_name(hour: int) -> str:
    """An hour of the day as its start."""
    return f"{hour:02d}:00"


def hour_span(first: int, last: int) -> str:
    """Whole hours from the start of the first to the end of the last."""
    return f"{first:02d}:00–{last + 1:02d}:00"


def title(name: str) -> str:
    """A scenario's name as a heading."""
    festival, _, year = name.rpartition("-")
    if festival == "spring-festival":
        return say("Spring Festival {year}", year=year)
    return name.replace("-", " ").capitalize()


def words(code: str) -> str:
    """A code of the vocabularies in ordinary words."""
    return say(code.replace("_", " "))


GUARANTEE_NAMES: Final[dict[str, tuple[str, str]]] = {
    "instant_compensation": ("Instant compensation", "极速赔"),
    "advance_payout": ("Advance payout", "先行赔付"),
    "no_reason_cancellation": ("No-reason cancellation", "无理由取消"),
    "free_if_dissatisfied": ("Free if dissatisfied", "不满意免单"),
    "ticket_refund_right": ("Ticket refund right", "退票权益"),
    "second_booking": ("Second booking", "一日游二次预订"),
    "ticket_assurance": ("Ticket assurance", "安心订票"),
    "laundry_assurance": ("Laundry assurance", "安心洗护"),
    "beauty_assurance": ("Beauty assurance", "安心美"),
    "report_bounty": ("Report bounty", "有奖举报"),
    "alert_compensation": ("Alert compensation", "主动服务补偿"),
}


def guarantee(code: str) -> str:
    """A guarantee's name in the reader's language."""
    return GUARANTEE_NAMES[code][1 if spoken() == "zh" else 0]


def ink_on(colour: str) -> str:
    """The colour of a number on a tile of the heat map."""
    return "#fff" if colour in RAMP[:2] else INK


def bin_colour(value: float | None, target: float) -> str:
    """The heat map's colour: on target, or how far below, in quarters of the target."""
    if value is None:
        return NO_VALUE
    if value >= target:
        return ON_TARGET
    return RAMP[min(int(value / target * len(RAMP)), len(RAMP) - 1)]
