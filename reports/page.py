"""The report: one self-contained HTML page in the run directory.

Decides the order of the page and nothing else: answers first, then the figures behind them, then
the assumptions they stand on. Reads the run's files only, so an old run can be reported again, and
writes the same bytes every time. No network, no script.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from reports import (
    answers,
    figures_market,
    figures_money,
    figures_support,
    style,
    tables,
    templating,
)
from reports.assumptions import assumptions
from reports.cells import Book, quote
from reports.figure import Figure
from reports.language import file_name
from reports.targets import (
    ABANDONED_TARGET,
    HELD_AT_RATIO,
    IM_TARGET,
    IM_THRESHOLD,
    NO_BELOW_RATIO,
    PHONE_TARGET,
    PHONE_THRESHOLD,
    YES_AT_RATIO,
)
from scenarios.overlays import at
from sim.experiment.contents import ALL
from sim.experiment.rundir import RunDirectory, RunError

FILE_NAME: Final = "report.html"


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter of figures, with the table that they unfold."""

    heading: str
    figures: list[Figure]
    table: tables.Table | None = None


def write(run_dir: Path) -> Path:
    """Write report.html of a run directory and return its path.

    Raises RunError where the run keeps fewer tables than a report needs.
    """
    directory = RunDirectory(run_dir)
    kept = directory.manifest().get("tables", ALL.name)
    if kept != ALL.name:
        raise RunError(
            f"{run_dir} keeps the tables of {kept} only: `springpeak run` makes what a report needs"
        )
    name = file_name(FILE_NAME)
    directory.write_text(name, render(Book(run_dir)))
    return run_dir / name


def render(book: Book) -> str:
    """The page as text."""
    name = str(book.scenario["name"])
    return templating.rendered(
        "page.html.j2",
        name=name,
        heading=style.title(name),
        description=book.scenario["description"],
        cards=answers.cards(book),
        days=tables.days(book),
        rule=_rule(book),
        costs=tables.costs(book),
        pots=tables.pots(book),
        sure=sureness_words(book),
        sureness=tables.sureness(book),
        parts=(
            Part("The support floor", figures_support.figures(book)),
            Part("The money", figures_money.figures(book), tables.guarantees(book)),
            Part("The market", figures_market.figures(book)),
        ),
        assumptions=assumptions(book),
        foot=_foot(book),
    )


def _rule(book: Book) -> Markup:
    return Markup(
        "An hour is on target when {} of phone contacts are answered within {}, {} of IM contacts "
        "within {}, and at most {} abandon. Listed: hours that miss in more than {} of the "
        "replications. The answer above is yes from {} of replications with every day on target, "
        "no below {}."
    ).format(
        book.setting(PHONE_TARGET, "probability"),
        book.setting(PHONE_THRESHOLD, "seconds"),
        book.setting(IM_TARGET, "probability"),
        book.setting(IM_THRESHOLD, "seconds"),
        book.setting(ABANDONED_TARGET, "probability"),
        _cut(HELD_AT_RATIO),
        _cut(YES_AT_RATIO),
        _cut(NO_BELOW_RATIO),
    )


def _cut(ratio: float) -> Markup:
    """A cut of targets.py: the page's own rule, not a result."""
    return Markup('<span class="cut">{}</span>').format(style.probability(ratio))


def sureness_words(book: Book) -> Markup:
    """How many replications stand behind the page, and whether the run was finished."""
    text = Markup(
        "Replications: {}, each the whole horizon under chance of its own. The interval says how "
        "well the mean is known; the last column, how much one festival may differ from another. "
        "Neither covers a wrong assumption: those stand at the end of the page."
    ).format(book.quoted("replications", "count"))
    if book.manifest.get("status") == "complete":
        return text
    return Markup("<b>The run was interrupted: {} of {} replications are done.</b> {}").format(
        book.noted("finished_count", "count"), book.noted("planned_count", "count"), text
    )


def _foot(book: Book) -> list[tuple[str, Markup]]:
    """What identifies the run: every entry of the manifest that is a word or a number."""
    rows = [
        (style.words(key), quote(str(book.summary[key]), f"summary:{key}"))
        for key in ("scenario", "fingerprint", "seed", "replications")
    ]
    rows.append(("speed", Markup("{} contacts").format(book.noted("contacts_per_s", "per_second"))))
    packages = book.manifest["packages"]
    versions = [("Python", "python"), *((name, f"packages.{name}") for name in sorted(packages))]
    rows.append(
        (
            "versions",
            Markup(", ").join(
                Markup("{} {}").format(name, quote(str(at(book.manifest, key)), f"manifest:{key}"))
                for name, key in versions
            ),
        )
    )
    return rows
