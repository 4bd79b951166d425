"""`documenti`: documents and notices, of one customer or for all."""

from domain import documents as rules
from domain import erasing
from domain.clock import rome_day
from domain.formats import table
from domain.imports import checks
from domain.imports.documented import Documented
from domain.imports.upsert import UNKNOWN_CUSTOMER, Cell
from models import Customer, Document

CATEGORIES = {
    "personale": rules.PERSONAL,
    "modulistica": rules.FORMS,
    "normative": rules.RULES,
    "comunicati": rules.NOTICES,
    "informazioni": rules.INFO,
}
LONGEST_TEXT = 20_000


class Publications(Documented):
    name = "documenti"
    model = Document
    key = (Document.category, Document.title, Document.customer)
    needs = (
        Document.text, Document.source, Document.file, Document.folded, Document.visible_from,
        Document.visible_to,
    )  # fmt: skip
    document = Document.file
    document_column = "file"
    cells = (
        Cell("categoria", Document.category, table.choice(CATEGORIES), required=True),
        Cell("titolo", Document.title, required=True),
        Cell("data", Document.date, required=True),
        Cell("file", None, str),
        Cell("testo", Document.text, table.text(LONGEST_TEXT), lines=True),
        Cell("codice_cliente", None, checks.customer_code),
        Cell("visibile_dal", Document.visible_from),
        Cell("visibile_al", Document.visible_to, table.last_day),
    )

    def prepare(self, entries, report):
        codes = {e.cells.get("codice_cliente") for e in entries} - {None}
        ids = self.ids(Customer, codes)
        today = rome_day(entries[0].at) if entries else None
        erased = erasing.still_erased(Customer.code, codes, today=today) if codes else ()
        for entry in entries:
            code = entry.cells.get("codice_cliente")
            entry.values["customer"] = ids.get(code)
            if (code is not None) != (entry.values["category"] == rules.PERSONAL):
                self.refuse(
                    entry, report, "codice_cliente",
                    "Un documento personale è di un cliente: scrivere il suo codice."
                    if code is None
                    else "Il codice cliente va scritto solo per i documenti personali: gli altri "
                    "sono per tutti.",
                )  # fmt: skip
            elif code is not None and code not in ids:
                self.refuse(entry, report, "codice_cliente", UNKNOWN_CUSTOMER)
            elif code in erased:
                self.skip(entry, report, "codice_cliente", erasing.SKIPPED)

    def examine(self, entries, report, documents):
        self.find_documents(entries, report, documents)
        for entry in entries:
            text = entry.merged(Document.text)
            if not (text or "document" in entry.more or entry.merged(Document.file) or entry.bad):
                self.refuse(
                    entry, report, "file",
                    "Il documento resta senza file e senza testo: serve almeno uno dei due.",
                )  # fmt: skip
            first, last = entry.merged(Document.visible_from), entry.merged(Document.visible_to)
            if first and last and last < first:
                self.refuse(
                    entry, report, "visibile_al", "La pubblicazione finisce prima di iniziare."
                )
            if entry.stored and text != entry.stored["text"]:
                entry.values["source"] = None  # it was formatted at the desk, as another text
            entry.values["folded"] = rules.folded(entry.values["title"], text)
            if entry.stored is None:
                entry.values["added_at"] = entry.at
