"""What kinds whose rows may name a document have in common."""

from domain.imports.upsert import Kind, unconverted
from models import StoredFile, any_of


class Documented(Kind):
    """A kind whose rows have a `customer` and may name a document in `document_column`.

    `document` is the field for its id. Until it is placed, `more["document"]` holds it.
    """

    document = None
    document_column = ""

    def find_documents(self, entries, report, documents):
        """Fill in the document of each row, or refuse the row."""
        column = self.document_column
        named = [entry for entry in entries if entry.cells.get(column)]
        found = documents.find(entry.cells[column] for entry in named)
        documents.load_owners(each for each in found.values() if not isinstance(each, str))
        kept = self._kept(entries)
        for entry in entries:
            if column not in entry.cells:
                continue
            name = entry.cells[column]
            each = found.get(name)
            now = entry.stored and entry.stored[self.document.name]
            path, kept_name = kept.get(now, (None, None))
            if each is None:
                entry.values[self.document.name] = None
            elif isinstance(each, str):
                self.refuse(entry, report, column, each)
            elif path == each.path or (name == kept_name and each.source is None):
                entry.values[self.document.name] = now
            elif not documents.claim(each, entry.values["customer"]):
                self.refuse(
                    entry, report, column,
                    "Il documento è già di un altro cliente: controllare il nome.",
                )  # fmt: skip
            else:
                entry.more["document"] = each

    def _kept(self, entries):
        """{id: (path, name)} of the documents that these rows have now."""
        ids = {entry.stored[self.document.name] for entry in entries if entry.stored} - {None}
        query = StoredFile.select(StoredFile.id, StoredFile.path, StoredFile.name)
        return {id_: kept for id_, *kept in unconverted(query.where(any_of(StoredFile.id, ids)))}

    def place(self, entries, documents):
        for entry in entries:
            if "document" in entry.more:
                documents.place(entry.more["document"])

    def needs_more(self, entries):
        return any("document" in entry.more for entry in entries)

    def write(self, entries, documents):
        ids = documents.rows([e.more["document"] for e in entries if "document" in e.more])
        for entry in entries:
            if "document" in entry.more:
                entry.values[self.document.name] = ids[entry.more["document"].path]
        super().write(entries, documents)
