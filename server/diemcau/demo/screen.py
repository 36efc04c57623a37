"""What the terminal shows: steps, bars, the play as it goes, QR codes, and the table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import qrcode
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from diemcau import i18n

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diemcau.demo.figures import Figure
    from diemcau.demo.reconcile import Line
    from diemcau.i18n import Language

PLAIN_COLUMNS = 160
"""Wide enough that a log file breaks no row of the table."""

HALF_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


@dataclass(frozen=True, slots=True)
class Screen:
    """Speaks to whoever started the demo, in their language; plain lines where there is no terminal."""

    console: Console
    language: Language

    @classmethod
    def open(cls, language: Language) -> Screen:
        """The terminal on standard output."""
        console = Console(highlight=False)
        return cls(console if console.is_terminal else Console(width=PLAIN_COLUMNS, highlight=False), language)

    @property
    def live(self) -> bool:
        """Whether a panel can be drawn again and again."""
        return self.console.is_terminal

    def text(self, key: str, **params: str | float) -> str:
        """A text of the dictionary."""
        return i18n.text(self.language, key, **params)

    def number(self, value: float, digits: int = 0) -> str:
        """48.913 in Vietnamese, 48,913 in English."""
        english = f"{value:,.{digits}f}"
        return english if self.language == "en" else english.translate(str.maketrans(",.", ".,"))

    def say(self, key: str, **params: str | float) -> None:
        """One line."""
        self.console.print(Text(self.text(key, **params)))

    @contextmanager
    def bar(self, key: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar; the callable takes how many of how many are done."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            task = progress.add_task(self.text(key), total=None)

            def advance(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total or None)

            yield advance

    def reconciliation(self, lines: Sequence[Line]) -> None:
        """The table, and each differing row once more with what differs."""
        table = Table(title=self.text("demo.table"), title_justify="left")
        table.add_column(self.text("demo.column.figure"), no_wrap=True)
        table.add_column(self.text("demo.column.where"), no_wrap=True)
        table.add_column(self.text("demo.column.ledger"), justify="right", no_wrap=True)
        table.add_column(self.text("demo.column.found"), justify="right", no_wrap=True)
        table.add_column(self.text("demo.column.agrees"))
        for line in lines:
            verdict = Text("✓ " + self.text("demo.agrees"), "green")
            if not line.agrees:
                verdict = Text("✗ " + self.text("demo.differs"), "bold red")
            table.add_row(*self._named(line), self.number(line.expected), self.number(line.found), verdict)
        self.console.print(table)
        for line in lines:
            if not line.agrees:
                what, where = self._named(line)
                details = "; ".join(line.differences) or f"{line.expected} ≠ {line.found}"
                self.console.print(Text(f"✗ {what}, {where}: {details}", "red"))

    def figures(self, figures: Sequence[Figure]) -> None:
        """What was measured."""
        table = Table(title=self.text("demo.figures"), title_justify="left", show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for figure in figures:
            digits = 0 if figure.value >= 100 or figure.value == int(figure.value) else 1
            table.add_row(self.text(f"demo.figure.{figure.name}"), f"{self.number(figure.value, digits)} {figure.unit}")
        self.console.print(table)

    def _named(self, line: Line) -> tuple[str, str]:
        section, _, state = line.section.partition(".")
        what = self.text(f"demo.section.{section}")
        if state:
            what += " · " + self.text(f"demo.link.{state}")
        return what, self.text(f"demo.where.{line.where}")


def qr(content: str) -> Text:
    """A QR code in half blocks, dark on light whatever colours the terminal has."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(content)
    code.make(fit=True)
    rows = code.get_matrix()
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    lines = [
        "".join(HALF_BLOCKS[pair] for pair in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    ]
    return Text("\n").join(Text(line, "black on white") for line in lines)


def labelled(label: str, content: str, *, with_qr: bool) -> RenderableType:
    """A link under its label, and its QR code."""
    parts: list[RenderableType] = [Text(label, "bold"), Text(content, "cyan", no_wrap=True, overflow="fold")]
    if with_qr:
        parts.append(qr(content))
    return Group(*parts)
