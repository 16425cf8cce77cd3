"""`springpeak theory`: what is known in closed form or exactly. It parses, calls and prints."""

import typer

from sim.compound.command import compound

theory = typer.Typer(help="What theory says: exact answers to hold a simulation against.")
theory.command("compound")(compound)
