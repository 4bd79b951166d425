"""An inbox to drop files in."""

from pathlib import Path

import pytest

from domain.clock import utcnow
from domain.imports.inbox import Inbox

PDF = b"%PDF-1.4\n%%EOF\n"


class Desk:
    """The clerk's side of the inbox of a portal."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.inbox = data_dir / "inbox"
        self.documents = data_dir / "documents"

    def put(self, name, *lines, encoding="utf-8"):
        content = "\n".join(lines).encode(encoding) + b"\n"
        (self.inbox / name).write_bytes(content)

    def attach(self, name, content=PDF):
        (self.inbox / "allegati" / name).write_bytes(content)

    def run(self, *, now=None, **options):
        """The outcomes of one run."""
        inbox = Inbox(self.data_dir, utility_vat="01234567890", **options)
        return list(inbox.run(now=now or utcnow()))

    def take(self, name, *lines):
        """Drop one file, run; its report after checking that it was taken."""
        self.put(name, *lines)
        (outcome,) = self.run()
        assert outcome.state == "applied", outcome.report.errors
        return outcome.report

    def reject(self, name, *lines):
        """Drop one file, run; the errors after checking that it was rejected."""
        self.put(name, *lines)
        (outcome,) = self.run()
        assert outcome.state == "rejected"
        return outcome.report.errors

    def placed(self):
        """The names of the documents that imports have placed."""
        return sorted(path.name for path in self.documents.iterdir() if path.is_file())

    def files(self):
        """{path below the data folder: content} of inbox/ and documents/."""
        return {
            str(path.relative_to(self.data_dir)): path.read_bytes()
            for top in (self.inbox, self.documents)
            for path in sorted(Path(top).rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def desk(app):
    return Desk(app.config["DATA_DIR"])
