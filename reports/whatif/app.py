"""The what-if page as a Starlette application: routes, and what each of them answers.

Decides addresses and which part of the page an answer replaces (htmx swaps parts by id). Holds no
state but the studies that were started and the latest answers: what a person moved travels with
every request. Everything that computes runs in a thread, in the language of the request.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from reports import font, templating
from reports.language import LANGUAGES, Language, file_name, speaking
from reports.page import write as write_report
from reports.whatif.form import OVERLAYS, Asked, Posted, Reader, overlay_toml
from reports.whatif.guard import REPORT_POLICY
from reports.whatif.page import Page
from scenarios.loader import Library
from scenarios.scenario import Scenario
from sim.experiment.files import RunError
from sim.experiment.runner import with_days
from sim.whatif.answer import Answer, approximate
from sim.whatif.study import Busy, Desk, Question

STATIC: Final = Path(__file__).parent / "static"
BODY_MAX_BYTE: Final = 1 << 18
ANSWERS_KEPT: Final = 64
REPLICATIONS_MIN, REPLICATIONS_MAX = 2, 100
# The lunar day (初三) that is looked at until another one is picked.
DAY_AT_FIRST: Final = 2
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request's fields."""

    language: Language
    posted: Posted
    day: str
    replications: str
    overlay_name: str


class Site:
    """The application's routes over one library, one desk and one folder."""

    def __init__(
        self, library: Library[Scenario], desk: Desk, page: Page, *, language: Language
    ) -> None:
        self._reader = Reader(library)
        self._desk = desk
        self._page = page
        self._language: Language = language
        # By fingerprint, the oldest first.
        self._answers: dict[str, Answer] = {}

    def app(self) -> Starlette:
        """The application."""

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            yield
            await run_in_threadpool(self._desk.close)

        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/form", self.form, methods=["POST"]),
                Route("/answer", self.answer, methods=["POST"]),
                Route("/studies", self.simulate, methods=["POST"]),
                Route("/studies/{number:int}", self.progress),
                Route("/studies/{number:int}/cancel", self.cancel, methods=["POST"]),
                Route("/studies/{number:int}/report/{which}", self.report),
                Route("/overlays", self.save, methods=["POST"]),
                Route("/overlays/{name}", self.overlay),
                Route("/style.css", self.style),
                Mount("/static", StaticFiles(directory=STATIC)),
                Mount("/fonts", StaticFiles(directory=font.FOLDER)),
            ],
            lifespan=lifespan,
        )

    # --- the page -------------------------------------------------------------------------------

    async def home(self, request: Request) -> Response:
        """The whole page, nothing moved."""
        query = {key: [value] for key, value in request.query_params.items()}
        sent = self._fields(query)

        def made() -> str:
            asked = self._reader.read(sent.posted)
            return self._page.whole(asked, sent.posted, self._shown(asked, sent), sent.day)

        return HTMLResponse(await self._said(sent.language, made))

    async def form(self, request: Request) -> Response:
        """The fields again, for another scenario or other overlays; what was moved stays moved."""
        sent = await self._sent(request)

        def made() -> str:
            asked = self._reader.read(sent.posted)
            return self._page.fields(asked, sent.posted)

        text = await self._said(sent.language, made)
        return HTMLResponse(text, headers={"HX-Trigger-After-Swap": "moved"})

    async def answer(self, request: Request) -> Response:
        """The approximate answer, or what is refused beside its field."""
        sent = await self._sent(request)

        def made() -> str:
            asked = self._reader.read(sent.posted)
            return self._page.answer(asked, self._shown(asked, sent))

        return HTMLResponse(await self._said(sent.language, made))

    # --- simulating -----------------------------------------------------------------------------

    async def simulate(self, request: Request) -> Response:
        """Start a study of what is asked."""
        sent = await self._sent(request)

        def made() -> str:
            asked = self._reader.read(sent.posted)
            if asked.resolved is None or asked.baseline is None:
                return self._page.refused_study()
            count = sent.replications.strip()
            if not count.isdecimal() or not REPLICATIONS_MIN <= int(count) <= REPLICATIONS_MAX:
                return self._page.wrong_replications(count, REPLICATIONS_MIN, REPLICATIONS_MAX)
            question = Question(
                baseline=asked.baseline.scenario,
                change=asked.resolved.scenario,
                days=self._days(asked.resolved.scenario, sent.day),
                replications=int(count),
            )
            notice = ""
            try:
                number = self._desk.start(question)
            except Busy as busy:
                number, notice = busy.number, self._page.busy()
            study = self._desk.study(number)
            return self._page.study(number, study, self._answer_of, notice=notice)

        return HTMLResponse(await self._said(sent.language, made))

    async def progress(self, request: Request) -> Response:
        """The state of a study: its bar while it runs, its tables at the end."""
        try:
            number = int(request.path_params["number"])
            study = self._desk.study(number)
        except IndexError:
            return PlainTextResponse("no such study\n", status_code=404)
        language = self._language_of(request.query_params.get("lang", ""))
        ended = study.progress.ended

        def made() -> str:
            if not ended:
                return self._page.bar(study)
            return self._page.study(number, study, self._answer_of)

        text = await self._said(language, made)
        whole = {"HX-Retarget": "#study", "HX-Reswap": "outerHTML"}
        return HTMLResponse(text, headers=whole if ended else None)

    async def cancel(self, request: Request) -> Response:
        """Stop a study after the replications in hand."""
        try:
            study = self._desk.study(int(request.path_params["number"]))
        except IndexError:
            return PlainTextResponse("no such study\n", status_code=404)
        study.cancel()
        language = self._language_of(request.query_params.get("lang", ""))
        return HTMLResponse(await self._said(language, lambda: self._page.bar(study)))

    async def report(self, request: Request) -> Response:
        """The report of one of a study's runs, written when it is first opened."""
        try:
            progress = self._desk.study(int(request.path_params["number"])).progress
        except IndexError:
            return PlainTextResponse("no such study\n", status_code=404)
        paths = {"baseline": progress.baseline_path, "change": progress.change_path}
        path = paths.get(request.path_params["which"])
        if not progress.ended or path is None:
            return PlainTextResponse("this run has not ended\n", status_code=404)
        language = self._language_of(request.query_params.get("lang", ""))

        def made() -> str:
            file = path / file_name("report.html")
            return str(file if file.exists() else write_report(path))

        file = await self._said(language, made)
        return FileResponse(
            file, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY}
        )

    # --- saving ---------------------------------------------------------------------------------

    async def save(self, request: Request) -> Response:
        """Write the overlay file, and say how a run takes it."""
        sent = await self._sent(request)

        def made() -> str:
            asked = self._reader.read(sent.posted)
            name = sent.overlay_name.strip()
            if not NAME.fullmatch(name):
                return self._page.wrong_name(name)
            if asked.resolved is None or asked.resolved == asked.baseline:
                return self._page.nothing_to_save(refused=asked.resolved is None)
            self._desk.folder.mkdir(parents=True, exist_ok=True)
            path = self._desk.folder / f"{name}.toml"
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(overlay_toml(asked, sent.posted), encoding="utf-8")
            os.replace(unfinished, path)
            return self._page.saved(sent.posted.scenario, name, path)

        return HTMLResponse(await self._said(sent.language, made))

    async def overlay(self, request: Request) -> Response:
        """A saved overlay as a file."""
        name = str(request.path_params["name"])
        path = self._desk.folder / f"{name}.toml"
        if not NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse("no such overlay\n", status_code=404)
        return FileResponse(path, media_type="application/toml", filename=path.name)

    async def style(self, _request: Request) -> Response:
        """The style sheet: the typeface, the reports' own, and the page's."""
        faces = "\n".join(
            f"@font-face{{font-family:{font.FAMILY};font-weight:{weight};font-display:block;"
            f"src:url(/fonts/{file.name}) format('opentype')}}"
            for weight, file in font.FILES.items()
        )
        own = (STATIC / "page.css").read_text(encoding="utf-8")
        return Response(f"{faces}\n{templating.css()}\n{own}", media_type="text/css")

    # --- what a request says --------------------------------------------------------------------

    async def _sent(self, request: Request) -> Sent:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY_MAX_BYTE:
                body = b""
                break
        return self._fields(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))

    def _fields(self, fields: dict[str, list[str]]) -> Sent:
        def one(name: str, otherwise: str) -> str:
            return fields.get(name, [otherwise])[-1]

        def pair(scenario: str, overlays: str) -> tuple[str, tuple[str, ...]]:
            """A scenario and overlays that may be picked."""
            name = one(scenario, self._page.first_scenario)
            known = set(fields.get(overlays, ())) & set(self._page.overlays)
            if name not in self._page.scenarios:
                name = self._page.first_scenario
            return name, tuple(sorted(known))

        return Sent(
            language=self._language_of(one("lang", "")),
            posted=Posted(
                *pair("scenario", OVERLAYS),
                fields={key: values[-1] for key, values in fields.items() if "." in key},
                shown_for=pair("shown_scenario", "shown_overlays"),
            ),
            day=one("day", str(DAY_AT_FIRST)),
            replications=one("replications", "4"),
            overlay_name=one("overlay_name", "what-if"),
        )

    def _language_of(self, text: str) -> Language:
        return next((known for known in LANGUAGES if known == text), self._language)

    async def _said(self, language: Language, made: Callable[[], str]) -> str:
        """What is made, in a thread and in a language."""

        def inside() -> str:
            with speaking(language):
                return made()

        return await run_in_threadpool(inside)

    # --- answers --------------------------------------------------------------------------------

    def _days(self, scenario: Scenario, text: str) -> tuple[int, int]:
        """A lunar day of the horizon, or all of it."""
        horizon = scenario.horizon
        whole = horizon.first_day, horizon.last_day
        try:
            day = int(text)
        except ValueError:
            return whole
        return (day, day) if whole[0] <= day <= whole[1] else whole

    def _answer_of(self, scenario: Scenario, days: tuple[int, int] | None = None) -> Answer:
        try:
            narrowed = scenario if days is None else with_days(scenario, days)
        except RunError:
            narrowed = scenario
        fingerprint = narrowed.fingerprint
        found = self._answers.get(fingerprint)
        if found is None:
            found = approximate(narrowed)
            while len(self._answers) >= ANSWERS_KEPT:
                self._answers.pop(next(iter(self._answers)), None)
            self._answers[fingerprint] = found
        return found

    def _shown(self, asked: Asked, sent: Sent) -> dict[str, object]:
        """What the answer's part of the page shows; nothing while something is refused."""
        if asked.resolved is None or asked.baseline is None:
            return {}
        baseline, change = asked.baseline.scenario, asked.resolved.scenario
        return self._page.shown(
            self._answer_of(baseline),
            self._answer_of(change),
            baseline=baseline,
            change=change,
            day=self._days(change, sent.day)[0] if sent.day != "all" else DAY_AT_FIRST,
        )
