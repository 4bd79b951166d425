"""Rows of a CSV file against the archive: examined first, written afterwards.

Examining reads only: it finds every error and what would change, and keeps the changes in
a temporary file of its own, as statements with their values wherever nothing else has to be
known. Writing is then short, because other writers wait for it.
Both go by chunks of rows, with a fixed number of queries for each chunk.
"""

import hashlib
import itertools
import pickle
import sqlite3
from typing import NamedTuple

import peewee as pw

from domain import search, statements
from domain.formats import table
from domain.imports.report import Rejected
from models import DayField, Param, any_of, db

CHUNK = 500

UNKNOWN_CUSTOMER = "Cliente sconosciuto: importare prima il file clienti che lo contiene."
UNKNOWN_SUPPLY = "Fornitura sconosciuta: importare prima il file forniture che la contiene."


class Cell(NamedTuple):
    """A column of a kind: where it is kept, and how it is read unless the field tells."""

    name: str
    field: pw.Field | None = None  # None: the kind itself decides what becomes of it
    parse: object = None
    required: bool = False
    doubt: object = None
    lines: bool = False  # whether line breaks belong to the text

    def column(self):
        parse = self.parse or parser_for(self.field)
        return table.Column(self.name, parse, self.required, self.doubt, self.lines)


class Cells(table.Series):
    """Columns that differ by a number and are one value to the kind, which keeps it itself."""

    field = None

    def column(self):
        return self


def parser_for(field):
    """How the text of a cell becomes a value that `field` can hold."""
    if isinstance(field, pw.CharField):
        return table.text(field.max_length)
    if isinstance(field, DayField):
        return table.day
    if isinstance(field, pw.DecimalField):
        return table.decimal(field.max_digits, field.decimal_places)
    if isinstance(field, pw.BooleanField):
        return table.yes_no
    return table.whole()


class Unwritable(Exception):
    """What `examine` found right cannot be written any more; the text is for the clerk."""

    def __init__(self, entry, column, message):
        super().__init__(message)
        self.entry = entry
        self.column = column


class Entry:
    """One row on its way to the archive.

    `cells` by column as read, `values` by field as they will be stored, `stored` as they
    are now (None: the row is new), `more` whatever the kind keeps in other tables; `content`
    stands for all cells; `at` is the instant of the import.
    """

    def __init__(self, number, cells, at):
        self.number = number
        self.cells = cells
        self.at = at
        self.values = {}
        self.stored = None
        self.more = {}
        self.content = hashlib.sha256(repr(cells).encode()).digest()
        self.bad = False

    def merged(self, field):
        """What the row will hold in `field` once it is written."""
        if field.name in self.values:
            return self.values[field.name]
        return self.stored[field.name] if self.stored else field.default


class Kind:
    """A kind of CSV file. Subclasses say what is particular to theirs."""

    name = ""
    model = None
    cells = ()
    key = ()  # fields
    needs = ()  # fields that the rules look at even when the file does not have them

    def check_columns(self, names, report):
        """Rules about which columns the file has."""

    def prepare(self, entries, report):
        """Fill in `values` that are not simply a cell: other rows' ids, computed ones."""

    def examine(self, entries, report, documents):
        """Rules about rows as they will be, once `stored` is known."""

    def ends(self, entry):
        """Whether the row takes an active row out of service."""
        return False

    def active(self):
        """How many rows are in service, where ending too many at once is held; else None."""
        return None

    def place(self, entries, documents):
        """Put on disk what these rows need, before the transaction."""

    def needs_more(self, entries):
        """Whether `write` has to know something that only its transaction tells."""
        return type(self).write is not Kind.write

    def write(self, entries, documents):
        """Store added and changed rows, inside the transaction."""
        statements.run(self.statements(entries))

    def statements(self, entries):
        """What stores added and changed rows: Statements, in order."""
        for added in (True, False):
            batch = [entry for entry in entries if (entry.stored is None) == added]
            if batch:
                yield (inserted if added else updated)(self.model, batch)

    # -- shared with the subclasses -----------------------------------------------------------

    def refuse(self, entry, report, column, message):
        entry.bad = True
        report.error(entry.number, column, entry.cells.get(column), message)

    def skip(self, entry, report, column, message):
        """Leave the row alone: the file is taken without it."""
        entry.bad = True
        report.warn(entry.number, column, entry.cells.get(column), message)

    def ids(self, model, codes, *columns):
        """{code: id}, or {code: row of `columns`}, of the rows of `model` that exist."""
        found = {}
        for some in batched(sorted(codes)):
            query = model.select(model.code, *(columns or (model.id,)))
            for code, *rest in unconverted(query.where(any_of(model.code, some))):
                found[code] = rest if columns else rest[0]
        return found

    def link(self, entries, report, column, field, model, message):
        """Fill in `field` with the id of the row of `model` that `column` names."""
        codes = {entry.cells[column] for entry in entries}
        ids = self.ids(model, codes)
        for entry in entries:
            code = entry.cells[column]
            if code in ids:
                entry.values[field.name] = ids[code]
            else:
                self.refuse(entry, report, column, message)


def among(field, values):
    """The condition that `field` is one of `values`, or null where None is among them."""
    known = any_of(field, {value for value in values if value is not None})
    return known | field.is_null() if None in values else known


def batched(items, size=CHUNK):
    items = iter(items)
    while some := list(itertools.islice(items, size)):
        yield some


def inserted(model, entries):
    """One Statement for all entries; fields that they lack get their default."""
    names = {name for entry in entries for name in entry.values}
    fields = [
        field
        for field in model._meta.sorted_fields
        if field.name in names or (field.default is not None and not field.primary_key)
    ]
    query = model.insert({field: Param(field.name) for field in fields})
    defaults = {field.name: field.default for field in fields}
    return statements.of(model, query, [{**defaults, **entry.values} for entry in entries])


def updated(model, entries):
    names = {name for entry in entries for name in entry.values}
    query = model.update({getattr(model, name): Param(name) for name in sorted(names)})
    query = query.where(model.id == Param("id"))
    return statements.of(model, query, [{**entry.stored, **entry.values} for entry in entries])


def unconverted(query):
    """The rows of a query for numbers and texts, which are what the driver gives."""
    return db.execute_sql(*query.sql()).fetchall()


class Spool:
    """Entries that wait on disk to be written, and the keys seen in the file so far."""

    def __init__(self):
        self._file = sqlite3.connect("", isolation_level=None)  # temporary, deleted on close
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("BEGIN")  # never ended: one transaction costs less than one a row
        self._file.execute(
            "CREATE TABLE seen (key TEXT PRIMARY KEY, number INTEGER, content BLOB) WITHOUT ROWID"
        )
        self._file.execute(
            "CREATE TABLE waiting (id INTEGER PRIMARY KEY, ready INTEGER, content BLOB)"
        )

    def repeated(self, entries, key):
        """{number: (number of the earlier row with the same key, whether it says the same)}."""
        rows = [(repr(key(entry.values)), entry.number, entry.content) for entry in entries]
        added = self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", rows)
        if added.rowcount == len(rows):
            return {}
        query = "SELECT number, content = ? FROM seen WHERE key = ? AND number <> ?"
        found = (
            (number, self._file.execute(query, (content, key, number)).fetchone())
            for key, number, content in rows
        )
        return {number: earlier for number, earlier in found if earlier}

    def add(self, entries):
        """Keep `entries`; once examined, nobody needs their cells."""
        for entry in entries:
            entry.cells, entry.content = {}, b""
        self._add(0, entries)

    def add_ready(self, statements):
        """Keep Statements that only have to be run."""
        self._add(1, statements)

    def _add(self, ready, items):
        content = pickle.dumps(items, pickle.HIGHEST_PROTOCOL)
        self._file.execute("INSERT INTO waiting (ready, content) VALUES (?, ?)", (ready, content))

    def __iter__(self):
        """(whether ready, Statements or entries) as they were added."""
        for ready, content in self._file.execute("SELECT ready, content FROM waiting ORDER BY id"):
            yield ready, pickle.loads(content)  # noqa: S301 (our own bytes, in a private file)

    def close(self):
        self._file.close()


class Upsert:
    """One CSV file: `examine` it, look at the report, then `place` and `write`."""

    def __init__(self, kind, report, documents, *, now):
        self.kind = kind
        self.report = report
        self.documents = documents
        self.documents.forget_owners()
        self.now = now
        self.ended = 0
        self._spool = Spool()

    def close(self):
        self._spool.close()

    def examine(self, stream, progress=iter):
        """Read the whole file (binary stream); fill the report; write nothing."""
        report = self.report
        try:
            rows = table.Table(stream, [cell.column() for cell in self.kind.cells])
        except table.Unreadable as problem:
            report.error(1, problem.column, "", problem)
            return
        if rows.encoding != "utf-8":
            report.tell("Il file non è in UTF-8: è stato letto come Windows-1252.")
        if rows.unknown:
            report.tell(f"Colonne sconosciute, ignorate: {', '.join(rows.unknown)}.")
        self.kind.check_columns(rows.names, report)
        if report.errors:
            return
        for some in batched(progress(rows)):
            self._examine(some)
        report.in_order()

    def _examine(self, rows):
        entries = []
        for row in rows:
            self.report.rows += 1
            for doubt in row.doubts:
                self.report.warn(row.number, *doubt)
            for problem in row.problems:
                self.report.error(row.number, *problem)
            if not row.problems:
                entries.append(self._entry(row))
        self.kind.prepare(entries, self.report)
        entries = self._without_repeated([entry for entry in entries if not entry.bad])
        self._load_stored(entries)
        self.kind.examine(entries, self.report, self.documents)
        waiting = [entry for entry in entries if not entry.bad and self._changes(entry)]
        if not waiting:
            return
        if self.kind.needs_more(waiting):
            self._spool.add(waiting)
        else:
            self._spool.add_ready(list(self.kind.statements(waiting)))

    def _entry(self, row):
        entry = Entry(row.number, row.values, self.now)
        for cell in self.kind.cells:
            if cell.field is not None and cell.name in row.values:
                value = row.values[cell.name]
                if value is None and not cell.field.null:
                    value = cell.field.default
                entry.values[cell.field.name] = value
        return entry

    def _key(self, values):
        return tuple(values[field.name] for field in self.kind.key)

    def _without_repeated(self, entries):
        repeated = self._spool.repeated(entries, self._key)
        column = self.kind.cells[0].name
        for entry in entries:
            first, same = repeated.get(entry.number, (None, False))
            if same:
                self.report.warn(
                    entry.number, column, entry.cells[column],
                    f"La riga è uguale alla {first}: è presa una volta sola.",
                )  # fmt: skip
            elif first:
                self.kind.refuse(
                    entry, self.report, column,
                    f"La riga ha la stessa chiave della {first}: lasciarne una sola.",
                )  # fmt: skip
        return [entry for entry in entries if entry.number not in repeated]

    def _load_stored(self, entries):
        if not entries:
            return
        model = self.kind.model
        names = {name for entry in entries for name in entry.values}
        names.update(field.name for field in (*self.kind.key, *self.kind.needs))
        query = model.select(model.id, *(getattr(model, name) for name in sorted(names)))
        for field in self.kind.key:
            query = query.where(among(field, {entry.values[field.name] for entry in entries}))
        stored = {self._key(row): row for row in query.dicts()}
        for entry in entries:
            entry.stored = stored.get(self._key(entry.values))

    def _changes(self, entry):
        """Count the entry; whether there is something to write."""
        if entry.stored is None:
            self.report.added += 1
            return True
        self.ended += self.kind.ends(entry)
        if entry.more or any(entry.stored[name] != value for name, value in entry.values.items()):
            self.report.changed += 1
            return True
        self.report.unchanged += 1
        return False

    def place(self):
        """Put documents in place, before the transaction: they may take long."""
        for ready, entries in self._spool:
            if not ready:
                self.kind.place(entries, self.documents)

    def write(self):
        """Write what `examine` found; inside a transaction."""
        try:
            for ready, items in self._spool:
                if ready:
                    statements.run(items)
                else:
                    self.kind.write(items, self.documents)
            search.catch_up()
        except Unwritable as problem:
            self.report.error(problem.entry.number, problem.column, "", problem)
            raise Rejected(self.report) from None
