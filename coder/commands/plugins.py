"""Subcommands that other packages add to `quickfill` through the entry-point group `quickfill.commands`.

An entry point names a `typer.Typer`. It is imported when its command is asked for, or when the commands are listed.
"""

from __future__ import annotations

import shutil
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from coder.errors import MissingDependencyError

GROUP = "quickfill.commands"


WIDE_COLUMNS, LONGEST_TYPE = 80, 20
"""In a terminal of fewer columns types leave no room for the words of the help, nor do longer types anywhere."""


def _with_short_types(options: list[Any], ctx: Any) -> list[Any]:
    """Return the options as their help shows them: flags, which take no value, without a type, and any without one
    that has no room; the choices that it would name are told in words."""
    narrow = shutil.get_terminal_size().columns < WIDE_COLUMNS
    for option in options:
        if option.metavar is not None or option.param_type_name != "option":
            continue
        shown = "" if getattr(option, "is_flag", False) else option.display_type_rich(ctx) or ""
        if not shown or narrow or len(shown) > LONGEST_TYPE:
            option.metavar = ""
            if "|" in shown:
                option.help = f"{option.help} One of {', '.join(shown.strip('<>').split('|'))}."
    return options


def _shorten_types(command: Any, ctx: Any) -> None:
    """Do so for a command and those below it."""
    _with_short_types(command.get_params(ctx), ctx)
    for below in getattr(command, "commands", {}).values():
        _shorten_types(below, ctx)


class PluginGroup(TyperGroup):
    """The commands of `quickfill` itself, then those of plugins. A plugin never replaces a command of ours.

    Typer keeps the types of contexts and commands to itself, hence `Any`.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        usable = [name for name in sorted(self._plugins) if self._usable(name, warn=not ctx.resilient_parsing)]
        return [*super().list_commands(ctx), *usable]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = self._load(cmd_name) if cmd_name in self._plugins else super().get_command(ctx, cmd_name)
        if command is not None:
            _shorten_types(command, ctx)
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_short_types(super().get_params(ctx), ctx)

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=GROUP) if point.name not in self.commands}

    def _usable(self, name: str, warn: bool) -> bool:
        try:
            self._load(name)
        except MissingDependencyError as error:
            if warn:
                typer.echo(f"warning: {error}", err=True)
            return False
        return True

    def _load(self, name: str) -> Any:
        point = self._plugins[name]
        try:
            command = get_command(point.load())
        except Exception as error:  # whatever a foreign module does when it is imported
            package = point.dist.name if point.dist else point.value
            raise MissingDependencyError(
                f"the command {name!r} of {package} cannot be loaded ({type(error).__name__}: {error}); "
                f"install what it needs, or uninstall {package}"
            ) from error
        command.name = name
        return command
