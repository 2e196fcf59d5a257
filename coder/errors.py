"""The errors a user can cause, each saying what to do about it."""

INTERRUPTED = 130
"""The exit code of a command that its user interrupts."""


class QuickfillError(Exception):
    """Base of every error whose message is meant for the user; the CLI prints it and exits with `exit_code`."""

    exit_code = 1


class InputError(QuickfillError):
    """A file, a position or an option that cannot be used as given."""

    exit_code = 2


class CheckpointError(QuickfillError):
    """A checkpoint that is missing, damaged, of a foreign architecture or in an unsafe format."""

    exit_code = 3


class UnreachableError(QuickfillError):
    """A model that runs elsewhere and does not answer."""

    exit_code = 5


class MissingDependencyError(QuickfillError):
    """A feature whose extra is not installed."""

    exit_code = 4
