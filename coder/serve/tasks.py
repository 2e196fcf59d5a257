"""Several asyncio tasks that belong together: none outlives the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.types import Receive

Answer = TypeVar("Answer")
Item = TypeVar("Item")


async def last(events: AsyncGenerator[Any, None], kind: type[Answer]) -> Answer:
    """Return the first event of a kind that comes once; those before it are dropped."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError("a stream ends with its answer")


async def gathered(work: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """Return the answers of all, in their order. The first error cancels the others and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await ended(*tasks)


async def merged(streams: Sequence[AsyncGenerator[Item, None]]) -> AsyncGenerator[tuple[int, Item], None]:
    """Yield the items of all as they come, each with the number of its stream. The first error is raised."""
    items: asyncio.Queue[tuple[int, Item] | BaseException | None] = asyncio.Queue()

    async def read(number: int, stream: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    items.put_nowait((number, item))
            items.put_nowait(None)
        except Exception as error:
            items.put_nowait(error)

    tasks = [asyncio.ensure_future(read(number, stream)) for number, stream in enumerate(streams)]
    try:
        under_way = len(tasks)
        while under_way:
            item = await items.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                under_way -= 1
            else:
                yield item
    finally:
        await ended(*tasks)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Answer]) -> Answer | None:
    """Return the result of some work; it is cancelled when the client leaves, and the result is None then."""

    async def leaves() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(leaves())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await ended(working, leaving)


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what is not done, and wait until all are."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
