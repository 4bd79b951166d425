"""From the tree of an e-invoice to its invoices: one for each FatturaElettronicaBody."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from domain.formats.fatturapa.attachments import Attachment, attachments
from domain.formats.fatturapa.errors import Unreadable

ROOTS = {"FatturaElettronica", "FatturaElettronicaSemplificata"}
CREDIT_NOTES = {"TD04", "TD08"}  # TD08: of the simplified invoice

DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
AMOUNT = re.compile(r"[+-]?[0-9]{1,13}(?:\.[0-9]{1,8})?")
DAYS = re.compile(r"[0-9]{1,3}")
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


@dataclass(frozen=True)
class Invoice:
    """One invoice. Amounts in euro cents, negative in a credit note.

    `instalments` is a sorted tuple of (due date, cents), empty when no date is stated;
    `notes` holds (TipoDato, RiferimentoTesto) of every AltriDatiGestionali, and `causale`
    and `contracts` the texts of Causale and the ids of DatiContratto. Texts that the file
    does not hold are empty. VAT numbers are without the country.
    """

    entry: str  # the file's name (inside its ZIP)
    body: int  # which FatturaElettronicaBody, from 1
    number: str
    date: dt.date
    type_code: str
    total_cents: int
    instalments: tuple
    iban: str
    payment_code: str
    issuer_vat: str
    customer_country: str
    customer_vat: str
    customer_tax_code: str
    notes: tuple
    causale: tuple
    contracts: tuple
    attachments: tuple[Attachment, ...]

    @property
    def is_credit_note(self):
        return self.type_code in CREDIT_NOTES


def invoices(root, entry):
    """Yield an Invoice, or an Unreadable, for each body under `root`."""
    bodies = root.findall("FatturaElettronicaBody")
    if root.tag not in ROOTS or not bodies:
        problem = Unreadable(
            "Il file XML non è una fattura elettronica: manca FatturaElettronicaBody "
            f"dentro FatturaElettronica (l'elemento principale è «{root.tag[:60]}»)."
        )
        problem.entry = entry
        yield problem
        return
    for number, body in enumerate(bodies, 1):
        try:
            yield read_body(root, body, entry, number)
        except Unreadable as problem:
            problem.entry, problem.body = entry, number
            yield problem


def read_body(root, body, entry, number):
    general = "DatiGenerali/DatiGeneraliDocumento/"
    issuer = first(
        root,
        "FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici",
        "FatturaElettronicaHeader/CedentePrestatore",
    )
    customer = first(
        root,
        "FatturaElettronicaHeader/CessionarioCommittente/DatiAnagrafici",
        "FatturaElettronicaHeader/CessionarioCommittente/IdentificativiFiscali",
    )
    type_code = text(body, general + "TipoDocumento", required=True).upper()
    sign = -1 if type_code in CREDIT_NOTES else 1
    currency = text(body, general + "Divisa")
    if currency not in {"", "EUR"}:
        raise Unreadable("La fattura non è in euro.", "Divisa", currency)
    date = day(body, general + "Data", required=True)
    return Invoice(
        entry=entry,
        body=number,
        number=text(body, general + "Numero", required=True, longest=40),
        date=date,
        type_code=type_code,
        total_cents=signed(total_cents(body), sign),
        instalments=tuple(
            sorted((due, signed(amount, sign)) for due, amount in instalments(body, date))
        ),
        iban=iban(body),
        payment_code=first_text(body, "DatiPagamento/DettaglioPagamento/CodicePagamento", 60),
        issuer_vat=text(issuer, "IdFiscaleIVA/IdCodice", longest=28),
        customer_country=text(customer, "IdFiscaleIVA/IdPaese", longest=2),
        customer_vat=text(customer, "IdFiscaleIVA/IdCodice", longest=28),
        customer_tax_code=text(customer, "CodiceFiscale", longest=28),
        notes=tuple(
            (text(note, "TipoDato"), text(note, "RiferimentoTesto"))
            for note in body.iter("AltriDatiGestionali")
        ),
        causale=texts(body, general + "Causale"),
        contracts=texts(body, "DatiGenerali/DatiContratto/IdDocumento"),
        attachments=tuple(attachments(body)),
    )


def signed(cents, sign):
    """A credit note is negative whether its file says so (some do) or leaves it understood."""
    return -abs(cents) if sign < 0 else cents


def total_cents(body):
    """ImportoTotaleDocumento, or what it would be.

    Else the taxable amounts and their tax, the rounding of the document, and the stamp
    duty. The stamp is not added when a line already charges it: then it is among the
    taxable amounts (nature N1). In a simplified invoice amounts include the tax (art.
    21-bis DPR 633/1972), so their sum is the total.
    """
    general = "DatiGenerali/DatiGeneraliDocumento"
    if text(body, f"{general}/ImportoTotaleDocumento"):
        return cents(body, f"{general}/ImportoTotaleDocumento")
    summaries = body.findall("DatiBeniServizi/DatiRiepilogo")
    if summaries:
        taxed = sum(cents(each, "ImponibileImporto") + cents(each, "Imposta") for each in summaries)
        rounding = cents(body, f"{general}/Arrotondamento", missing=0)
        stamp = cents(body, f"{general}/DatiBollo/ImportoBollo", missing=0)
        return taxed + rounding + (0 if charges_stamp(body, stamp) else stamp)
    simplified = [
        goods for goods in body.findall("DatiBeniServizi") if goods.find("Importo") is not None
    ]
    if simplified:
        return sum(cents(goods, "Importo") for goods in simplified)
    raise Unreadable(
        "Manca il totale: non c'è né ImportoTotaleDocumento né DatiRiepilogo.",
        "ImportoTotaleDocumento",
    )


def charges_stamp(body, stamp):
    """Whether a line of the invoice charges the stamp duty to the customer."""
    return any(
        "bollo" in text(line, "Descrizione").lower()
        and text(line, "PrezzoTotale")
        and amount(line, "PrezzoTotale") * 100 == stamp
        for line in body.findall("DatiBeniServizi/DettaglioLinee")
    )


def instalments(body, date):
    """Yield (due date, cents) of each payment that states a date or terms in days."""
    for payment in body.findall("DatiPagamento/DettaglioPagamento"):
        due = day(payment, "DataScadenzaPagamento") or due_by_terms(payment, date)
        if due:
            yield due, cents(payment, "ImportoPagamento")


def due_by_terms(payment, date):
    """Reference date (else that of the invoice) plus days, or None."""
    days = text(payment, "GiorniTerminiPagamento")
    if not days:
        return None
    reference = day(payment, "DataRiferimentoTerminiPagamento") or date
    if not DAYS.fullmatch(days):
        raise Unreadable(
            "I giorni dei termini di pagamento non sono un numero.", "GiorniTerminiPagamento", days
        )
    try:
        return reference + dt.timedelta(days=int(days))
    except OverflowError:
        raise Unreadable(
            "La scadenza non è una data possibile.", "GiorniTerminiPagamento", days
        ) from None


def iban(body):
    found = first_text(body, "DatiPagamento/DettaglioPagamento/IBAN", 60)
    value = found.replace(" ", "").upper()
    if value and not IBAN.fullmatch(value):
        raise Unreadable("L'IBAN non ha la forma prevista.", "IBAN", found)
    return value


def first(node, *paths):
    """The first element that is there, or `node` itself, which has none of what is looked for."""
    for path in paths:
        found = node.find(path)
        if found is not None:
            return found
    return node


def collapse(value):
    return " ".join((value or "").split())


def texts(node, path):
    return tuple(filter(None, (collapse(each.text) for each in node.findall(path))))


def text(node, path, *, required=False, longest=None):
    """The text at `path` without needless blanks; empty where the element is missing."""
    value = collapse(node.findtext(path))
    return checked(value, path.rpartition("/")[2], required, longest)


def first_text(node, path, longest):
    """The first text at `path` that is not empty."""
    return checked(next(iter(texts(node, path)), ""), path.rpartition("/")[2], False, longest)


def checked(value, element, required, longest):
    if required and not value:
        raise Unreadable(f"Manca {element}.", element)
    if longest and len(value) > longest:
        raise Unreadable(f"{element} è più lungo di {longest} caratteri.", element, value)
    return value


def day(node, path, *, required=False):
    """The date at `path` (xs:date, of which the time zone says nothing here), or None."""
    value = text(node, path, required=required)
    if not value:
        return None
    match = DAY.fullmatch(value)
    try:
        return dt.date.fromisoformat(match[1])
    except (TypeError, ValueError):  # no match; no such day
        element = path.rpartition("/")[2]
        raise Unreadable(f"{element} non è una data (aaaa-mm-gg).", element, value) from None


def amount(node, path):
    """The exact number at `path`."""
    value = text(node, path, required=True)
    if not AMOUNT.fullmatch(value):
        element = path.rpartition("/")[2]
        raise Unreadable(f"{element} non è un importo come 1234.56.", element, value)
    return Decimal(value)


def cents(node, path, missing=None):
    """The amount at `path` in cents; `missing` where there is none, if given."""
    if missing is not None and not text(node, path):
        return missing
    value = amount(node, path)
    whole = int(value * 100)
    if whole != value * 100:
        element = path.rpartition("/")[2]
        raise Unreadable(f"{element} ha più di due decimali.", element, str(value))
    return whole
