"""What a person may move on the page: keys of the scenario, in groups, with their labels.

Decides which keys stand there, in which order and under which words; what a key may hold is the
schema's. A lever is one key; its text is the value as TOML has it, money in CNY instead of fen.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from reports import style
from reports.language import later, say
from reports.whatif.words import CATEGORY, POLICY, SHIFT, TRIGGER
from scenarios.overlays import at
from scenarios.words import CATEGORIES, GUARANTEES, POLICIES

Kind = Literal["number", "money", "choice"]
SHOCK: Final = "shocks.what_if"
NO: Final = later("no")
YES: Final = later("yes")
SWITCH: Final = (("true", YES), ("false", NO))


@dataclass(frozen=True, slots=True)
class Lever:
    """One field of the form; its name is the key that it moves."""

    key: str
    label: str
    kind: Kind = "number"
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def text(self, value: Any) -> str:
        """The value as the field shows it."""
        if self.kind == "money":
            return f"{value / 100:.2f}".rstrip("0").rstrip(".")
        if isinstance(value, bool):
            return str(value).lower()
        return f"{value:g}" if isinstance(value, float) else str(value)

    def setting(self, text: str) -> str:
        """`key=value` for the loader; what is no number is handed on as a text, for the schema to
        refuse."""
        text = text.strip()
        if self.kind == "choice":
            plain = text in ("true", "false")
            return f"{self.key}={text if plain else json.dumps(text)}"
        try:
            number: float = int(text)
        except ValueError:
            try:
                number = float(text)
            except ValueError:
                return f"{self.key}={json.dumps(text, ensure_ascii=False)}"
        if self.kind == "money":
            fen = number * 100
            number = round(fen) if abs(fen - round(fen)) < 1e-6 else fen
        return f"{self.key}={number!r}"


@dataclass(frozen=True, slots=True)
class Row:
    """Levers that stand in one line of a group, under a name of their own."""

    name: str
    levers: tuple[Lever, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the form. `heads` are the columns' words where it is a table of rows."""

    name: str
    title: str
    rows: tuple[Row, ...]
    heads: tuple[str, ...] = ()
    note: str = ""

    def levers(self) -> Iterator[Lever]:
        for row in self.rows:
            yield from row.levers


def groups(values: Mapping[str, Any]) -> tuple[Group, ...]:
    """The form for a resolved scenario."""
    return (
        _agents(), _shifts(values), _demand(), _monitoring(), _terms(values), _budgets(), _shock()
    )  # fmt: skip


def base_text(lever: Lever, values: Mapping[str, Any]) -> str:
    """What the field shows when nothing is moved."""
    value = at(values, lever.key)
    if value is None:
        return _NEUTRAL[lever.key.removeprefix(f"{SHOCK}.")]
    return lever.text(value)


def _single(*levers: Lever) -> tuple[Row, ...]:
    return tuple(Row(lever.label, (lever,)) for lever in levers)


def _agents() -> Group:
    growth = (("to", later("to that number")), ("by", later("by that number")))
    return Group(
        "agents",
        later("Agents"),
        _single(
            Lever("support.headcount_count", later("Agents"), unit=later("heads")),
            Lever("support.growth", later("The team grew"), "choice", choices=growth),
            Lever("support.seats_count", later("Seats"), unit=later("seats")),
            Lever("support.attendance_ratio", later("Attendance"), unit=later("share")),
            Lever("support.shrinkage_ratio", later("Shrinkage"), unit=later("share")),
            Lever("support.overtime.heads_ratio", later("Overtime"), unit=later("share of heads")),
            Lever("support.im.sessions_per_agent_count", later("IM sessions at once")),
        ),
    )


def _shifts(values: Mapping[str, Any]) -> Group:
    shifts = at(values, "support.shifts") or {}
    return Group(
        "shifts",
        later("Shifts"),
        tuple(
            Row(
                name,
                (
                    Lever(f"support.shifts.{name}.start_h", later("Start"), unit="h"),
                    Lever(f"support.shifts.{name}.length_h", later("Length"), unit="h"),
                    Lever(f"support.shifts.{name}.heads_ratio", later("Share of heads")),
                ),
            )
            for name in sorted(shifts, key=lambda one: float(shifts[one]["start_h"]))
        ),
        heads=(later("Shift"), later("Start (h)"), later("Length (h)"), later("Share of heads")),
        note=later("The shares add up to 1."),
    )


def _demand() -> Group:
    return Group(
        "demand",
        later("Demand"),
        _single(
            Lever("demand.orders_multiple", later("All orders"), unit=later("times")),
            Lever("consumers.contact_multiple", later("Claims and questions"), unit=later("times")),
            *(
                Lever(f"demand.category_multiple.{name}", CATEGORY[name], unit=later("times"))
                for name in CATEGORIES
            ),
        ),
    )


def _monitoring() -> Group:
    return Group(
        "monitoring",
        later("Monitoring"),
        _single(
            Lever("monitoring.enabled", later("Stores are monitored"), "choice", choices=SWITCH),
            Lever("monitoring.coverage_multiple", later("Coverage"), unit=later("times")),
            Lever("monitoring.miss_ratio", later("Missed by sweeps"), unit=later("share")),
            Lever("monitoring.detection_delay_median_s", later("Time to detection"), unit="s"),
        ),
    )


def _terms(values: Mapping[str, Any]) -> Group:
    refund, extra, cap = later("Refund"), later("Extra"), later("Most extra")
    shown = (
        ("free_if_dissatisfied", "dissatisfaction", (refund,)),
        ("no_reason_cancellation", "cancellation", (refund,)),
        ("instant_compensation", "closed_or_refused", (extra, cap)),
        ("instant_compensation", "no_room", (extra, cap)),
    )
    keys = {refund: "refund_ratio", extra: "extra_ratio", cap: "extra_cap_fen"}
    rows = [
        Row(
            guarantee,
            (
                Lever(
                    f"guarantees.{guarantee}.granted", later("Promised"), "choice", choices=SWITCH
                ),
            ),
        )
        for guarantee in GUARANTEES
    ]
    for guarantee, trigger, fields in shown:
        place = f"guarantees.{guarantee}.terms.{trigger}"
        if at(values, place) is None:
            continue
        levers = tuple(
            Lever(
                f"{place}.{keys[field]}",
                field,
                "money" if field == cap else "number",
                "CNY" if field == cap else later("of the price"),
            )
            for field in fields
        )
        rows.append(Row(f"{guarantee}/{trigger}", levers))
    return Group("terms", later("Terms"), tuple(rows))


def _budgets() -> Group:
    policies = tuple((policy, POLICY[policy]) for policy in POLICIES)
    rows = tuple(
        Row(
            guarantee,
            (
                Lever(f"pots.{guarantee}.day_limit_fen", later("Day limit"), "money", "CNY"),
                Lever(f"pots.{guarantee}.total_limit_fen", later("Total"), "money", "CNY"),
                Lever(f"pots.{guarantee}.policy", later("When dry"), "choice", choices=policies),
            ),
        )
        for guarantee in GUARANTEES
    )
    reserve = Row(
        later("Reserve"), (Lever("pots.reserve_fen", later("Reserve"), "money", "CNY"),)
    )
    heads = (later("Pot"), later("Day limit (CNY)"), later("Total (CNY)"), later("When dry"))
    return Group("budgets", later("Budgets"), (*rows, reserve), heads=heads)


_NEUTRAL: Final = {
    "lunar_days": "2",
    "start_h": "16",
    "end_h": "22",
    "orders_multiple": "1",
    "contact_multiple": "1",
    "closure_multiple": "1",
    "oversell_multiple": "1",
    "attendance_multiple": "1",
    "api_failed_ratio": "0",
}
# Of a shock's fields, those that say when; alone they do nothing.
WHEN: Final = tuple(f"{SHOCK}.{name}" for name in ("lunar_days", "start_h", "end_h"))


def _shock() -> Group:
    def lever(name: str, label: str, unit: str = "") -> Lever:
        return Lever(f"{SHOCK}.{name}", label, unit=unit)

    return Group(
        "shock",
        later("A shock of your own"),
        _single(
            lever("lunar_days", later("Lunar day"), later("0 = 初一")),
            lever("start_h", later("From"), later("o'clock")),
            lever("end_h", later("Until"), later("o'clock")),
            lever("orders_multiple", later("Orders"), later("times")),
            lever("contact_multiple", later("Contacts"), later("times")),
            lever("closure_multiple", later("Closed stores"), later("times")),
            lever("oversell_multiple", later("Overselling"), later("times")),
            lever("attendance_multiple", later("Agents who come"), later("times")),
            lever("api_failed_ratio", later("The guarantee API fails"), later("share")),
        ),
    )


def row_name(row: Row) -> str:
    """What a row of a table is called."""
    guarantee, _, trigger = row.name.partition("/")
    if guarantee in GUARANTEES:
        said = style.guarantee(guarantee)
        return f"{said}: {say(TRIGGER[trigger])}" if trigger else said
    return say(SHIFT.get(row.name, row.name))
