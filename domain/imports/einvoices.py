"""E-invoices of the inbox: `.xml`, `.xml.p7m`, and `.zip` of them, to Invoice rows.

As with tables a file is examined first, which may take long and only reads the archive;
writing what it changes is short, because other writers wait for it.
"""

import re
from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from domain import files
from domain.errors import Refused
from domain.formats import fatturapa
from domain.imports import checks
from domain.imports.documents import Found, is_pdf
from domain.imports.upsert import batched
from models import Customer, Instalment, Invoice, InvoiceSupply, SupplyPoint

# TipoDato without punctuation; the official schema cuts it at ten characters.
CODE_NOTES = {"CODICECLIENTE", "CODICECLIE", "CODCLIENTE"}
POINT_NOTES = {"POD", "PDR"}

POD = re.compile(r"IT[0-9]{3}E[A-Z0-9]{8,9}")
POD_LENGTH = 14  # a fifteenth character, which some leave out, only checks the others


class Wrong(Refused):
    """An invoice that cannot be taken; `column` and `value` say what in it."""

    def __init__(self, message, column, value):
        super().__init__(message)
        self.column = column
        self.value = value


class Change(NamedTuple):
    """What becomes of one invoice; of what stays as it is there is nothing or None."""

    known: int | None  # id of the stored row
    values: dict  # columns of Invoice
    document: Found | None
    instalments: tuple | None  # (due date, cents)
    supplies: set | None  # ids


def examine(path, report, *, utility_vat, documents, progress=iter):
    """Read the e-invoices in the file at `path`; return what they change, for `write`.

    `report` is filled: one row per invoice, whatever is wrong as its errors. `utility_vat`
    is the VAT number that must have issued them; `documents` keeps the attached PDFs;
    `progress` wraps what is read.
    """
    changes, seen, skipped = [], {}, defaultdict(list)
    issuer = without_country(utility_vat)
    if not issuer:
        report.error(
            None,
            "CedentePrestatore",
            "",
            "Non si sa quale partita IVA deve avere chi emette le fatture: va indicata "
            "nell'impostazione PORTALE_UTILITY_VAT.",
        )
        return changes
    with files.open_plain(path) as stream:
        for item in progress(fatturapa.read(stream, path.name)):
            match item:
                case fatturapa.Skipped():
                    skipped[item.reason].append(item.entry)
                case fatturapa.Unreadable():
                    report.rows += 1
                    report.error(report.rows, item.element, item.value, located(item, path, item))
                case fatturapa.Invoice():
                    report.rows += 1
                    try:
                        changes += take(item, report, issuer, documents, seen)
                    except Wrong as wrong:
                        report.error(
                            report.rows, wrong.column, wrong.value, located(item, path, wrong)
                        )
    for reason, names in skipped.items():
        report.tell(f"File ignorati nello ZIP: {len(names)} (il primo è {names[0]}): {reason}.")
    return changes


def located(item, path, message):
    """`message` after the place in the file, where that is not plain."""
    parts = []
    if item.entry not in {"", path.name}:
        parts.append(f"file {item.entry}")
    if item.body > 1:
        parts.append(f"fattura n. {item.body} del file")
    return f"{', '.join(parts)}: {message}" if parts else str(message)


def take(invoice, report, issuer, documents, seen):
    """Check one invoice; return a list of what it changes, while nothing in the file is wrong."""
    check_issuer(invoice, issuer)
    if repeated(invoice, seen):
        report.warn(
            report.rows, "Numero", invoice.number, "Fattura ripetuta nel file: presa una volta."
        )
        return []
    candidates = holders(invoice)
    owned = supplies_of(candidates)
    customer = the_one(candidates, owned, invoice)
    supplies = named_supplies(invoice, owned[customer.id])
    pdf = next((each for each in invoice.attachments if is_pdf(each.content)), None)
    for column, value, doubt in doubts(invoice, customer, owned[customer.id], pdf):
        report.warn(report.rows, column, value, doubt)
    if report.error_count:
        return []
    document = documents.attach(file_name(invoice), pdf.content) if pdf else None
    change = compare(invoice, customer, supplies, document)
    if change.known is None:
        report.added += 1
    elif any(part not in (None, {}) for part in change[1:]):
        report.changed += 1
    else:
        report.unchanged += 1
        return []
    return [change]


def check_issuer(invoice, issuer):
    if without_country(invoice.issuer_vat) != issuer:
        raise Wrong(
            "La fattura non è emessa dall'utility: la partita IVA dell'emittente è "
            f"{invoice.issuer_vat or 'assente'}, quella configurata è {issuer}.",
            "CedentePrestatore",
            invoice.issuer_vat,
        )


def doubts(invoice, customer, supplies, pdf):
    """Yield (column, value, sentence) of what is odd, but no reason to refuse the invoice."""
    codes = noted(invoice, CODE_NOTES)
    if codes and customer.code not in codes:
        yield (
            "AltriDatiGestionali",
            ", ".join(sorted(codes)),
            f"Il destinatario della fattura è il cliente {customer.code}: controllare il codice "
            "cliente che vi è scritto.",
        )
    known = {word for supply in supplies for word in keys(supply)}
    for point in sorted(noted(invoice, POINT_NOTES) - known):
        yield (
            "AltriDatiGestionali",
            point,
            f"Nessuna fornitura del cliente {customer.code} ha questo POD o PDR.",
        )
    if invoice.iban and (doubt := checks.odd_iban(invoice.iban)):
        yield "IBAN", invoice.iban, doubt
    if invoice.attachments and not pdf:
        yield (
            "Allegati",
            invoice.attachments[0].name,
            "Nessun allegato è un PDF: la fattura resta senza documento.",
        )


def repeated(invoice, seen):
    """Whether the file held this very invoice before, as XML and as P7M perhaps."""
    key = (invoice.number, invoice.date.year)
    bare = replace(invoice, entry="", body=0, attachments=())
    if seen.setdefault(key, bare) == bare:
        return seen[key] is not bare
    raise Wrong(
        "Nel file ci sono due fatture diverse con lo stesso numero e lo stesso anno.",
        "Numero",
        invoice.number,
    )


# -- Whose it is -----------------------------------------------------------------------------


def compact(text):
    return "".join(text.split()).upper()


def without_country(vat):
    """An Italian VAT number, of which the prefix IT is optional, as its digits."""
    return compact(vat or "").removeprefix("IT")


def holders(invoice):
    """The customers with the VAT number of `invoice`, else with its tax code; at least one.

    Of those that share a VAT number (a VAT group) the ones with another tax code are left
    out. A firm's tax code is often its VAT number, so either is looked for in both columns.
    """
    vat, tax = without_country(invoice.customer_vat), compact(invoice.customer_tax_code)
    vats = {vat, f"{invoice.customer_country.upper()}{vat}"} if vat else set()
    codes = vats | ({tax} if tax else set())
    either = Customer.vat_number.in_(codes) | Customer.tax_code.in_(codes)
    found = list(Customer.select().where(either).order_by(Customer.id))
    by_vat = [customer for customer in found if customer.vat_number in vats]
    by_tax = [customer for customer in found if tax and customer.tax_code == tax]
    same_tax = [c for c in by_vat if not tax or c.tax_code in {None, "", tax}]
    if not found:
        raise unknown(vat, tax)
    return same_tax or by_vat or by_tax or found


def unknown(vat, tax):
    """Nobody has these numbers."""
    looked_for = []
    if vat:
        looked_for.append(f"la partita IVA {vat}")
    if tax:
        looked_for.append(f"il codice fiscale {tax}")
    if not looked_for:
        message = "La fattura non dice né la partita IVA né il codice fiscale del destinatario."
    else:
        message = (
            f"Nessun cliente ha {' o '.join(looked_for)}: importare prima il file clienti che lo "
            "contiene."
        )
    return Wrong(message, "CessionarioCommittente", vat or tax)


def supplies_of(customers):
    """{customer id: its supplies}"""
    owned = defaultdict(list)
    columns = (SupplyPoint.id, SupplyPoint.customer, SupplyPoint.code, SupplyPoint.pod,
               SupplyPoint.pdr)  # fmt: skip
    ids = [customer.id for customer in customers]
    for supply in SupplyPoint.select(*columns).where(SupplyPoint.customer.in_(ids)):
        owned[supply.customer_id].append(supply)
    return owned


def the_one(candidates, owned, invoice):
    """The customer among `candidates` that `invoice` names, if they are several.

    A note of AltriDatiGestionali must fit; a Causale may hold anything, so it only helps.
    """
    codes, points = noted(invoice, CODE_NOTES), noted(invoice, POINT_NOTES)
    left = candidates
    for said, must_fit in ((codes, True), (points, True), (causale(invoice), False)):
        if len(left) > 1 and said:
            fitting = [each for each in left if names_of(each, owned) & said]
            left = fitting if fitting or must_fit else left
    if len(left) == 1:
        return left[0]
    shared = ", ".join(sorted(customer.code for customer in candidates)[:10])
    found = ", ".join(sorted(codes | points)[:10]) or "nessuno"
    raise Wrong(
        f"Più clienti hanno la partita IVA o il codice fiscale del destinatario ({shared}) e la "
        "fattura non dice quale: cercati CODICECLIENTE, POD e PDR in AltriDatiGestionali "
        f"(trovati: {found}) e nella Causale.",
        "CessionarioCommittente",
        invoice.customer_vat or invoice.customer_tax_code,
    )


def names_of(customer, owned):
    """What an invoice may call this customer: its code, or any of its supplies."""
    return words(customer.code).union(*(keys(supply) for supply in owned[customer.id]))


def noted(invoice, names):
    """The words under AltriDatiGestionali of these types."""
    return {
        word
        for name, text in invoice.notes
        if re.sub(r"[^A-Z]", "", name.upper()) in names
        for word in words(compact(text))
    }


def causale(invoice):
    return {word for text in invoice.causale for word in words(text)}


def words(text):
    """The words of `text` in capitals, PODs without their check character."""
    return {
        word[:POD_LENGTH] if POD.fullmatch(word) else word
        for word in re.findall(r"[A-Z0-9]+", text.upper())
    }


def keys(supply):
    """What an invoice may call this supply."""
    return words(" ".join(filter(None, (supply.pod, supply.pdr, supply.code))))


def named_supplies(invoice, supplies):
    """Those of the customer's `supplies` that `invoice` names; none if it names none."""
    contracts = {word for text in invoice.contracts for word in words(text)}
    said = noted(invoice, POINT_NOTES) | causale(invoice) | contracts
    return [supply for supply in supplies if keys(supply) & said]


# -- Into the archive ------------------------------------------------------------------------


def compare(invoice, customer, supplies, document):
    """The Change from what is stored under the same number and year.

    What the e-invoice does not state (due dates, IBAN, supplies, PDF) stays as it was, and
    so does whether it is paid, which no e-invoice states. Only an invoice that turns out to
    be another customer's keeps nothing that could show one customer's data to the other.
    """
    values = stated(invoice) | {"customer": customer.id}
    instalments = invoice.instalments or None
    wanted = {supply.id for supply in supplies} or None
    if wanted:
        values |= supplies_of_row(wanted)
    known = Invoice.get_or_none(number=values["number"], year=values["year"])
    if known is None:
        return Change(None, values, document, instalments, wanted)
    if known.customer_id != customer.id:
        wanted = wanted or set()
        values |= supplies_of_row(wanted) | {"document": None}
    elif document and known.document_id and known.document.path == document.path:
        document = None
    return Change(
        known.id,
        {name: value for name, value in values.items() if known.__data__[name] != value},
        document,
        None if instalments == stored_instalments(known) else instalments,
        None if wanted == stored_supplies(known) else wanted,
    )


def supplies_of_row(wanted):
    """The columns of an invoice's row that follow from the supplies it names."""
    return {
        "names_supplies": bool(wanted),
        "supply": min(wanted) if len(wanted) == 1 else None,
    }


def stated(invoice):
    """What the e-invoice says about the columns of its row."""
    values = {
        "number": invoice.number,
        "year": invoice.date.year,
        "date": invoice.date,
        "kind": "credit_note" if invoice.is_credit_note else "invoice",
        "amount_cents": invoice.total_cents,
    }
    if invoice.instalments:
        values["due_on"] = invoice.instalments[0][0]
    if invoice.iban:
        values["iban"] = invoice.iban
    if invoice.payment_code:
        values["payment_code"] = invoice.payment_code
    return values


def file_name(invoice):
    """A plain name for the PDF, whatever the invoice's number holds."""
    number = re.sub(r"[^A-Za-z0-9]+", "-", invoice.number).strip("-")
    return f"fattura_{invoice.date.year}_{number or 'senza-numero'}.pdf"


def stored_instalments(row):
    query = Instalment.select(Instalment.due_on, Instalment.amount_cents)
    return tuple(sorted(query.where(Instalment.invoice == row.id).tuples()))


def stored_supplies(row):
    query = InvoiceSupply.select(InvoiceSupply.supply).where(InvoiceSupply.invoice == row.id)
    return {supply for (supply,) in query.tuples()}


def write(changes, documents):
    """Store what `examine` found, inside the caller's transaction."""
    for some in batched(changes):
        ids = documents.rows([change.document for change in some if change.document])
        for change in some:
            values = dict(change.values)
            if change.document:
                values["document"] = ids[change.document.path]
            store(change, values)


def store(change, values):
    if change.known is None:
        row = Invoice.create(**values).id
    else:
        row = change.known
        if values:
            Invoice.update(**values).where(Invoice.id == row).execute()
    if change.instalments is not None:
        replace_children(
            Instalment,
            row,
            [{"due_on": due, "amount_cents": amount} for due, amount in change.instalments],
        )
    if change.supplies is not None:
        replace_children(InvoiceSupply, row, [{"supply": each} for each in change.supplies])


def replace_children(table, invoice, rows):
    table.delete().where(table.invoice == invoice).execute()
    if rows:
        table.insert_many([{"invoice": invoice, **row} for row in rows]).execute()
