"""The queues of `springpeak theory`: each from a checked question to measures by agents.

One function a command; its keyword parameters are the command's own options, the rest is common
(sim/theory/calculator_command.py). Raises Refusal for what is wrong with its own options.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from sim.theory.erlang import Measures
    from sim.theory.patience import Floats, Patience
    from sim.theory.question import Question, Queue

RateCv = Annotated[float, typer.Option(help="CV of the arrival rate around its forecast.")]
RateLaw = Annotated[Literal["gamma", "normal"], typer.Option(help="Law of the arrival rate.")]
RedialRatio = Annotated[
    float, typer.Option(help="Share of abandoned contacts that redial (0.42: AnonymousBank 1999).")
]
ReconnectRatio = Annotated[
    float, typer.Option(help="Share of answered contacts that come back unresolved.")
]


def erlang_c(asked: "Question") -> "Queue":
    """Erlang C, M/M/n: everyone waits until served. At overload waits are endless (null)."""

    from sim.theory.erlang import patient
    from sim.theory.question import Queue

    return Queue(
        lambda n, within_s: patient(
            agents=n, arrival_per_s=asked.arrival_per_s, aht_s=asked.aht_s, threshold_s=within_s
        )
    )


def erlang_b(asked: "Question") -> "Queue":
    """Erlang B, M/G/n/n: who finds no agent free is lost at once (p_abandon)."""

    from sim.theory.erlang import blocked
    from sim.theory.question import Queue

    return Queue(
        lambda n, _: blocked(agents=n, arrival_per_s=asked.arrival_per_s, aht_s=asked.aht_s)
    )


def erlang_a(asked: "Question", *, rate_cv: RateCv = 0.0, rate_law: RateLaw = "gamma") -> "Queue":
    """Erlang A, M/M/n+M: exponential patience of mean --patience-s."""

    from sim.theory.patience import exponential

    return _impatient(asked, exponential(_needed(asked)), rate_cv, rate_law)


def mmng(
    asked: "Question",
    *,
    patience: Annotated[
        str | None,
        typer.Option(
            metavar="LAW",
            help="deterministic:60, exponential:mean=300, lognormal:mean=300,cv=1.5 or "
            "weibull:mean=300,cv=1.5; else exponential of --patience-s.",
        ),
    ] = None,
    rate_cv: RateCv = 0.0,
    rate_law: RateLaw = "gamma",
) -> "Queue":
    """M/M/n+G: patience of any law."""

    from sim.theory.patience import exponential, parse
    from sim.theory.question import Refusal, wrong

    if patience is None:
        return _impatient(asked, exponential(_needed(asked)), rate_cv, rate_law)
    try:
        law = parse(patience)
    except ValueError as error:
        raise Refusal((wrong("patience", patience, str(error)),)) from None
    return _impatient(asked, law, rate_cv, rate_law)


def chat(
    asked: "Question",
    *,
    sessions: Annotated[int, typer.Option(help="Chats that an agent holds at once.")] = 1,
    efficiency_ratio: Annotated[
        float, typer.Option(help="Speed of a chat beside others relative to one alone.")
    ] = 1.0,
) -> "Queue":
    """Concurrent chats: agents x sessions slots, each taken for handle time / efficiency."""

    from sim.theory.chat import chat as measures
    from sim.theory.question import Queue

    return Queue(
        lambda n, within_s: measures(
            agents=n,
            sessions_count=sessions,
            efficiency_ratio=efficiency_ratio,
            arrival_per_s=asked.arrival_per_s,
            aht_s=asked.aht_s,
            patience=_patience(asked),
            threshold_s=within_s,
        ),
        lambda n, _: {"sessions": sessions, "slots": n * sessions},
    )


def priority(asked: "Question") -> "Queue":
    """Non-pre-emptive priorities (Cobham): --arrivals-per-h by class, the most urgent first."""

    from sim.theory.priority import priorities
    from sim.theory.question import Queue, plain


    def both(n: int, within_s: float) -> "tuple[Measures, Measures]":
        return priorities(
            agents=n,
            arrivals_per_s=asked.arrivals_per_s,
            aht_s=asked.aht_s,
            threshold_s=within_s,
        )

    def by_class(n: int, within_s: float) -> dict[str, object]:
        said = both(n, within_s)[1]
        return {"classes": [plain(said, row) for row in range(len(asked.arrivals_per_s))]}

    return Queue(lambda n, within_s: both(n, within_s)[0], by_class)


def redial(
    asked: "Question", *, redial_ratio: RedialRatio = 0.42, reconnect_ratio: ReconnectRatio = 0.0
) -> "Queue":
    """Erlang A whose abandoned contacts redial: measures of every attempt."""
    _needed(asked)
    return _returning(asked, redial_ratio, reconnect_ratio)


def reconnect(
    asked: "Question", *, reconnect_ratio: ReconnectRatio = 0.17, redial_ratio: RedialRatio = 0.0
) -> "Queue":
    """Answered contacts that come back: Erlang C, or with --patience-s Erlang A."""
    return _returning(asked, redial_ratio, reconnect_ratio)


def _impatient(asked: "Question", law: "Patience", cv: float, rate_law: RateLaw) -> "Queue":
    from sim.theory.impatience import mmng as measures
    from sim.theory.question import Queue
    from sim.theory.uncertain import mixed

    def solve(n: int, within_s: float) -> "Measures":
        def at(rates: "Floats") -> "Measures":
            return measures(
                agents=n,
                arrival_per_s=rates,
                aht_s=asked.aht_s,
                patience=law,
                threshold_s=within_s,
            )

        return mixed(at, arrival_per_s=asked.arrival_per_s, cv=cv, law=rate_law)

    return Queue(solve)


def _returning(asked: "Question", redial_ratio: float, reconnect_ratio: float) -> "Queue":
    from sim.theory.question import Queue
    from sim.theory.returns import returning

    def both(n: int, within_s: float) -> "tuple[float, Measures]":
        return returning(
            agents=n,
            fresh_per_s=asked.arrival_per_s,
            aht_s=asked.aht_s,
            patience=_patience(asked),
            redial_ratio=redial_ratio,
            reconnect_ratio=reconnect_ratio,
            threshold_s=within_s,
        )

    def details(n: int, within_s: float) -> dict[str, object]:
        return {
            "arrivals_total_per_h": both(n, within_s)[0] * 3600.0,
            "redial_ratio": redial_ratio,
            "reconnect_ratio": reconnect_ratio,
        }

    return Queue(lambda n, within_s: both(n, within_s)[1], details)


def _patience(asked: "Question") -> "Patience | None":
    from sim.theory.patience import exponential

    return None if asked.patience_s is None else exponential(asked.patience_s)


def _needed(asked: "Question") -> float:
    """The mean patience, or a Refusal."""

    from sim.theory.question import Refusal, wrong

    if asked.patience_s is None:
        raise Refusal((wrong("patience_s", "none", "a mean patience in seconds, above 0"),))
    return asked.patience_s
