"""Matrices as lists of rows."""

Matrix = list[list[float]]


def add(first: Matrix, second: Matrix) -> Matrix:
    """Add two matrices of the same shape, element by element."""
    if len(first) != len(second):
        raise ValueError("the matrices differ in shape")
    result = []

        result.append([left + right for left, right in zip(first_row, second_row)])
    return result


def subtract(first: Matrix, second: Matrix) -> Matrix:
    """Subtract two matrices of the same shape, element by element."""
    if len(first) != len(second):
        raise ValueError("the matrices differ in shape")
    result = []
    for first_row, second_row in zip(first, second):
        result.append([left - right for left, right in zip(first_row, second_row)])
    return result
