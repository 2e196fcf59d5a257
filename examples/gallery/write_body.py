def rectangle_area(width, height):
    """Return the area of a rectangle."""
    return width * height


def triangle_area(width, height):
    """Return the area of a triangle."""
    pass
