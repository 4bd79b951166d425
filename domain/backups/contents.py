"""What stands in the folder of a copy: the list of its files, its manifest; checking them."""

import json
import os
import re

from domain import files
from domain.backups.engines import ENGINES
from domain.errors import Refused

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
DOCUMENTS = "documents"
LAYOUT = 1  # of the folder; a later one may be unreadable to this release


class Sums:
    """A list of digests, one line each, flushed to the disk at the end."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        self._stream = open(self._path, "x", encoding="utf-8", newline="\n")
        return self

    def add(self, digest, path):
        self._stream.write(f"{digest}  {path}\n")

    def __exit__(self, *_error):
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()


def listed(path):
    """(digest, path) of each line of a list."""
    with open(path, encoding="utf-8", newline="\n") as stream:
        for line in stream:
            found = re.fullmatch(r"([0-9a-f]{64})  (.+)\n", line)
            if found is None:
                raise Refused(f"{path.name} non è un elenco di file: la copia è danneggiata.")
            yield found[1], found[2]


def seal(folder, **told):
    """Write the manifest and flush every folder to the disk: the copy is complete."""
    manifest = {"layout": LAYOUT, **told, "sums": files.digest(folder / SUMS)}
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    files.write_synced(folder / MANIFEST, [text.encode()])
    for each, _folders, _names in os.walk(folder):
        files.sync_folder(each)


def read(folder):
    """The manifest of a copy, or Refused."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        layout = manifest["layout"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{folder} non è una copia di sicurezza completa.") from None
    if layout != LAYOUT:
        raise Refused("La copia è stata fatta da una versione più recente del portale.")
    return manifest


def verify(folder, progress=iter):
    """Read all of a copy again; return its manifest, or Refused where anything differs."""
    manifest = read(folder)
    _same(folder, SUMS, manifest["sums"])
    for digest, path in progress(listed(folder / SUMS)):
        _same(folder, path, digest)
    verify_archive(folder, manifest)
    return manifest


def verify_archive(folder, manifest):
    """Open the archive of a copy and count its rows."""
    engine = ENGINES[manifest["database"]]
    try:
        rows = engine.count(folder / engine.NAME)
    except ValueError as problem:
        raise Refused(f"L'archivio della copia è danneggiato: {problem}") from problem
    if rows != manifest["rows"]:
        tables = [each for each in {**rows, **manifest["rows"]}
                  if rows.get(each) != manifest["rows"].get(each)]  # fmt: skip
        raise Refused(f"Nella copia mancano righe: {', '.join(sorted(tables))}.")


def _same(folder, path, digest):
    place = files.beneath(folder, path)
    if place is None:
        raise Refused(f"Nella copia manca {path}.")
    if files.digest(place) != digest:
        raise Refused(f"Nella copia {path} è danneggiato.")
