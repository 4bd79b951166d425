"""What became of an imported file, for a clerk: as a text to keep, and as lines on screen."""

from domain import italian

STATES = {
    "applied": "importato",
    "rejected": "scartato",
    "held": "sospeso",
    "repeated": "già importato",
    "left": "lasciato in inbox",
}
HEADINGS = (
    "file", "esito", "righe", "nuove", "cambiate", "uguali", "avvisi", "errori", "byte", "secondi",
    "righe/s", "byte/s",
)  # fmt: skip
LONGEST_NAME = 40  # in the table


def write(name, state, day, size, report):
    """The bytes of the text: UTF-8 with BOM and CRLF, as old Windows programs expect.

    `report` is what is stored of the file (see domain.imports.report); `size` in bytes. The
    same outcome on the same day gives the same bytes.
    """
    lines = [
        f"File:         {name}",
        f"Esito:        {STATES[state]} il {italian.day(day)}",
        f"Dimensione:   {italian.whole(size)} byte",
        f"Righe lette:  {italian.whole(report['rows'])}",
        f"              nuove {italian.whole(report['added'])}, cambiate "
        f"{italian.whole(report['changed'])}, uguali {italian.whole(report['unchanged'])}",
        f"Avvisi:       {italian.whole(report['warning_count'])}",
        f"Errori:       {italian.whole(report['error_count'])}",
        *_section("Note", report["notes"]),
        *_section("POD sconosciuti", report.get("unknown")),
        *_problems("Avvisi", report["warning_count"], report["warnings"]),
        *_problems("Errori", report["error_count"], report["errors"]),
    ]
    return "".join(f"{_on_one_line(line)}\r\n" for line in lines).encode("utf-8-sig")


def _section(title, lines):
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _problems(title, count, problems):
    if count > len(problems):
        title += f", i primi {italian.whole(len(problems))} di {italian.whole(count)}"
    return _section(title, map(sentence, problems)) if problems else []


def _on_one_line(text):
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def sentence(problem):
    """`riga 3, cap «x»: …` of a problem as a report keeps it: row or None, column, value, why."""
    row, column, value, message = problem
    place = ", ".join(part for part in (row and f"riga {row}", column) if part)
    shown = f" «{value}»" if value else ""
    return f"{place}{shown}: {message}" if place else f"{message}{shown}"


def table(rows):
    """The lines of a table of `cells`."""
    rows = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in rows
    ]


def cells(state, report):
    """The row of a file in the table, with what was read of it in a second."""
    counts = (
        report.rows, report.added, report.changed, report.unchanged, report.warning_count,
        report.error_count, report.size,
    )  # fmt: skip
    return (
        _short(report.name),
        STATES[state],
        *map(italian.whole, counts),
        f"{report.seconds:.2f}".replace(".", ","),
        *(italian.whole(round(each / max(report.seconds, 0.001)))
          for each in (report.rows, report.size)),
    )  # fmt: skip


def _short(name):
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
