"""CSV as billing systems and spreadsheets write it, read row by row.

Separator `;`, quotes `"`, LF or CRLF, a header whose columns come in any order and case;
UTF-8 with or without BOM, else Windows-1252. See docs/formati.md for the contract.
"""

import codecs
import csv
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

LONGEST_LINE = 1_000_000  # bytes; longer ones are no table
LONGEST_CELL = 100_000
REMEMBERED = 10_000  # texts of each column, none longer than SHORT: most come again and again
SHORT = 60
BLANK = " \t\r\n\x1a"  # Ctrl-Z closes the files of DOS programs
EMPTY_CELL = "La cella è vuota: va compilata."

csv.field_size_limit(LONGEST_CELL)


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says what to do, `column` where."""

    def __init__(self, message, column=None):
        super().__init__(message)
        self.column = column


class Column(NamedTuple):
    """A column that a kind of file may have.

    `parse` turns the text of a cell (never empty) into a value, or raises ValueError with
    the Italian sentence. `doubt` gives the sentence for a value that is taken but odd.
    """

    name: str
    parse: Callable
    required: bool = False  # in the file, and filled in each row
    doubt: Callable | None = None
    lines: bool = False  # line breaks are kept, rather than blanks in their place


class Series(NamedTuple):
    """Columns `q1`, `q2`… of one `name`, at least `least` and at most `most`, read as one value.

    That value is the list of what `parse` makes of each cell, up to the last one that is not
    empty; none before it may be.
    """

    name: str
    parse: Callable
    least: int
    most: int

    @property
    def names(self):
        return [f"{self.name}{number}" for number in range(1, self.most + 1)]


class Row(NamedTuple):
    """A row as read: `number` as a spreadsheet shows it, `values` by column (None if empty).

    `problems` and `doubts` are (column or None, text of the cell, sentence).
    """

    number: int
    values: dict
    problems: list
    doubts: list


class Table:
    """The rows of a CSV file; `stream` is binary and can be read twice (it is rewound).

    After opening: `encoding` (`utf-8` or `cp1252`), `names` of the known columns present,
    and `unknown` ones. Raises Unreadable. Memory does not grow with the file.
    """

    def __init__(self, stream, columns):
        self.encoding = guess_encoding(stream)
        self._lines = _Lines(stream, self.encoding)
        self._reader = csv.reader(self._lines, delimiter=";", strict=True)
        header = self._header()
        series = [column for column in columns if isinstance(column, Series)]
        columns = [column for column in columns if not isinstance(column, Series)]
        known = {column.name for column in columns}.union(*(each.names for each in series))
        self.names = [name for name in header if name in known]
        self.unknown = [name for name in header if name and name not in known]
        self._refuse_bad_header(header, columns, series)
        self._width = len(header)
        places = {name: place for place, name in enumerate(header)}
        present = [each for each in columns if each.name in places]
        self._columns = [(places[each.name], each.name, reader(each)) for each in present]
        self._series = [
            ([places[name] for name in each.names if name in places], each) for each in series
        ]

    def _header(self):
        try:
            header = next(self._reader, None)
        except csv.Error:
            raise Unreadable(
                "La prima riga non è un'intestazione leggibile: deve contenere i nomi delle "
                "colonne separati da «;»."
            ) from None
        if header is None:
            raise Unreadable("Il file è vuoto: serve almeno la riga con i nomi delle colonne.")
        return [name.strip().lower() for name in header]

    def _refuse_bad_header(self, header, columns, series):
        if len(header) == 1 and re.search(r"[,\t]", header[0]):
            raise Unreadable("Le colonne vanno separate da «;» (punto e virgola).")
        for name in self.names:
            if self.names.count(name) > 1:
                raise Unreadable("La colonna compare due volte: lasciarne una sola.", name)
        required = [column.name for column in columns if column.required]
        for each in series:
            last = max((n for n, name in enumerate(each.names, 1) if name in self.names), default=0)
            required += each.names[: max(last, each.least)]
        for name in required:
            if name not in self.names:
                raise Unreadable(f"Manca la colonna obbligatoria «{name}»: aggiungerla.", name)

    def __iter__(self):
        number = 1
        while True:
            number += 1
            self._lines.begin()
            try:
                cells = next(self._reader, None)
            except csv.Error:
                yield self._broken(number)
                if self._lines.count > 1:  # a quote swallowed what follows: no row is sure
                    return
                continue
            if cells is None:
                return
            if any(cell.strip(BLANK) for cell in cells):
                yield self._row(number, cells)

    def _broken(self, number):
        if self._lines.too_long:
            message = f"La riga è troppo lunga (più di {LONGEST_LINE} byte): controllare il file."
        else:
            message = (
                "Virgolette non chiuse, o una cella troppo lunga: dentro una cella tra "
                'virgolette ogni " va scritto due volte. Il file è letto fin qui.'
                if self._lines.count > 1
                else "Virgolette fuori posto, o una cella troppo lunga: dentro una cella tra "
                'virgolette ogni " va scritto due volte.'
            )
        return Row(number, {}, [(None, "", message)], [])

    def _row(self, number, cells):
        row = Row(number, {}, [], [])
        while len(cells) > self._width and not cells[-1].strip():
            cells.pop()
        if len(cells) != self._width:
            row.problems.append((
                None,
                ";".join(cells),
                f"La riga ha {len(cells)} celle e l'intestazione {self._width}: una cella "
                "che contiene «;» va messa tra virgolette.",
            ))  # fmt: skip
            return row
        for place, name, read in self._columns:
            text = cells[place].strip()
            row.values[name], problem, doubt = read(text)
            if problem:
                row.problems.append((name, text, problem))
            if doubt:
                row.doubts.append((name, text, doubt))
        for places, series in self._series:
            self._read_series(row, series, [cells[place].strip() for place in places])
        return row

    @staticmethod
    def _read_series(row, series, texts):
        while texts and not texts[-1]:
            texts.pop()
        values = row.values[series.name] = []
        for number, text in enumerate(texts, 1):
            try:
                values.append(series.parse(text))
            except ValueError as problem:
                sentence = str(problem) if text else EMPTY_CELL
                row.problems.append((f"{series.name}{number}", text, sentence))


def reader(column):
    """What makes (value, problem or None, doubt or None) of the text of a cell."""

    def read(text):
        if not text:
            return None, EMPTY_CELL if column.required else None, None
        try:
            if not text.isprintable() or "\ufffd" in text:
                text = printable_lines(text) if column.lines else printable(text)
            value = column.parse(text)
        except ValueError as problem:
            return None, str(problem), None
        return value, None, column.doubt(value) if column.doubt else None

    remembered = lru_cache(REMEMBERED)(read)
    return lambda text: remembered(text) if len(text) <= SHORT else read(text)


class _Lines:
    """Lines of a binary stream as text, none longer than LONGEST_LINE in memory."""

    def __init__(self, stream, encoding):
        self._stream = stream
        self._encoding = encoding
        stream.seek(0)
        if stream.read(3) != codecs.BOM_UTF8:
            stream.seek(0)
        self.begin()

    def begin(self):
        """A new row begins: count its lines from here."""
        self.count = 0
        self.too_long = False

    def __iter__(self):
        return self

    def __next__(self):
        line = self._stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.count += 1
        if self._goes_on(line):
            self.too_long = True
            while self._goes_on(self._stream.readline(LONGEST_LINE)):
                pass
            raise csv.Error("line too long")
        return line.decode(self._encoding, "replace")

    @staticmethod
    def _goes_on(line):
        return len(line) == LONGEST_LINE and not line.endswith(b"\n")


def guess_encoding(stream):
    """`utf-8` if all bytes of `stream` are, else `cp1252`."""
    stream.seek(0)
    start = stream.read(2)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise Unreadable("Il file è in UTF-16: salvarlo come «CSV UTF-8».")
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


# -- what a cell may hold ------------------------------------------------------------------


def printable(text):
    """`text` on one line; ValueError where it holds characters that nobody can read."""
    text = "".join(" " if letter.isspace() else letter for letter in text.replace("\r\n", "\n"))
    if not text.isprintable() or "\ufffd" in text:
        raise ValueError(
            "La cella contiene caratteri non leggibili: riscriverla e salvare il file in UTF-8."
        )
    return text


def printable_lines(text):
    """As `printable`, for a text whose line breaks are kept."""
    return "\n".join(printable(line).rstrip() for line in text.splitlines())


def text(longest):
    """Any text of at most `longest` characters."""

    def parse(cell):
        if len(cell) > longest:
            raise ValueError(f"Il testo supera {longest} caratteri: accorciarlo.")
        return cell

    return parse


# Databases and spreadsheets write midnight after a day, and seconds after an hour.
MIDNIGHT = r"(?:[ T]0?0[:.]00(?:[:.]00(?:\.0+)?)?)?"
ITALIAN_DAY = re.compile(rf"(\d\d?)/(\d\d?)/(\d{{4}}){MIDNIGHT}", re.ASCII)
ISO_DAY = re.compile(rf"(\d{{4}}-\d\d-\d\d){MIDNIGHT}", re.ASCII)
HOUR = re.compile(r"(\d\d?)[:.]([0-5]\d)(?:[:.]00)?", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1900, 2199


def any_day(cell):
    """`gg/mm/aaaa` or `aaaa-mm-gg` -> date."""
    try:
        if found := ITALIAN_DAY.fullmatch(cell):
            return dt.date(int(found[3]), int(found[2]), int(found[1]))
        if found := ISO_DAY.fullmatch(cell):
            return dt.date.fromisoformat(found[1])
    except ValueError:
        pass
    raise ValueError("Scrivere una data come 31/12/2026 o 2026-12-31.")


def day(cell):
    """A date from 1900 to 2199."""
    value = any_day(cell)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"L'anno della data deve stare tra {FIRST_YEAR} e {LAST_YEAR}.")
    return value


def last_day(cell):
    """A date, or None for one such as 31/12/9999, which stands for «never»."""
    return None if any_day(cell).year > LAST_YEAR else day(cell)


def time(cell):
    """`hh:mm` -> time."""
    found = HOUR.fullmatch(cell)
    if not found or int(found[1]) > 23:
        raise ValueError("Scrivere un'ora da 00:00 a 23:59.")
    return dt.time(int(found[1]), int(found[2]))


def closing_time(cell):
    """`hh:mm` -> time; `24:00` is the last minute of the day."""
    found = HOUR.fullmatch(cell)
    return dt.time(23, 59) if found and found.groups() == ("24", "00") else time(cell)


def decimal(digits, places):
    """A decimal with comma or point, no thousands mark, as a column (digits, places) keeps."""
    limit = Decimal(10) ** (digits - places)

    def parse(cell):
        if not re.fullmatch(r"[+-]?(\d{1,20}([.,]\d{1,20})?|[.,]\d{1,20})", cell, re.ASCII):
            raise ValueError(
                "Scrivere un numero senza punti per le migliaia, ad esempio 1234,56 oppure 1234.56."
            )
        value = Decimal(cell.replace(",", "."))
        if abs(value) >= limit:
            raise ValueError("Il numero è troppo grande: controllarlo.")
        if value != (kept := value.quantize(Decimal(1).scaleb(-places))):
            raise ValueError(f"Il numero ha più di {places} decimali: arrotondarlo.")
        return kept

    return parse


_euros = decimal(12, 2)


def cents(cell):
    """An amount in euros -> whole cents, exactly; `1.000` is refused, as in `whole`."""
    refuse_thousands(cell)
    return int(_euros(cell) * 100)


def small_cents(cell):
    """As `cents`, not above what a 32-bit column keeps: 20 million euros."""
    value = cents(cell)
    if abs(value) > 2_000_000_000:
        raise ValueError("L'importo è troppo grande: controllarlo.")
    return value


WHOLE = re.compile(r"(\d{1,12})([.,]0{1,12})?", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}\.\d{3}", re.ASCII)


def whole(lowest=0, highest=999_999_999):
    """A whole number. `45.000` is refused: it might be 45 or 45 thousand."""

    def parse(cell):
        found = WHOLE.fullmatch(cell)
        if not found:
            raise ValueError(
                "Scrivere un numero intero, senza decimali e senza punti per le migliaia."
            )
        refuse_thousands(cell)
        value = int(found[1])
        if not lowest <= value <= highest:
            raise ValueError(f"Il numero deve stare tra {lowest} e {highest}.")
        return value

    return parse


def refuse_thousands(cell):
    if THOUSANDS.fullmatch(cell):
        raise ValueError(
            "Non si capisce se il punto divide le migliaia o i decimali: scrivere il numero senza "
            "punti, con la virgola per i decimali."
        )


_whole = whole()


def units(cell):
    """What a meter shows or counts, without its decimals: `44012,5` -> 44012."""
    if re.fullmatch(r"\d{1,12}[.,]\d{1,12}", cell, re.ASCII):
        refuse_thousands(cell)
        cell = re.split("[.,]", cell)[0]
    return _whole(cell)


def yes_no(cell):
    """`S` / `N` -> bool."""
    try:
        return {"s": True, "n": False}[cell.lower()]
    except KeyError:
        raise ValueError("Scrivere S oppure N.") from None


def choice(values):
    """One of the words in `values` ({word: value}), in any case; a blank is as good as `_`."""
    folded = {word.lower(): value for word, value in values.items()}

    def parse(cell):
        try:
            return folded["_".join(cell.lower().split())]
        except KeyError:
            raise ValueError(f"Scrivere uno di questi valori: {', '.join(values)}.") from None

    return parse
