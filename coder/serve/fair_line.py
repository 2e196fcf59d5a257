"""A bounded waiting line that is fair to those who ask seldom."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairLine(Generic[Item]):
    """One lane for each client. Lanes are served in turn, each in the order of arrival, so that who asks for little
    never waits behind all that another one has asked for.

    Args:
        most: how many may wait in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: OrderedDict[str, deque[Item]] = OrderedDict()
        """The lane to be served next comes first; none is empty."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def push(self, client: str, item: Item) -> Item | None:
        """Add an item. In a full line the last one of the longest lane gives way, which may be the item itself; it
        is returned."""
        self._lanes.setdefault(client, deque()).append(item)
        self._count += 1
        if self._count <= self._most:
            return None
        # Of lanes as long as each other the newcomer's own gives way.
        longest = max(self._lanes, key=lambda name: (len(self._lanes[name]), name == client))
        displaced = self._lanes[longest][-1]
        self._take(longest, displaced)
        return displaced

    def pop(self) -> Item | None:
        """Remove and return the item to be served next; None where none waits."""
        if not self._lanes:
            return None
        client, lane = next(iter(self._lanes.items()))
        self._lanes.move_to_end(client)
        item = lane[0]
        self._take(client, item)
        return item

    def remove(self, client: str, item: Item) -> bool:
        """Remove an item. Return whether it was waiting."""
        if item not in self._lanes.get(client, ()):
            return False
        self._take(client, item)
        return True

    def _take(self, client: str, item: Item) -> None:
        lane = self._lanes[client]
        lane.remove(item)
        self._count -= 1
        if not lane:
            del self._lanes[client]
