"""Brings a store's schema up to date (Alembic), and funds its pots.

The tables are described in migrations/versions. Funding is an entry like any other: platform ->
pot, platform -> reserve, once; a scenario with larger limits adds the difference, one with smaller
limits is refused, since promised money is not taken back by a restart.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from loadtests.guarantee_api.books import (
    FUNDING,
    NONE,
    PLATFORM,
    POT,
    RESERVE_ACCOUNT,
    AnswerRow,
    ClaimRow,
    EntryRow,
    Pot,
)
from loadtests.guarantee_api.programme import RESERVE, Programme, day_of
from scenarios.words import GUARANTEES

CLAIM_COLUMNS: Final = ClaimRow._fields
ENTRY_COLUMNS: Final = EntryRow._fields
CLAIMS: Final = ", ".join(CLAIM_COLUMNS)
ENTRIES: Final = ", ".join(ENTRY_COLUMNS)
ANSWERS: Final = ", ".join(AnswerRow._fields)
# So many new answers, then twice as many of the oldest are looked at: the backlog shrinks.
PURGE_COUNT: Final = 4096
MIGRATIONS: Final = Path(__file__).parent / "migrations"


class BudgetsShrunk(Exception):
    """The scenario's budgets are below what the store was funded with."""


def migrate(connection: Connection) -> None:
    """Run what is missing of the migrations, on a connection of SQLAlchemy's."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def purge_sql(before: str) -> str:
    """SQL that forgets the oldest answers kept at or before the parameter `before`.

    While the oldest is young one row is read: a batch that purges is not slower than the others.
    """
    return (
        f"DELETE FROM answers WHERE created_ms <= {before} AND answer_id <"
        f" (SELECT CASE WHEN created_ms <= {before} THEN answer_id + {2 * PURGE_COUNT} ELSE 0 END"
        " FROM answers ORDER BY answer_id LIMIT 1)"
    )


def fund(
    programme: Programme, pots: dict[int, Pot], now_ms: int
) -> tuple[dict[int, Pot], list[EntryRow]]:
    """Pots with their budgets, and the entries that brought the money there."""
    limits_fen = {number: rule.total_limit_fen for number, rule in enumerate(programme.pots)}
    limits_fen[RESERVE] = programme.reserve_fen
    funded: dict[int, Pot] = {}
    entries = []
    for number, limit_fen in limits_fen.items():
        pot = pots.get(number, Pot(0, 0, 0, 0))
        missing_fen = limit_fen - pot.funded_fen
        if missing_fen < 0:
            name = "the reserve" if number == RESERVE else f"the pot of {GUARANTEES[number]}"
            raise BudgetsShrunk(
                f"{name} was funded with {pot.funded_fen} fen, the scenario gives only {limit_fen}:"
                " serve that scenario from a store of its own"
            )
        pot.funded_fen += missing_fen
        pot.available_fen += missing_fen
        funded[number] = pot
        if missing_fen > 0:
            account = RESERVE_ACCOUNT if number == RESERVE else POT
            entries.append(
                EntryRow(
                    FUNDING,
                    account,
                    PLATFORM,
                    number if number >= 0 else NONE,
                    NONE,
                    NONE,
                    missing_fen,
                    day_of(now_ms),
                    now_ms,
                )
            )
    return funded, entries
