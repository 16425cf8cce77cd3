"""`springpeak fit contacts`: it parses, calls, and prints. Registered by sim/fit/command.py."""

import typer
from rich.table import Table

from scenarios.command import stderr, stdout
from sim.fit.options import (
    Abandoned,
    Answered,
    Columns,
    Form,
    Logs,
    Output,
    Seed,
    Zone,
    log_errors,
    reading,
    writable,
)


def contacts(
    logs: Logs,
    output: Output,
    column: Columns = None,
    time_zone: Zone = None,
    time_format: Form = None,
    answered: Answered = "answered",
    abandoned: Abandoned = "abandoned",
    seed: Seed = 1,
) -> None:
    """Arrivals, handle times, patience, returns and availability from a log of contacts.

    One row a contact. Columns: arrived_at, ended_at, outcome; and where they are known answered_at
    (empty if abandoned), contact_id (tells repeated rows), queue, priority, agent and caller.
    Contacts longer than 60 minutes count as 60. Rows that contradict themselves are set aside and
    counted; more than 10 % of them, and nothing is fitted.
    """
    from sim.backtest.rivals import erlang_a_factor
    from sim.fit import keys, overlay, words
    from sim.fit.bootstrap import joint_draws
    from sim.fit.contacts import fit_contacts
    from sim.fit.logs import read

    with log_errors():
        writable(output)
        way = reading(column, time_zone, time_format, answered=answered, abandoned=abandoned)
        with stderr().status("reading"):
            log = read(logs, way)
        with stderr().status(f"fitting {len(log)} contacts"):
            found = fit_contacts(log, seed=seed)
            law = found.patience.laws["lognormal"]
            made = keys.settings(
                found.arrivals, found.handling, law, found.returns, found.availability
            )
            draws = joint_draws(log, found, seed=seed)
            rival = erlang_a_factor(log, found)
    document = {
        **words.document(found),
        "erlang_a_factor": rival,
        "set_aside": log.aside.lines(),
        "overlay": keys.values(made),
        "bootstrap": draws,
    }
    with log_errors():
        overlay.write(output, overlay.toml(made, kind="contacts", source=log.name), document)
    for line in log.aside.lines():
        stderr().print(line, style="yellow", markup=False, soft_wrap=True)
    table = Table("estimate", "value", "95 % interval", "n")
    for name, one in words.estimates(found):
        table.add_row(name, *words.said(one), f"{one.n}")
    stdout().print(table)
    typer.echo(f"{len(log)} contacts used, {log.aside.total} rows set aside")
    for line in words.remarks(found, log):
        typer.echo(line)
    typer.echo(f"springpeak run SCENARIO --overlay {output}")
