"""Rows of measures of which the best is kept, in whichever order they come.

An actual measure is better than an estimate; of two alike the one that rectifies an earlier
flow is better. Where neither is, the one that comes last is kept.
"""

import datetime as dt
import sqlite3

from domain.imports.upsert import CHUNK
from models import DayField, Param, db, is_sqlite

FLAGS = ("estimated", "rectified")


def rank(estimated, rectified):
    """What is kept yields to what has the same rank or a higher one."""
    return not estimated, bool(rectified)


class Waiting:
    """A private file in which rows wait to be written: memory does not grow with them."""

    def __init__(self):
        self.file = sqlite3.connect("", isolation_level=None)  # temporary, deleted on close
        self.file.execute("PRAGMA synchronous = OFF")
        self.file.execute("PRAGMA journal_mode = OFF")
        self.file.execute("BEGIN")  # never ended: one transaction costs less than one a row

    def close(self):
        self.file.close()


class Ranked:
    """The rows for the table of `model` that one file of the inbox brings.

    `key` are the fields of its unique index and `content` is the field that is measured; the
    table has `estimated` and `rectified` besides.
    """

    def __init__(self, waiting, model, key, content):
        self._file = waiting.file
        self._model = model
        self._key = key
        self._fields = (*key, content, model.estimated, model.rectified)
        name = self._name = model._meta.table_name
        names = [f"k{n}" for n in range(len(key))]
        self._columns = dict(
            zip((field.name for field in self._fields), (*names, "content", *FLAGS), strict=True)
        )
        keys = ", ".join(names)
        marks = ", ".join("?" * len(key))
        columns = ", ".join(self._columns.values())
        self._file.execute(
            f"CREATE TABLE {name} ({columns}, member, line, PRIMARY KEY ({keys})) WITHOUT ROWID"
        )
        self._insert = f"INSERT INTO {name} VALUES ({marks}, ?, ?, ?, ?, ?)"  # noqa: S608
        this = f"FROM {name} WHERE ({keys}) = ({marks})"
        self._find = f"SELECT content, estimated, rectified, member, line {this}"
        self._delete = f"DELETE {this}"
        every = f"SELECT {columns} FROM {name}"  # noqa: S608
        self._first = f"{every} ORDER BY {keys} LIMIT {CHUNK}"
        self._next = f"{every} WHERE ({keys}) > ({marks}) ORDER BY {keys} LIMIT {CHUNK}"
        self._days = [n for n, field in enumerate(key) if isinstance(field, DayField)]

    def add(self, key, content, estimated, rectified, member, line):
        """Keep a row, unless a better one is there already; the line of another that it
        contradicts in the same `member` of the file, else None."""
        row = (*self._plain(key), content, estimated, rectified, member, line)
        try:
            self._file.execute(self._insert, row)
        except sqlite3.IntegrityError:
            return self._meet(row)
        return None

    def _plain(self, key):
        key = list(key)
        for n in self._days:
            key[n] = key[n].isoformat()
        return key

    def _meet(self, row):
        key, (content, estimated, rectified, member, _line) = row[:-5], row[-5:]
        found = self._file.execute(self._find, key).fetchone()
        if found[3] == member:
            return None if found[:2] == (content, estimated) else found[4]
        if rank(estimated, rectified) >= rank(*found[1:3]):
            self._file.execute(self._insert.replace("INSERT", "REPLACE"), row)
        return None

    def compare(self, report):
        """Count in `report` what becomes of the rows, and forget those that change nothing;
        how many yield to a better one."""
        beaten = 0
        for some in self._chunks():
            rows = [self._row(each) for each in some]
            stored = self._stored(rows)
            idle = []
            for plain, (key, *new) in zip(some, rows, strict=True):
                known = stored.get(key)
                if known is None:
                    report.added += 1
                elif rank(*new[1:]) >= rank(*known[1:]) and new[:2] != known[:2]:
                    report.changed += 1
                else:
                    report.unchanged += 1
                    is_beaten = rank(*new[1:]) < rank(*known[1:])
                    beaten += is_beaten
                    if is_beaten or new == known:
                        idle.append(plain[: len(key)])
            self._file.executemany(self._delete, idle)
        return beaten

    def _chunks(self):
        some = self._file.execute(self._first).fetchall()
        while some:
            yield some
            some = self._file.execute(self._next, some[-1][: len(self._key)]).fetchall()

    def _row(self, plain):
        """(key, content, estimated, rectified) as the archive has them."""
        key = list(plain[:-3])
        for n in self._days:
            key[n] = dt.date.fromisoformat(key[n])
        return tuple(key), plain[-3], bool(plain[-2]), bool(plain[-1])

    def _stored(self, rows):
        """{key: (content, estimated, rectified)} of what the archive has of these rows."""
        query = self._model.select(*self._fields)
        for n, field in enumerate(self._key):
            query = query.where(field.in_(list({key[n] for key, *_rest in rows})))
        size = len(self._key)
        return {tuple(row[:size]): list(row[size:]) for row in query.tuples()}

    def write(self):
        """Store what `compare` found, inside the caller's transaction, and so in little time."""
        query = self._model.insert({field: Param(field.name) for field in self._fields})
        query = query.on_conflict(
            conflict_target=self._key, preserve=self._fields[len(self._key) :]
        )
        sql, params = query.sql()
        names = [param.name for param in params]
        columns = ", ".join(self._columns[name] for name in names)
        rows = self._file.execute(f"SELECT {columns} FROM {self._name}")  # noqa: S608
        if not is_sqlite():  # PostgreSQL does not take 0 and 1 for no and yes
            flags = [name in FLAGS for name in names]
            rows = (
                [bool(value) if flag else value for value, flag in zip(row, flags, strict=True)]
                for row in rows
            )
        db.cursor().executemany(sql, rows)
