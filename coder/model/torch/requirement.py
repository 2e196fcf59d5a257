"""PyTorch, or the message that says how to get it. The other torch files import it from here."""

from coder.errors import MissingDependencyError

try:
    import torch
except ImportError as error:
    raise MissingDependencyError('PyTorch is not installed; install it with: pip install "quickfill[torch]"') from error

__all__ = ["torch"]
