"""The demo's papers: one page of PDF 1.4, with the reader's own Helvetica."""

import textwrap

from domain import italian
from jobs.demo_world import people

WIDTH, HEIGHT = 595, 842  # A4, in points
LEFT, RIGHT = 56, 539
INK, PALE = "0.13 0.16 0.20", "0.36 0.41 0.47"
BAND, BOX = "0.04 0.36 0.55", "0.93 0.95 0.97"
VAT_RATE = 22
# Widths of Helvetica's characters that stand in amounts, in thousandths of the size.
AMOUNT_WIDTHS = {".": 278, ",": 278, "-": 333, "\N{NO-BREAK SPACE}": 278}


class Page:
    """Collects the drawing operators of one page."""

    def __init__(self):
        self.operators = []

    def box(self, x, y, width, height, colour):
        self.operators.append(f"{colour} rg {x} {y} {width} {height} re f")

    def line(self, y):
        self.operators.append(f"0.80 0.83 0.86 RG 0.6 w {LEFT} {y} m {RIGHT} {y} l S")

    def text(self, x, y, words, size=10, *, bold=False, colour=INK):
        shown = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        font = "F2" if bold else "F1"
        self.operators.append(f"BT {colour} rg /{font} {size} Tf {x:.2f} {y} Td ({shown}) Tj ET")

    def amount(self, y, words, size=10, *, bold=False):
        """An amount that ends at the right margin."""
        width = sum(AMOUNT_WIDTHS.get(letter, 556) for letter in words) * size / 1000
        self.text(RIGHT - 10 - width, y, words, size, bold=bold)

    def pdf(self, title):
        """The file's bytes; the same page gives the same bytes."""
        content = "\n".join(self.operators).encode("cp1252")
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (it-IT) >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents 4 0 R "
            "/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
            font.format("Helvetica").encode(),
            font.format("Helvetica-Bold").encode(),
            f"<< /Title ({title}) >>".encode("cp1252"),
        ]
        file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(objects, start=1):
            places.append(len(file))
            file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = len(file)
        file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        file += b"".join(b"%010d 00000 n \n" % place for place in places)
        file += b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\n" % (len(objects) + 1)
        return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)


def invoice(row):
    """The PDF of an `archive.Invoice`."""
    title = "Nota di credito" if row.is_credit else "Fattura"
    page = Page()
    head(page, row, title)
    below = lines(page, row)
    totals(page, row, below)
    foot(page)
    return page.pdf(f"{title} {row.number}")


def letter(title, day, body):
    """The PDF of a form, a notice or another text; a blank line parts its paragraphs."""
    page = Page()
    letterhead(page)
    page.text(LEFT, 700, title, 16, bold=True)
    page.text(LEFT, 680, f"del {italian.day(day)}", 10, colour=PALE)
    y = 640
    for paragraph in body.split("\n\n"):
        for line in textwrap.wrap(paragraph, 88):
            page.text(LEFT, y, line, 11)
            y -= 17
        y -= 12
    foot(page)
    return page.pdf(title)


def letterhead(page):
    page.box(0, 758, WIDTH, 84, BAND)
    page.text(LEFT, 800, people.UTILITY_NAME, 22, bold=True, colour="1 1 1")
    page.text(LEFT, 780, f"Partita IVA {people.UTILITY_VAT}", 9, colour="1 1 1")


def foot(page):
    page.line(70)
    page.text(LEFT, 54, f"{people.UTILITY_NAME} - {people.UTILITY_CONTACTS}", 8, colour=PALE)
    page.text(LEFT, 42, "Documento di prova, senza alcun valore fiscale.", 8, colour=PALE)


def head(page, row, title):
    person = row.customer
    letterhead(page)
    page.text(LEFT, 712, f"{title} n. {row.number}", 16, bold=True)
    page.text(LEFT, 694, f"del {italian.day(row.day)}", 11)
    page.text(LEFT, 678, f"Periodo: {row.period}", 11)
    page.text(LEFT, 662, f"Codice cliente: {person['code']}", 11)
    page.text(330, 712, "Intestatario", 9, colour=PALE)
    page.text(330, 697, person["name"], 11, bold=True)
    page.text(330, 682, f"{person['street']} {person['street_number']}", 11)
    page.text(330, 667, f"{person['postcode']} {person['city']} ({person['province']})", 11)
    page.text(330, 652, f"Partita IVA {person['vat_number']}", 11)


def lines(page, row):
    """One line for each supply; returns the height where the next thing may stand."""
    page.box(LEFT, 606, RIGHT - LEFT, 24, BOX)
    page.text(LEFT + 10, 614, "Punto di fornitura", 10, bold=True)
    page.text(220, 614, "Indirizzo", 10, bold=True)
    y = 588
    for supply in row.supplies:
        kind = "Pdr" if supply["servizio"] == "GAS" else "Pod"
        page.text(LEFT + 10, y, supply["codice_fornitura"], 10)
        page.text(LEFT + 10, y - 13, f"{kind} {supply['pod_pdr']}", 8, colour=PALE)
        page.text(220, y, f"{supply['via']} {supply['civico']}", 10)
        page.text(220, y - 13, f"{supply['cap']} {supply['comune']}", 8, colour=PALE)
        page.line(y - 22)
        y -= 40
    return y - 10


def totals(page, row, y):
    net = round(row.cents * 100 / (100 + VAT_RATE))
    for words, cents in (("Imponibile", net), (f"IVA {VAT_RATE}%", row.cents - net)):
        page.text(340, y, words, 10)
        page.amount(y, italian.money(cents))
        y -= 18
    page.box(330, y - 20, RIGHT - 330, 30, BOX)
    page.text(340, y - 10, "Totale", 13, bold=True)
    page.amount(y - 10, italian.money(row.cents), 13, bold=True)
    if not row.is_credit:
        page.text(LEFT, y + 6, f"Da pagare entro il {italian.day(row.due_on)}", 11, bold=True)
        page.text(LEFT, y - 10, f"Bonifico sull'IBAN {people.UTILITY_IBAN}", 10)
