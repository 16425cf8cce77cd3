"""The report: one self-contained HTML page in the run directory, a chapter for each group.

Decides the order and nothing else: answers first, then staffing, payouts and load test, then the
assumptions they stand on. Reads the files of the run and of what stands beside it (payout tables, a
replay's journal, a staffing plan), so an old run can be reported again, and writes the same bytes
every time. No network, no script: chapters are shown by their address, and all of them on paper.
"""

from pathlib import Path
from typing import Final

from markupsafe import Markup

from loadtests import journal
from reports import (
    answers,
    api,
    figures_market,
    figures_money,
    figures_support,
    style,
    tables,
    templating,
)
from reports.assumptions import assumptions
from reports.cells import Book, quote
from reports.chapter import Chapter, Part
from reports.language import file_name, say, say_html
from reports.payout import page as payout
from reports.payout import words as payout_words
from reports.replay import page as replay
from reports.staffing import page as staffing
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
from sim.experiment.files import RunError
from sim.experiment.rundir import RunDirectory

FILE_NAME: Final = "report.html"
# Where `springpeak peak` leaves the journal of what it sent to the API.
_JOURNALS: Final = ("api/journal", "replay", ".")


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
    return templating.rendered(
        "page.html.j2",
        title=style.title(str(book.scenario["name"])),
        description=say(str(book.scenario["description"])),
        chapters=(_first(book), _staffing(book), _payouts(book), _load_test(book), _basis(book)),
        foot=say_html(
            "Fingerprint {fingerprint}, seed {seed}",
            fingerprint=quote(str(book.manifest["fingerprint"]), "manifest:fingerprint"),
            seed=quote(str(book.manifest["seed"]), "manifest:seed"),
        ),
    )


def _first(book: Book) -> Chapter:
    """Enough or not and when not, what it costs, which pot runs dry, how sure all that is."""
    parts = (
        Part(
            say("When it is not enough"),
            _rule(book),
            figures=(figures_support.service_level(book),),
        ),
        Part(
            say("What it costs"),
            say(
                "The interval says how well the mean is known; set money aside by the last column."
            ),
            tables.costs(book),
        ),
        Part(say("Which pot runs dry, and when"), _no_pot(book), tables.pots(book)),
        Part(say("How sure this is"), sureness_words(book), tables.sureness(book)),
    )
    return Chapter("answers", say("Answers"), parts, answers.cards(book))


def _no_pot(book: Book) -> str:
    return "" if tables.pots(book).rows else say("None does, in any of the replications.")


def _staffing(book: Book) -> Chapter:
    known = book.manifest
    plan = staffing.beside(book.path, str(known["scenario"]), str(known["fingerprint"]))
    parts = (
        Part(say("Day by day"), _rule(book), tables.days(book)),
        Part(
            say("The support floor"),
            figures=(figures_support.load(book), figures_support.strain(book)),
        ),
        *staffing.quick_part(book),
        *(staffing.parts(plan) if plan else ()),
        Part(say("What alerts save the floor"), figures=(figures_market.alerts(book),)),
    )
    return Chapter("staffing", say("Staffing"), parts)


def _payouts(book: Book) -> Chapter:
    known = payout.read(book.path)
    more = payout.parts(known) if known else ()
    parts = (
        Part(
            say("Guarantee by guarantee"),
            table=tables.guarantees(book),
            figures=(figures_money.payouts(book),),
        ),
        Part(say("The pots"), figures=(figures_money.pots(book),)),
        Part(say("Who causes it"), figures=(figures_market.merchants(book),)),
        *more,
        *(
            ()
            if known
            else (Part(say("What to book, what to fund"), _hint("springpeak payout", book)),)
        ),
    )
    return Chapter("payouts", say("Payouts"), parts, payout_words.cards(known) if known else ())


def _load_test(book: Book) -> Chapter:
    card = api.holds(book)
    for place in _JOURNALS:
        folder = book.path / place
        if (folder / "journal.parquet").is_file() and (folder / "summary.json").is_file():
            found = replay.parts(journal.read(folder), replay.said(folder))
            return Chapter("load-test", say("Load test"), found, (card,) if card else ())
    hint = Part(say("The guarantee API"), _hint("springpeak trace", book))
    return Chapter("load-test", say("Load test"), (hint,), (card,) if card else ())


def _hint(command: str, book: Book) -> Markup:
    """Which command writes what is not there."""
    return say_html(
        "This run has no such tables yet: {command} writes them, and the next report has them.",
        command=Markup("<code>{} {}</code>").format(command, book.path.name),
    )


def _basis(book: Book) -> Chapter:
    lead = say_html(
        "Everything above follows from these settings. {tag} marks a value that no source gives: "
        "it has a low and a high case, and none of it is the platform's own data. Bold: changed "
        "for this run. Sources are quoted as the scenario file has them.",
        tag=Markup('<span class="tag A">{}</span>').format(say("Assumed")),
    )
    return Chapter(
        "assumptions",
        say("Assumptions"),
        (Part(say("What is assumed"), lead),),
        settings=assumptions(book),
        foot=tuple(_identity(book)),
    )


def _rule(book: Book) -> Markup:
    return say_html(
        "An hour is on target when {phone} of phone contacts are answered within {phone_s}, {im} "
        "of IM contacts within {im_s}, and at most {abandoned} abandon; it is missed when it fails "
        "in more than {held} of the replications. The answer is yes from {yes} of replications "
        "with every day on target, no below {no}.",
        phone=book.setting(PHONE_TARGET, "probability"),
        phone_s=book.setting(PHONE_THRESHOLD, "seconds"),
        im=book.setting(IM_TARGET, "probability"),
        im_s=book.setting(IM_THRESHOLD, "seconds"),
        abandoned=book.setting(ABANDONED_TARGET, "probability"),
        held=_cut(HELD_AT_RATIO),
        yes=_cut(YES_AT_RATIO),
        no=_cut(NO_BELOW_RATIO),
    )


def _cut(ratio: float) -> Markup:
    """A cut of targets.py: the page's own rule, not a result."""
    return Markup('<span class="cut">{}</span>').format(style.probability(ratio))


def sureness_words(book: Book) -> Markup:
    """How many replications stand behind the page, and whether the run was finished."""
    text = say_html(
        "Replications: {count}, each the whole horizon under chance of its own. The interval says "
        "how well the mean is known; the band, how much one festival may differ from another. "
        "Neither covers a wrong assumption: those stand in the last chapter.",
        count=book.quoted("replications", "count"),
    )
    if book.manifest.get("status") == "complete":
        return text
    return say_html(
        "<b>The run was interrupted: {finished} of {planned} replications are done.</b> {text}",
        finished=book.noted("finished_count", "count"),
        planned=book.noted("planned_count", "count"),
        text=text,
    )


def _identity(book: Book) -> list[tuple[str, Markup]]:
    """What identifies the run: every entry of the manifest that is a word or a number."""
    rows = [
        (name, quote(str(book.summary[key]), f"summary:{key}"))
        for key, name in (
            ("scenario", say("Scenario")),
            ("fingerprint", say("Fingerprint")),
            ("seed", say("Seed")),
            ("replications", say("Replications")),
        )
    ]
    speed = say_html("{speed} contacts", speed=book.noted("contacts_per_s", "per_second"))
    rows.append((say("Speed"), speed))
    packages = book.manifest["packages"]
    versions = [("Python", "python"), *((name, f"packages.{name}") for name in sorted(packages))]
    rows.append(
        (
            say("Versions"),
            Markup(", ").join(
                Markup("{} {}").format(name, quote(str(at(book.manifest, key)), f"manifest:{key}"))
                for name, key in versions
            ),
        )
    )
    return rows
