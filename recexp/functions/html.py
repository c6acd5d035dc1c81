"""Results in a notebook: tables, links and pictures as HTML, whose text comes from data and is escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

MOST = 50
"""Rows of a table that is shown; `to_frame` has them all."""


def link(address: str, text: str) -> str:
    """Return a link; an address that is no web page's is left out."""
    return f'<a href="{escape(address)}">{escape(text)}</a>' if address.startswith("http") else escape(text)


def cell(value: Any) -> str:
    """Return what a cell shows: four decimals of a number, nothing where there is none."""
    if value is None or value != value:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already, the first MOST rows of it."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows[:MOST])
    more = f"<p>and {len(rows) - MOST} more rows: to_frame()</p>" if len(rows) > MOST else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


@dataclass(frozen=True, repr=False)
class Plots:
    """Pictures by name, SVG; a notebook shows them."""

    pictures: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Plots({', '.join(self.pictures)})"

    def _repr_html_(self) -> str:
        return "".join(f"<div>{picture}</div>" for picture in self.pictures.values())

    def save(self, folder: str | Path) -> None:
        """Write each picture as NAME.svg."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, picture in self.pictures.items():
            (Path(folder) / f"{name}.svg").write_text(picture, encoding="utf-8")
