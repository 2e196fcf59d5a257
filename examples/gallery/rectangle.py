class Rectangle:
    """A rectangle with sides parallel to the axes."""

    def __init__(self, width, height):
        self.width = <fill>
        self.height = <fill>

    def area(self):
        """The area."""
        return <fill>

    def scaled(self, factor):
        """A rectangle whose sides are `factor` times as long."""
        return Rectangle(<fill>, <fill>)
