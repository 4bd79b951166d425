"""What monitoring asks about the portal as a whole: each check tells what it found, what to do.

For who administers the portal: plain sentences, and numbers for programs.
"""

import datetime as dt
import shutil
import sqlite3
from typing import NamedTuple

import peewee as pw
import psycopg

from domain import attachments, files, italian, notation, register, schedule, schema
from domain.backups import making
from domain.imports import inbox
from domain.mail import overview
from domain.release import VERSION
from domain.text import one_line
from models import Attachment, BatchFile, ContactBatch, ImportedFile, ReadingBatch, StoredFile

GB = 1_000_000_000
LEAST_FREE, MOST_FREE = GB, 10 * GB  # a twentieth of the disk, but within these
BACKUP_AGE = dt.timedelta(hours=26)
FILE_WAITS = dt.timedelta(hours=1)  # in the inbox
LATEST_FILES = 1000  # of each kind whose place on the disk is looked at
NAMED = 3  # examples in a sentence

UNREACHABLE = (pw.PeeweeException, sqlite3.Error, psycopg.Error)


class Finding(NamedTuple):
    """What a check found. `todo` is empty where all is well; `data` is for programs."""

    name: str
    says: str
    todo: str
    data: dict

    @property
    def ok(self):
        return not self.todo


def examine(config, *, key, now):
    """The Findings. `config` holds the settings, `key` is that of the register's seals."""
    yield disk("disk.data", config["DATA_DIR"])
    yield disk("disk.backup", config["BACKUP_DIR"])
    yield backup(config["BACKUP_DIR"], now)
    yield inbox_files(config["DATA_DIR"] / "inbox", now)
    yield look(config["BRANDING"].warnings)
    try:
        yield from of_the_archive(config["DATA_DIR"] / "documents", key, now)
    except UNREACHABLE as error:
        todo = "controllare il server dell'archivio, il disco e PORTALE_DATABASE_URL"
        yield Finding("archive", f"L'archivio non risponde: {one_line(str(error))}", todo, {})
    else:
        yield Finding("archive", "L'archivio risponde.", "", {})


def of_the_archive(documents, key, now):
    """Those that need its tables, of this release: without them nothing else can be told."""
    missing, unknown = schema.missing(), schema.unknown()
    yield migrations(missing, unknown)
    if missing or unknown:
        return
    for run in schedule.runs(now=now):
        yield job(run, now)
    yield mail(now)
    yield unsettled(now)
    yield batches(now)
    yield seals(key, now)
    yield stored_files(documents)


# -- The disk ------------------------------------------------------------------------------


def disk(name, folder):
    """Room where a folder is, or would be made."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        usage = shutil.disk_usage(place)
    except OSError as error:
        return Finding(name, f"{folder} non si legge: {error}", "controllare il disco", {})
    wanted = min(max(usage.total // 20, LEAST_FREE), MOST_FREE)
    return Finding(
        name,
        f"{gigabytes(usage.free)} liberi in {folder}.",
        f"liberare spazio: ne servono {gigabytes(wanted)}" if usage.free < wanted else "",
        {"path": str(folder), "free_bytes": usage.free, "wanted_bytes": wanted},
    )


def gigabytes(size):
    return f"{italian.thousandths(size * 10 // GB * 100)} GB"


def backup(root, now):
    """How old the latest whole copy is."""
    todo = "guardare l'ultima esecuzione di jobs.backup e che PORTALE_BACKUP_DIR sia raggiungibile"
    try:
        latest = max(making.finished(root))
        age = now - making.made_at(latest)
    except (OSError, ValueError):  # of an empty folder, or of a name that is no instant
        return Finding("backup", f"Nessuna copia di sicurezza in {root}.", todo, {})
    return Finding(
        "backup",
        f"L'ultima copia di sicurezza è di {notation.span(age)} fa.",
        todo if age > BACKUP_AGE else "",
        {"path": str(latest), "age_seconds": int(age.total_seconds())},
    )


def inbox_files(folder, now):
    """Whether files wait in the inbox for longer than two runs of the import."""
    try:
        ages = [now.timestamp() - path.lstat().st_mtime for path in inbox.waiting(folder)]
    except OSError as error:
        return Finding("inbox", f"{folder} non si legge: {error}", "controllare il disco", {})
    oldest = max(ages, default=0)
    late = oldest > FILE_WAITS.total_seconds()
    age = f", il più vecchio da {span(oldest)}" if ages else ""
    return Finding(
        "inbox",
        f"File che aspettano in inbox: {len(ages)}{age}.",
        "eseguire jobs.import_inbox: dice perché restano lì" if late else "",
        {"files": len(ages), "oldest_seconds": int(oldest)},
    )


def look(warnings):
    """Whether all that the utility put in place of the portal's own can be used."""
    if not warnings:
        return Finding("look", "Colori, logo e testi propri: tutti usati.", "", {"warnings": []})
    todo = "correggere, poi riavviare il portale (docs/personalizzazione.md)"
    return Finding("look", " ".join(warnings), todo, {"warnings": warnings})


def span(seconds):
    return notation.span(dt.timedelta(seconds=seconds))


# -- Tables and jobs -----------------------------------------------------------------------


def migrations(missing, unknown):
    data = {"release": VERSION, "missing": missing, "unknown": unknown}
    if unknown:
        todo = "aggiornare il programma: l'archivio è di una versione più recente"
        return Finding("migrations", f"Migrazioni sconosciute: {', '.join(unknown)}.", todo, data)
    if missing:
        todo = "eseguire «python -m jobs.migrate»; gli altri controlli dell'archivio aspettano"
        return Finding("migrations", f"Migrazioni mancanti: {', '.join(missing)}.", todo, data)
    return Finding("migrations", f"Le tabelle sono quelle di questa versione, {VERSION}.", "", data)


RESULTS = {"done": "riuscita", "running": "in corso", "postponed": "rimandata",
           "failed": "non riuscita"}  # fmt: skip


def job(run, now):
    """How a job is doing; see domain/schedule.py."""
    name, last = run.job.name, run.last
    if last is None:
        says = "Mai eseguito."
    else:
        said = f": {last.summary}" if last.summary else ""
        ago = notation.span(now - last.started_at)
        says = f"Ultima esecuzione {ago} fa, {RESULTS[run.result]}{said}"
    if run.late:
        done = f"da {notation.span(now - run.succeeded_at)}" if run.succeeded_at else "finora"
        says = f"In ritardo, {done} nessuna esecuzione riuscita. {says}"
    planned = f"controllare che jobs.{name} sia pianificato (systemd o cron) e il suo registro"
    age = run.succeeded_at and int((now - run.succeeded_at).total_seconds())
    return Finding(
        f"job.{name}", says, planned if run.is_bad else "",
        {"result": run.result, "late": run.late, "succeeded_seconds_ago": age,
         "exit_code": last and last.exit_code},
    )  # fmt: skip


# -- Queues --------------------------------------------------------------------------------


def mail(now):
    """Whether mail goes out; one address that does not take any is for the operators to see."""
    unsent = overview.Unsent()
    oldest = unsent.oldest_at and int((now - unsent.oldest_at).total_seconds())
    at_rest = overview.is_at_rest(now=now)
    age = f", la più vecchia da {span(oldest)}" if unsent.waiting else ""
    todo = "eseguire jobs.send_mail, e con --test INDIRIZZO sentire che cosa risponde il server"
    return Finding(
        "mail",
        f"Mail in attesa: {unsent.waiting}{age}; non recapitate: {unsent.failed}.",
        todo if at_rest else "",
        {"waiting": unsent.waiting, "failing": unsent.failing, "failed": unsent.failed,
         "oldest_seconds": oldest},
    )  # fmt: skip


def unsettled(now):
    """Files that were judged but not moved: a run was killed, and none has ended since."""
    query = ImportedFile.select(pw.fn.COUNT(ImportedFile.id)).where(
        ImportedFile.settled_at.is_null(), ImportedFile.at < now - FILE_WAITS
    )
    count = query.scalar()
    return Finding(
        "imports",
        f"File giudicati ma rimasti in inbox da un'esecuzione interrotta: {count}.",
        "eseguire jobs.import_inbox, e guardare perché non arriva alla fine" if count else "",
        {"unsettled": count},
    )


def batches(now):
    """Batches that are written but lie in no file of the outbox."""
    limit = schedule.of("acquire_readings").late_after
    names = [
        batch.file_name
        for table in (ReadingBatch, ContactBatch)
        for batch in table.select().where(table.placed_at.is_null(), table.created_at < now - limit)
    ]
    names += [
        row.file_name
        for row in BatchFile.select(BatchFile.file_name)
        .join(ReadingBatch)
        .where(BatchFile.placed_at.is_null(), ReadingBatch.created_at < now - limit)
    ]
    named = f": {', '.join(names[:NAMED])}" if names else ""
    return Finding(
        "batches",
        f"Lotti preparati e non ancora in outbox: {len(names)}{named}.",
        "eseguire jobs.acquire_readings, che li completa" if names else "",
        {"unplaced": len(names)},
    )


# -- What must not change ------------------------------------------------------------------


def seals(key, now):
    """The register's chain, and its last number and seal: who keeps them sees what is cut off."""
    found = register.verify(key, now=now)
    number, seal = register.head()
    says = f"Registro attività: {number} voci, ultimo sigillo {seal or '-'}."
    if found.broken:
        says = f"Registro attività alterato dalla voce {found.broken}. {says}"
    todo = "confrontare con una copia di sicurezza precedente (docs/monitoraggio.md)"
    data = {"entries": number, "seal": seal, "broken": found.broken}
    return Finding("register", says, todo if found.broken else "", data)


def stored_files(documents):
    """Whether the files that the latest rows name are there; jobs.backup reads all of them."""
    looked_at, lost = 0, []
    for table in (StoredFile, Attachment):
        rows = table.select(table.path, table.size).order_by(table.id.desc()).limit(LATEST_FILES)
        for path, size in rows.tuples():
            looked_at += 1
            if not is_there(documents, path, size):
                lost.append(path)
    named = f": {', '.join(lost[:NAMED])}" if lost else ""
    return Finding(
        "documents",
        f"Documenti guardati, gli ultimi: {looked_at}; mancanti o di un'altra misura: "
        f"{len(lost)}{named}.",
        "rimetterli da una copia di sicurezza (docs/backup.md)" if lost else "",
        {"looked_at": looked_at, "lost": len(lost)},
    )


def is_there(documents, path, size):
    """Where it belongs, or where it waits to be moved."""
    for place in (documents / path, documents / attachments.ARRIVING / path.rpartition("/")[2]):
        if files.is_file(place) and place.stat().st_size == size:
            return True
    return False
