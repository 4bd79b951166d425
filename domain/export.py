"""«Scarica i miei dati»: what the portal keeps of a login and its customers, to take away.

Article 20 of Regulation (EU) 2016/679 wants it in a structured, commonly used and
machine-readable format: JSON, with the documents as they are, and measures as CSV. What each
file of JSON holds is in domain/own_data.py.

Each file is read from the archive only when the one before it has been sent, and the
connection is handed back meanwhile: neither years of data nor a slow line hold anything.
"""

import datetime as dt
import json

from flask_babel import gettext as _

from domain import files, history, measure_files, measures, own_data
from domain.clock import ROME
from domain.connections import locking
from domain.errors import Refused
from domain.language import SOURCE, speaking
from models import Account, Event, db, writing

MOST_A_DAY = 5  # for one login: it is the heaviest page of the portal
A_DAY = dt.timedelta(days=1)
CHUNK = 64 * 1024


def begin(account_id, customer_id, *, now):
    """Note that the login takes its data away; raises Refused beyond MOST_A_DAY."""
    with writing():
        # Of two at once the second sees the first.
        list(locking(Account.select(Account.id).where(Account.id == account_id)))
        lately = Event.select().where(
            Event.account == account_id, Event.kind == "data_exported", Event.at > now - A_DAY
        )
        if lately.count() >= MOST_A_DAY:
            raise Refused(
                _(
                    "I dati si possono scaricare al massimo %(most)s volte in 24 ore: riprovare "
                    "domani.",
                    most=MOST_A_DAY,
                )
            )
        history.record("data_exported", now=now, account=account_id, customer=customer_id)


def parts(account_id, documents, *, now):
    """(name, chunks of bytes) of each file, made as they are asked for; the index comes last.

    `documents` is the folder documents/. What is missing there is told in the index.
    """
    missing = []
    yield _json("accesso.json", own_data.account, account_id, now)
    yield _json("storico.json", own_data.events, account_id)
    for customer in _read(own_data.customers, account_id):
        yield from _of_customer(customer, account_id, documents, missing, now)
    yield "LEGGIMI.txt", [_index(missing, now).encode()]


def _of_customer(customer, account_id, documents, missing, now):
    folder = customer.code
    yield _json(f"{folder}/cliente.json", own_data.customer, customer, now)
    yield _json(f"{folder}/forniture.json", own_data.supplies_of, customer, account_id)
    for name, table in (("fatture", own_data.invoices), ("documenti", own_data.documents)):
        shelf = Shelf(f"{folder}/{name}", documents, missing)
        yield _json(f"{folder}/{name}.json", table, customer, shelf, now)
        yield from shelf.files()
    for ticket in _read(own_data.tickets, customer):
        shelf = Shelf(f"{folder}/ticket/{files.safe_name(ticket.code)}", documents, missing)
        yield _json(f"{shelf.folder}/ticket.json", own_data.ticket, ticket, shelf)
        yield from shelf.files()
    for supply in _read(own_data.supply_points, customer):
        own = f"{folder}/forniture/{files.safe_name(supply.code)}"
        yield _json(f"{own}/contratti.json", own_data.contracts, supply)
        yield _json(f"{own}/letture.json", own_data.readings, supply)
        yield _json(f"{own}/prelievi.json", own_data.billed_consumption, supply)
        yield from _measures(own, supply)


class Shelf:
    """The documents of one folder of the export, put on it while what names them is written."""

    def __init__(self, folder, documents, missing):
        self.folder = folder
        self.documents = documents
        self._missing = missing
        self._free = files.FreeNames()
        self._found = []

    def put(self, stored):
        """The name that a stored file (`path`, `name`) gets, or None where it is missing."""
        name = f"{self.folder}/{self._free(stored.name)}"
        path = files.beneath(self.documents, stored.path)
        if path is None:
            self._missing.append(name)
            return None
        self._found.append((name, path))
        return name

    def files(self):
        for name, path in self._found:
            try:
                stream = files.open_plain(path)
            except OSError:  # removed since
                self._missing.append(name)
            else:
                yield name, _chunks(stream)


def _chunks(stream):
    with stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _read(question, *given):
    """The answer of the archive, which is let go at once."""
    with db.connection_context():
        return question(*given)


@speaking(SOURCE)
def _json(name, question, *given):
    text = json.dumps(_read(question, *given), ensure_ascii=False, indent=1)
    return name, [text.encode()]


def _measures(folder, supply):
    """One file for each quantity and year, as «Scarica CSV» gives them."""
    for quantity, name in measure_files.NAMES.items():
        extent = _read(measures.extent, supply, quantity)
        for year in range(extent[0].year, extent[1].year + 1) if extent else ():
            yield f"{folder}/misure_{name}_{year}.csv", _year(supply, quantity, year)


def _year(supply, quantity, year):
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    days = _read(measures.each_day, supply, first, last, quantity)
    return measure_files.csv(supply.pod or supply.code, quantity, days)


# -- The index -----------------------------------------------------------------------------

INDEX = """\
I dati che il portale conserva, scaricati il {day} alle {time}.

accesso.json                  le credenziali (senza password), le preferenze, i messaggi inviati
storico.json                  che cosa è stato fatto nel portale e quando
CODICE_CLIENTE/               una cartella per ogni cliente, che contiene:
  cliente.json                l'anagrafica e i contatti cambiati
  forniture.json              le forniture con i dati tecnici
  fatture.json, fatture/      le fatture e i loro documenti
  documenti.json, documenti/  i documenti personali
  ticket/CODICE/              una cartella per ogni ticket, con i messaggi e gli allegati
  forniture/CODICE/           una cartella per ogni fornitura, che contiene:
    contratti.json            i contratti
    letture.json              le autoletture e le letture del distributore
    prelievi.json             l'energia e il gas fatturati
    misure_..._ANNO.csv       le misure, quarto d'ora per quarto d'ora

I file .json sono testi UTF-8 che ogni programma sa leggere; i file .csv si aprono anche con un
foglio di calcolo. Importi in euro; date aaaa-mm-gg; ore con la differenza da quella universale.
"""
MISSING = "\nDocumenti che al momento non sono disponibili ({count}):\n"


def _index(missing, now):
    here = now.astimezone(ROME)
    text = INDEX.format(day=f"{here:%d/%m/%Y}", time=f"{here:%H:%M}")
    if missing:
        text += MISSING.format(count=len(missing)) + "".join(f"- {name}\n" for name in missing)
    return text
