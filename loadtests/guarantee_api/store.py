"""What a store must do, whatever the data base: one durable transaction a batch, and a few reads.

A store holds no opinion: decisions come from decide.py, between reading and writing, inside the
transaction that shuts out every other writer. `run` returns only after the commit is durable; if it
raises StoreUnavailable, nothing is known to be kept and the sender may repeat with the same key.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from loadtests.guarantee_api.books import ClaimRow, EntryRow, MerchantRow, Pot
from loadtests.guarantee_api.commands import Answer, Write
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.settings import Settings


class StoreUnavailable(Exception):
    """The store cannot answer now: full, read-only, locked for too long or gone."""


class Store(Protocol):
    """SQLite or PostgreSQL."""

    async def open(self, now_ms: int) -> None:
        """Connect, migrate, fund, and prove the books; raises if they are wrong."""

    async def close(self) -> None: ...

    async def run(self, writes: Sequence[Write]) -> list[Answer]:
        """Decide and keep a batch in one transaction; durable when it returns."""

    async def claim(self, claim_id: int) -> ClaimRow | None: ...

    async def claims(self, *, after: int, limit: int) -> list[ClaimRow]: ...

    async def entries(self, *, after: int, limit: int) -> list[tuple[int, EntryRow]]:
        """(entry_id, entry) in order of posting."""

    async def merchant(self, merchant_id: int) -> MerchantRow | None: ...

    async def pots(self, *, day: int) -> tuple[dict[int, Pot], dict[int, int]]:
        """Pots by guarantee, and what each of them has used of the day's limit."""

    async def prove(self) -> list[str]:
        """What is wrong with the books: empty when every balance follows from the entries."""

    async def hinder(self, *, disk_full: bool, read_only: bool) -> None:
        """For tests: make the data base itself refuse, or stop doing so."""

    async def spoil(self, sql: str) -> None:
        """For tests: make the books wrong by one statement."""


def open_store(url: str, decider: Decider, settings: Settings) -> Store:
    """The store that a URL names; its driver is loaded only then."""
    if url.startswith("sqlite:///"):
        from loadtests.guarantee_api.sqlite_store import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:///")), decider)
    if url.startswith(("postgresql://", "postgres://")):
        from loadtests.guarantee_api.postgres_store import PostgresStore

        return PostgresStore(url, decider, settings)
    raise ValueError(f"{url} is not a store: sqlite:///FILE or postgresql://...")
