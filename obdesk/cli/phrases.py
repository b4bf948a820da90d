"""Typer's own words in the reader's language: the frame of a help page, and what a mistake was.

Typer writes them in English. They are turned where they are shown; one that is not known here stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADINGS = {
    "Arguments": mark("Arguments:"),
    "Commands": mark("Commands:"),
    "Options": mark("Options:"),
}
_REMARKS = (mark("Show this message and exit."), mark("[required]"), mark("[default: "))
_MISTAKES = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r"No such command (?P<name>'.*')\. Did you mean (?P<near>.+)\?",
            mark("No such command {name}. Did you mean {near}?"),
        ),
        (r"No such command (?P<name>'.*')\.", mark("No such command {name}.")),
        (r"Missing command\.", mark("Missing command.")),
        (
            r"No such option: (?P<name>.+) \(Possible options: (?P<near>.+)\)",
            mark("No such option {name}. Did you mean {near}?"),
        ),
        (r"No such option: (?P<name>.+)", mark("No such option {name}.")),
        (r"Missing option (?P<name>.+)\.", mark("Missing option {name}.")),
        (r"Missing argument (?P<name>.+)\.", mark("Missing argument {name}.")),
        (r"Option (?P<name>.+) requires an argument\.", mark("Option {name} needs a value.")),
        (r"Option (?P<name>.+) does not take a value\.", mark("Option {name} takes no value.")),
        (r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", mark("These words are too many: {words}")),
        (r"Invalid value for (?P<name>.+?): (?P<message>.*)", mark("Invalid value for {name}: {message}")),
        (r"Invalid value: (?P<message>.*)", mark("This cannot be meant: {message}")),
        (r"Input should be a valid integer.*", mark("it must be a whole number")),
        (r"Input should be greater than or equal to (?P<limit>\S+)", mark("it must be at least {limit}")),
    )
)


def mistake(message: str) -> str:
    """Return what Typer says of a mistake, in the reader's language."""
    for pattern, sentence in _MISTAKES:
        if found := pattern.fullmatch(message):
            values = found.groupdict()
            if "message" in values:
                values["message"] = mistake(values["message"])
            return tr(sentence, **values)
    return message


def _remark(text: str) -> str:
    for english in _REMARKS:
        text = text.replace(english, tr(english))
    return text


class _Page(typer.Context.formatter_class):  # type: ignore[valid-type, misc]
    """A help page whose frame speaks the reader's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is typed."""
        super().write_usage(prog, args, prefix or tr("Usage: "))

    def write_heading(self, heading: str) -> None:
        """Write the title of a list."""
        if heading in _HEADINGS:
            self.write(f"{' ' * self.current_indent}{tr(_HEADINGS[heading])}\n")
        else:
            super().write_heading(heading)

    def write_dl(self, rows: Sequence[tuple[str, str]], *sizes: int, **named: int) -> None:
        """Write a list of options, arguments or commands."""
        super().write_dl([(first, _remark(second)) for first, second in rows], *sizes, **named)


class _Context(typer.Context):
    """Typer's context with our help page."""

    formatter_class = _Page


def speak(command: Any) -> None:
    """Let a command and all below it explain themselves in the reader's language."""
    command.context_class = _Context
    for below in getattr(command, "commands", {}).values():
        speak(below)
