"""SEPA credit transfer in a QR code: EPC069-12, "Guidelines to enable data capture".

Pure: text in, text or drawing out. Version 002, UTF-8, without BIC (SEPA area).
"""

import re
import unicodedata
from typing import NamedTuple

NAME_LENGTH = 70
REMITTANCE_LENGTH = 140
LARGEST_CENTS = 99_999_999_999  # 999999999.99 euros
QUIET_ZONE = 4  # modules around the code, as ISO/IEC 18004 wants


class Drawing(NamedTuple):
    """A QR code as one SVG path: rows of dark modules, `side` modules wide and high."""

    side: int
    path: str


def plain(text, length):
    """`text` in the characters that every SEPA bank takes (EPC217-08), at most `length`."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^A-Za-z0-9/?:().,'+-]", " ", letters).split())[:length].strip()


def payload(name, iban, cents, remittance):
    """The lines of the code for a transfer of `cents` to `iban`, or ValueError."""
    if not 1 <= cents <= LARGEST_CENTS:
        raise ValueError("the amount does not fit a credit transfer")
    iban = re.sub(r"\s", "", iban).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", iban):
        raise ValueError("not an IBAN")
    name = plain(name, NAME_LENGTH)
    if not name:
        raise ValueError("no beneficiary")
    return "\n".join(
        (
            "BCD",
            "002",
            "1",  # UTF-8
            "SCT",
            "",  # BIC
            name,
            iban,
            f"EUR{cents // 100}.{cents % 100:02d}",
            "",  # purpose
            "",  # structured reference
            plain(remittance, REMITTANCE_LENGTH),
        )
    )


def drawing(text):
    """The QR code of a payload, with its quiet zone; level M as the guidelines ask."""
    import segno  # only here: 8 MB that most pages do without
    from segno.utils import matrix_to_lines

    code = segno.make_qr(text.encode(), error="m", boost_error=False)
    lines = matrix_to_lines(code.matrix, QUIET_ZONE, QUIET_ZONE + 0.5)
    path = "".join(f"M{x1} {y:g}h{x2 - x1}" for (x1, y), (x2, _y) in lines)
    return Drawing(code.symbol_size(border=QUIET_ZONE)[0], path)
