"""Look-ups that come together are made together: one question to the data base for all that wait.

What group commit (writer.py) is for writes. While one question is under way the next look-ups
gather: no timer, no delay when there is little to do. A look-up never joins a question that was
sent before it came, so that it sees every commit that was answered before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")
Read = Callable[[Sequence[int]], Awaitable[Mapping[int, Row]]]


class Gathering(Generic[Row]):
    """Look-ups by number."""

    def __init__(self, read: Read[Row]) -> None:
        """`read` finds rows by their numbers; those that there are."""
        self._read = read
        self._waiting: list[tuple[int, asyncio.Future[Row | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def get(self, number: int) -> Row | None:
        """The row of a number, None if there is none. Raises what `read` raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Row | None] = loop.create_future()
        self._waiting.append((number, answer))
        if self._task is None:
            self._task = loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    found = await self._read(list({number for number, _ in asked}))
                except Exception as error:
                    for _, answer in asked:
                        if not answer.done():
                            answer.set_exception(error)
                else:
                    for number, answer in asked:
                        if not answer.done():
                            answer.set_result(found.get(number))
        finally:
            self._task = None
