"""`Batcher`: the bounded queue of a model, from which batches across requests are taken.

As in Hugging Face's text-embeddings-inference, an idle worker takes a text at once, and texts
gather while it computes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Batcher", "Item", "QueueFull", "Reply", "Request"]

BYTES_A_TOKEN = 4  # of English; Chinese has a token for each character, which is 3 bytes
# Beside a text that ends its process, another may be computed and lost, even twice.
ATTEMPTS = 3
MOST_WAITS = 10  # of batch_wait, for one batch


class QueueFull(Exception):
    """The queue has no room for a request."""


@dataclass(frozen=True)
class Reply:
    """The answers to the rows of an item.

    Args:
        answers: Each row's answer as JSON.
        arrays: The signature's outputs by name, as NumPy arrays; empty unless the request asks.
    """

    answers: list[str]
    arrays: dict[str, Any]


class Request:
    """A request for the answers to some texts.

    Args:
        rows: The texts, one or two for each row.
        signature: The signature to call.
        arrays: Whether the reply holds the signature's outputs, and not answers as JSON.
        apart: Whether its batches hold texts of no other request.
        most_rows: The most rows of an item; only for a request `apart`.

    Attributes:
        future: Done with a reply for each item, in order.
    """

    def __init__(
        self,
        rows: Sequence[tuple[bytes, ...]],
        *,
        signature: str,
        arrays: bool,
        apart: bool = False,
        most_rows: int = 1,
    ):
        self.signature, self.arrays, self.apart = signature, arrays, apart
        step = most_rows if apart else 1
        starts = range(0, len(rows) or 1, step)  # one without rows still calls the signature
        self.items = [Item(self, n, rows[at : at + step]) for n, at in enumerate(starts)]
        self.future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self._replies: dict[int, Reply] = {}

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(len(item.rows) for item in self.items)

    def answer(self, place: int, reply: Reply) -> None:
        """Sets the reply to an item; the last one completes the request."""
        self._replies[place] = reply
        if len(self._replies) == len(self.items) and not self.future.done():
            self.future.set_result([self._replies[n] for n in range(len(self.items))])

    def fail(self, error: Exception) -> None:
        """Fails the request, unless it is done."""
        if not self.future.done():
            self.future.set_exception(error)


class Item:
    """What is put into a batch as a whole: one row, or some rows of a request `apart`.

    Args:
        request: The request.
        place: Its place among the request's items.
        rows: The texts of each row.
    """

    def __init__(self, request: Request, place: int, rows: Sequence[tuple[bytes, ...]]):
        self.request, self.place, self.rows = request, place, rows
        self.tokens = max((sum(map(len, row)) // BYTES_A_TOKEN + 2 for row in rows), default=0)
        self.attempts = 0


class Batcher:
    """A bounded queue of items.

    Args:
        batch_texts: The most rows in a batch.
        batch_tokens: The most tokens in a batch, padding included. A longer text is a batch alone.
        batch_wait: How long to wait for another item under load, in seconds.
        max_queue: The most rows that wait.
        most_tokens: The most tokens that the model reads of a text; 0 if it reads all.
    """

    def __init__(
        self,
        *,
        batch_texts: int,
        batch_tokens: int,
        batch_wait: float,
        max_queue: int,
        most_tokens: int = 0,
    ):
        self.batch_texts, self.batch_tokens = batch_texts, batch_tokens
        self.batch_wait, self.max_queue, self.most_tokens = batch_wait, max_queue, most_tokens
        self.computing = self._last = 0
        self._waiting: list[Item] = []
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Returns the number of rows that wait."""
        return sum(len(item.rows) for item in self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is computed."""
        return not self.computing and all(one.request.future.done() for one in self._waiting)

    def put(self, request: Request) -> None:
        """Adds a request.

        Raises:
            QueueFull: There is no room for all of its rows.
        """
        if len(self) + request.rows > self.max_queue:
            raise QueueFull
        self._waiting.extend(request.items)
        self._changed.set()

    async def take(self) -> list[Item]:
        """Returns a batch as soon as there is one; call `done` or `put_back` with it."""
        while True:
            while not self._waiting:
                self._changed.clear()
                await self._changed.wait()
            await self._gather()
            if batch := self._choose():
                self.computing += 1
                self._last = len(batch)
                return batch

    async def _gather(self) -> None:
        """Waits while more items come, if this costs little: under load, or beside a batch.

        Otherwise the first text that comes back after a large batch would be computed alone, and
        the others would wait for it.
        """
        for _ in range(MOST_WAITS):
            before = len(self._waiting)
            busy = self.computing or self._last > 1
            if not busy or before >= self.batch_texts:
                return
            await asyncio.sleep(self.batch_wait)
            if len(self._waiting) <= before:
                return

    def done(self) -> None:
        """Says that a batch is no longer computed."""
        self.computing -= 1

    def put_back(self, batch: list[Item], error: Exception) -> None:
        """Puts a batch that a worker lost to the front, to be tried once more, one item at a time.

        Args:
            batch: The items.
            error: The error of the requests whose items were tried before.
        """
        self.done()
        for item in reversed(batch):
            item.attempts += 1
            if item.attempts >= ATTEMPTS:
                item.request.fail(error)
            else:
                self._waiting.insert(0, item)
        self._changed.set()

    def _choose(self) -> list[Item]:
        """Takes the oldest item, and others that are about as long, while the budget lasts."""
        self._waiting = [item for item in self._waiting if not item.request.future.done()]
        if not self._waiting:
            return []
        oldest = self._waiting[0]
        batch = [oldest]
        if not self._single(oldest):
            length = longest = self._length(oldest)
            others = [one for one in self._waiting[1:] if not self._single(one)]
            for item in sorted(others, key=lambda one: abs(self._length(one) - length)):
                longest = max(longest, self._length(item))
                rows = len(batch) + 1
                if rows > self.batch_texts or rows * longest > self.batch_tokens:
                    break
                batch.append(item)
        chosen = set(map(id, batch))
        self._waiting = [item for item in self._waiting if id(item) not in chosen]
        return batch

    def _single(self, item: Item) -> bool:
        return item.request.apart or item.attempts > 0

    def _length(self, item: Item) -> int:
        return min(item.tokens, self.most_tokens) if self.most_tokens else item.tokens
