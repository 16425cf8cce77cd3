"""`springpeak ledger`: it parses, reads one claim's story, and prints it."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from scenarios.command import stdout
from sim.experiment.command import RunPath, run_errors

if TYPE_CHECKING:
    from reports.clock import Clock
    from reports.ledger.story import Story


def ledger(
    run_path: RunPath,
    claim: Annotated[int, typer.Option(min=0, metavar="ID", help="Number of the claim.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell a claim's whole story: order, incident, contacts, term, payout, pot, recovery."""
    from reports.ledger.story import read_story

    with run_errors():
        story = read_story(run_path, claim)
    if as_json:
        typer.echo(json.dumps(_plain(story), ensure_ascii=False, indent=2))
    else:
        _print(story)


def _print(story: "Story") -> None:
    from reports.clock import Clock
    from reports.ledger.text import entry_cells, proof, steps

    clock, console = Clock.of(story.scenario), stdout()
    identity = f"fingerprint {story.fingerprint}, seed {story.seed}, replication 0"
    said = Table("step", f"claim {story.claim['claim_id']} of {story.scenario['name']}")
    for heading, sentence in steps(story):
        said.add_row(heading, sentence)
    entries = Table("entry", "posted", "kind", "debit", "credit", "amount")
    for row in story.entries:
        entries.add_row(*entry_cells(row, clock))
    console.print(said, markup=False)
    if story.entries:
        console.print(entries, markup=False)
        console.print(proof(story), markup=False)
    console.print(identity, markup=False)


def _plain(story: "Story") -> dict[str, Any]:
    """The story's rows as they stand in the tables, with the term and the moments in words."""
    from reports.clock import Clock
    from reports.ledger.text import balances_fen, steps

    clock = Clock.of(story.scenario)
    return {
        "scenario": story.scenario["name"],
        "fingerprint": story.fingerprint,
        "seed": story.seed,
        "claim": _dated(story.claim, clock),
        "incident": story.incident and _dated(story.incident, clock),
        "contacts": [_dated(row, clock) for row in story.attempts],
        "term": {
            "key": story.term_key,
            "version": story.term.version,
            **story.term.model_dump(mode="json"),
        },
        "entries": [_dated(row, clock) for row in story.entries],
        "balances_fen": balances_fen(story),
        "pot": _dated(story.pot, clock),
        "story": [{"step": heading, "text": sentence} for heading, sentence in steps(story)],
    }


def _dated(row: dict[str, Any], clock: "Clock") -> dict[str, Any]:
    """The row, and beside every point in time its date."""
    names = ("decided_s", "occurred_s", "arrived_s", "answered_s", "ended_s", "posted_s")
    dates = {
        f"{name.removesuffix('_s')}_at": clock.at(row[name]).isoformat()
        for name in names
        if row.get(name) is not None
    }
    return {**row, **dates}
