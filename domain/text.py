"""Text made fit for where it is written."""


def one_line(text):
    """`text` on one line, without what steers a printer, a mail or the order of letters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
