"""PyTorch, or the message that says how to get it. The other torch files import it from here."""

from coder.installation import missing_extra

try:
    import torch
except ImportError as error:
    raise missing_extra("PyTorch is not installed", "torch") from error

__all__ = ["torch"]
