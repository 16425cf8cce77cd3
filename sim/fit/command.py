"""`springpeak fit`: what a planner's own logs say of a scenario."""

import typer

from sim.fit.contacts_command import contacts
from sim.fit.events_command import claims, festival, orders

app = typer.Typer(help="From your own logs to an overlay with uncertainty.")
for command in (contacts, orders, claims, festival):
    app.command()(command)
