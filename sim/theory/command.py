"""`springpeak theory`: what is known in closed form or exactly. It parses, calls and prints."""

from typing import Final

import typer

from sim.compound.command import compound
from sim.theory.calculator_command import command

QUEUES: Final = (
    "erlang-c",
    "erlang-b",
    "erlang-a",
    "mmng",
    "chat",
    "priority",
    "redial",
    "reconnect",
)

theory = typer.Typer(help="What theory says: exact answers to hold a simulation against.")
theory.command("compound")(compound)
for queue in QUEUES:
    theory.command(queue)(command(queue))
