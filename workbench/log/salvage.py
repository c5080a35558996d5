"""Reads the tables of a damaged SQLite file, each row that can be reached by any way.

A table is first read as a whole. Where that breaks off, the range of its key is halved until single
values are left: SQLite finds each by the pages above it, so that a damaged page costs the rows on it, and
of the pages below it, and no others.
"""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from workbench.log.faults import code_of

Row = tuple[Any, ...]
UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
_PATIENCE = (
    2_000  # reads below one beginning of a key that may fail before the rest below it is given up
)
_MOST_FAILURES = 100_000  # one after the other in one table, before it is given up
_LAST = 1 << 24  # the largest value of a column of a key, if no other is known


class Reader:
    """Reads over one connection.

    Attributes:
        largest: the largest value of columns of keys, where it is known.
        hurt: the numbers of the runs of which rows could not be read; 0 stands for rows of no known run.
    """

    def __init__(self, old: sqlite3.Connection) -> None:
        self._old = old
        self.largest: dict[str, int] = {}
        self._failures = 0
        self.hurt: set[int] = set()

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns; none if it is not there, or not even that can be read."""
        return [row[1] for row in self._read(f"PRAGMA table_info([{table}])", ())]

    def rows(self, table: str, columns: Sequence[str], key: Sequence[str]) -> Iterator[Row]:
        """Yield the rows that can be read, some of them twice; `key` names the integers of the table's key."""
        if not columns:
            return
        self._failures = 0
        select = f"SELECT {', '.join(columns)} FROM [{table}]"
        whole = yield from self._read(f"{select} ORDER BY 1", ())
        if whole:
            return
        if key:
            yield from self._halved(select, "", (), tuple(key))
        else:
            self.hurt.add(0)
            yield from self._read(f"{select} ORDER BY 1 DESC", ())

    def _halved(
        self, select: str, where: str, fixed: tuple[int, ...], key: tuple[str, ...]
    ) -> Iterator[Row]:
        """Yield the rows whose key begins with `fixed`, range by range of its next column."""
        ranges = [(0, self.largest.get(key[0], _LAST))]  # those still to be read
        for from_above in (
            False,
            True,
        ):  # what lies behind a large hole is reached from the other side
            ranges.sort(reverse=not from_above)
            yield from self._go_through(ranges, from_above, select, where, fixed, key)
        if ranges:
            self._lose(select, (*fixed, ranges[0][0]))

    def _go_through(
        self, ranges: list[tuple[int, int]], from_above: bool,
        select: str, where: str, fixed: tuple[int, ...], key: tuple[str, ...],
    ) -> Iterator[Row]:  # fmt: skip
        """Yield the rows of ranges, taken from the end of the list, until too many in a row cannot be read."""
        column, *rest = key
        failed = 0
        while ranges and failed < _PATIENCE and self._failures < _MOST_FAILURES:
            low, high = ranges.pop()
            sql = f"{select} WHERE {where}{column} BETWEEN ? AND ?"
            if (yield from self._read(sql, (*fixed, low, high))):
                failed = 0
            elif low < high:
                middle = (low + high) // 2
                halves = [(middle + 1, high), (low, middle)]
                ranges += reversed(halves) if from_above else halves
                failed += 1
            elif rest:
                deeper = f"{where}{column} = ? AND "
                yield from self._halved(select, deeper, (*fixed, low), tuple(rest))
            else:
                self._lose(select, (*fixed, low))
                failed += 1

    def _lose(self, select: str, key: tuple[int, ...]) -> None:
        of_run = not select.endswith(("[metric_key]", "[forecast]", "[queued]"))
        self.hurt.add(key[0] if of_run else 0)

    def _read(self, sql: str, values: Sequence[Any]) -> Generator[Row, None, bool]:
        """Yield rows until one cannot be read; return whether all could."""
        try:
            for row in self._old.execute(sql, values):
                self._failures = 0
                yield row
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if code_of(error) not in UNREADABLE:
                raise
            self._failures += 1
            return False
        self._failures = 0
        return True
