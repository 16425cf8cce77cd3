"""The parts of the what-if page as HTML, in the language of the context."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from reports import style, templating
from reports.language import LANGUAGES, later, say, spoken
from reports.whatif import levers
from reports.whatif.form import GENERAL, OVERLAYS, Asked, Posted
from reports.whatif.view import Simulated, shown, simulated
from reports.whatif.words import OVERLAY
from scenarios.problems import Problem
from scenarios.scenario import Scenario
from sim.whatif.answer import Answer
from sim.whatif.study import Study

OPEN_AT_FIRST: Final = "agents"
AnswerOf = Callable[[Scenario, tuple[int, int]], Answer]


class Page:
    """Renders parts; knows which scenarios and overlays may be picked."""

    def __init__(self, scenarios: Sequence[str], overlays: Sequence[str]) -> None:
        self.scenarios = tuple(scenarios)
        self.overlays = tuple(overlays)

    @property
    def first_scenario(self) -> str:
        """What is picked at first."""
        return self.scenarios[0]

    def whole(self, asked: Asked, posted: Posted, values: dict[str, object], day: str) -> str:
        """The page."""
        return templating.fragment(
            "whatif.html.j2",
            **(self._form(asked, posted) | self._answer(asked, values)),
            oob=False,
            day=day,
            days=self._days(asked),
            languages=LANGUAGES,
            spoken=spoken(),
        )

    def fields(self, asked: Asked, posted: Posted) -> str:
        """The levers."""
        return templating.fragment("whatif_fields.html.j2", **self._form(asked, posted))

    def answer(self, asked: Asked, values: dict[str, object]) -> str:
        """The approximate answer, and out of band what each field refuses."""
        return templating.fragment("whatif_answer.html.j2", **self._answer(asked, values), oob=True)

    def shown(
        self, before: Answer, after: Answer, *, baseline: Scenario, change: Scenario, day: int
    ) -> dict[str, object]:
        """What the answer's part draws."""
        found = shown(
            before,
            after,
            scenario=change,
            baseline_heads=baseline.support.heads_count,
            day=day,
        )
        return {"shown": found, "targets": change.support.targets, "style": style}

    def _form(self, asked: Asked, posted: Posted) -> dict[str, Any]:
        return {
            "groups": asked.groups,
            "texts": asked.texts,
            "base_texts": asked.base_texts,
            "refused": _sentences(asked),
            "posted": posted,
            "scenarios": self.scenarios,
            "overlays": {name: OVERLAY.get(name, name) for name in self.overlays},
            "short_name": lambda name: Path(name).stem if name.endswith(".toml") else name,
            "row_name": levers.row_name,
            "field_id": field_id,
            "open_at_first": OPEN_AT_FIRST,
        }

    def _answer(self, asked: Asked, values: dict[str, object]) -> dict[str, Any]:
        refused = _sentences(asked)
        return {
            **values,
            "answered": bool(values),
            "refused": refused,
            "refused_keys": (*asked.texts, GENERAL, OVERLAYS),
            "moved_count": len(asked.moved),
            "field_id": field_id,
        }

    def _days(self, asked: Asked) -> list[tuple[int, str]]:
        if asked.baseline is None:
            return []
        scenario = asked.baseline.scenario
        days = range(scenario.horizon.first_day, scenario.horizon.last_day + 1)
        return [
            (day, f"{style.lunar_name(day)} · {style.date_name(scenario.calendar.date_of(day))}")
            for day in days
        ]

    # --- studies --------------------------------------------------------------------------------

    def bar(self, study: Study) -> str:
        """The progress of a study that runs."""
        return templating.fragment("whatif_bar.html.j2", progress=study.progress)

    def study(
        self, number: int, study: Study, answer_of: AnswerOf, *, notice: str = ""
    ) -> str:
        """A study: its bar, or what came out."""
        progress, question = study.progress, study.question
        rows: tuple[Simulated, ...] = ()
        if progress.differences:
            approximate = answer_of(question.change, question.days).measures
            rows = simulated(progress.differences, approximate)
        first, last = question.days
        day = style.lunar_name(first)
        return templating.fragment(
            "whatif_study.html.j2",
            number=number,
            progress=progress,
            notice=notice,
            rows=rows,
            pairs=progress.differences[0].n if progress.differences else 0,
            day=day if first == last else f"{day} – {style.lunar_name(last)}",
            spoken=spoken(),
        )

    def refused_study(self) -> str:
        return self._notice(say("Mend what is refused first; nothing is simulated."))

    def busy(self) -> str:
        return say("A simulation is running: wait for it, or cancel it first.")

    def wrong_replications(self, text: str, low: int, high: int) -> str:
        return self._notice(
            say(
                "Replications = {text}: should be a whole number from {low} to {high}.",
                text=text,
                low=low,
                high=high,
            )
        )

    def _notice(self, text: str) -> str:
        return templating.fragment("whatif_notice.html.j2", id="study", text=text)

    # --- saving ---------------------------------------------------------------------------------

    def saved(self, scenario: str, name: str, path: Path) -> str:
        """Where the overlay is and how a run takes it."""
        command = f"springpeak run {scenario} --overlay {path}"
        return templating.fragment("whatif_saved.html.j2", name=name, path=path, command=command)

    def wrong_name(self, name: str) -> str:
        text = say(
            "{name}: a name has letters, digits, - and _, and is no longer than 64.", name=name
        )
        return templating.fragment("whatif_notice.html.j2", id="saved", text=text)

    def nothing_to_save(self, *, refused: bool) -> str:
        text = (
            say("Mend what is refused first; nothing was written.")
            if refused
            else say("Nothing was moved: this is the baseline.")
        )
        return templating.fragment("whatif_notice.html.j2", id="saved", text=text)


def field_id(key: str) -> str:
    """The id of a key's field; dots would mean classes to whoever selects by it."""
    return key.replace(".", "-")


def _sentences(asked: Asked) -> dict[str, list[str]]:
    return {key: [_sentence(one) for one in found] for key, found in asked.problems.items()}


# What the schema says of a value, for readers of another language: its words, and ours.
_REFUSALS: Final = (
    ("should be greater than or equal to ", later("should be at least {bound}")),
    ("should be less than or equal to ", later("should be at most {bound}")),
    ("should be greater than ", later("should be above {bound}")),
    ("should be less than ", later("should be below {bound}")),
    ("should be a valid number", later("should be a number")),
    ("should be a valid integer", later("should be a whole number")),
)


def _sentence(problem: Problem) -> str:
    """The loader's own words, in Chinese where the words are known."""
    said, hint = problem.message, problem.hint
    if spoken() != "en":
        for words, ours in _REFUSALS:
            if said.startswith(words):
                said, hint = say(ours, bound=said.removeprefix(words)), ""
                break
    said = f"{problem.value}: {said}" if problem.value else said
    return f"{said} ({hint})" if hint else said
