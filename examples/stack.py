"""A stack: last in, first out."""


class Stack:
    """Items are pushed on top and popped from there."""

    def __init__(self):
        self.items = []

    def push(self, item):
        """Put an item on top of the stack."""

    def pop(self):
        """Take the item from the top; raises IndexError when there is none."""
        return self.items.pop()

    def __len__(self):
        """The number of items."""
        return len(self.items)
