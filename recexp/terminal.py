"""Terminal output in which text from data cannot contain control sequences."""

import logging
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline, signs that turn the order of others around, halves of signs."""


def visible(text: str) -> str:
    """Return text whose control characters are written out: \\u001b."""
    return _STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose cells show what is printed and displayed."""
    shell = sys.modules.get("IPython")
    found = None if shell is None else shell.get_ipython()
    return found is not None and hasattr(found, "kernel")


def console(**options: Any) -> "Console":
    """Return a rich console that prints text as `visible` does; `options` are those of `rich.console.Console`."""
    from rich.console import Console

    class VisibleConsole(Console):
        def render(self, *args: Any, **more: Any) -> Iterator[Any]:
            for part in super().render(*args, **more):
                yield part if part.control else part._replace(text=visible(part.text))

    return VisibleConsole(**options)


class VisibleFormatter(logging.Formatter):
    """Formats lines of the log as `visible` text."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))
