"""`esiti`: what billing, or the distributor, answered about the readings of a batch."""

import peewee as pw

from domain import mail, statements
from domain.formats import table
from domain.imports.upsert import Cell, Kind, Unwritable
from models import Account, Param, ReadingBatch, SelfReading, SupplyPoint

WORDS = {"validated": "VALIDATA", "rejected": "RESPINTA"}
UNKNOWN_READING = "Lettura sconosciuta: riportare l'id_lettura del file delle autoletture."
OTHER_BATCH = (
    "La lettura non è in questo lotto: riportare lotto e id_lettura come sono nel file delle "
    "autoletture."
)
ANOTHER_THAT_DAY = (
    "La lettura era respinta, e di quel giorno la fornitura ne ha ora un'altra: per validare "
    "questa respingere prima l'altra."
)
NO_REASON = "Manca il motivo: il cliente legge che non è stato comunicato."
_answered = SelfReading.update(state=Param("state"), reason=Param("reason"))
_answered = _answered.where(SelfReading.id == Param("id"))


def is_back(entry):
    """Whether a reading that did not count any more counts again."""
    return entry.stored["state"] == "rejected" and entry.values["state"] == "validated"


class Outcomes(Kind):
    """Of several outcomes of a reading the last one counts: billing may correct itself."""

    name = "esiti"
    model = SelfReading
    key = (SelfReading.id,)
    needs = (
        SelfReading.state, SelfReading.reason, SelfReading.batch, SelfReading.supply,
        SelfReading.day,
    )  # fmt: skip
    cells = (
        Cell("lotto", None, table.whole(), required=True),
        Cell("id_lettura", SelfReading.id, table.whole(), required=True),
        Cell(
            "esito", SelfReading.state,
            table.choice({word: state for state, word in WORDS.items()}), required=True,
        ),
        Cell("motivo", SelfReading.reason, table.text(500)),
    )  # fmt: skip

    def prepare(self, entries, report):
        for entry in entries:
            if entry.values["state"] == "validated":
                entry.values["reason"] = None  # a reason is why one was rejected

    def examine(self, entries, report, documents):
        batches = {entry.stored["batch"] for entry in entries if entry.stored} - {None}
        query = ReadingBatch.select(ReadingBatch.id, ReadingBatch.number)
        numbers = dict(query.where(ReadingBatch.id.in_(list(batches))).tuples())
        for entry in entries:
            if entry.stored is None:
                self.refuse(entry, report, "id_lettura", UNKNOWN_READING)
            elif numbers.get(entry.stored["batch"]) != entry.cells["lotto"]:
                self.refuse(entry, report, "lotto", OTHER_BATCH)
            else:
                self._tell_what_is_odd(entry, report)
        self._refuse_second_of_a_day([entry for entry in entries if not entry.bad], report)

    @staticmethod
    def _tell_what_is_odd(entry, report):
        before, after = entry.stored["state"], entry.values["state"]
        if before in WORDS and before != after:
            report.warn(
                entry.number, "esito", WORDS[after],
                f"L'esito precedente era {WORDS[before]}: vale quello nuovo.",
            )  # fmt: skip
        if after == "rejected" and not entry.merged(SelfReading.reason):
            report.warn(entry.number, "motivo", "", NO_REASON)

    def _refuse_second_of_a_day(self, entries, report):
        back = [entry for entry in entries if is_back(entry)]
        if not back:
            return
        leaving = {e.values["id"] for e in entries if e.values["state"] == "rejected"}
        query = SelfReading.select(SelfReading.id, SelfReading.supply, SelfReading.day).where(
            SelfReading.supply.in_(list({entry.stored["supply"] for entry in back})),
            SelfReading.day.in_(list({entry.stored["day"] for entry in back})),
            SelfReading.state.in_(SelfReading.LIVE),
        )
        live = {(supply, day): id_ for id_, supply, day in query.tuples() if id_ not in leaving}
        for entry in back:
            place = entry.stored["supply"], entry.stored["day"]
            if live.setdefault(place, entry.values["id"]) != entry.values["id"]:
                self.refuse(entry, report, "id_lettura", ANOTHER_THAT_DAY)

    def write(self, entries, documents):
        back = [entry for entry in entries if is_back(entry)]
        others = [entry for entry in entries if not is_back(entry)]
        answers = [{**each.stored, **each.values} for each in others]
        statements.run([statements.of(SelfReading, _answered, answers)])
        for entry in back:  # after those that leave their day to them
            try:
                SelfReading.update(state="validated", reason=None).where(
                    SelfReading.id == entry.values["id"]
                ).execute()
            except pw.IntegrityError:  # the customer entered another one just now
                raise Unwritable(entry, "id_lettura", ANOTHER_THAT_DAY) from None
        self._queue_mails(entries)

    @staticmethod
    def _queue_mails(entries):
        """Tell who entered each reading, unless its state is what it was."""
        answered = {e.values["id"]: e for e in entries if e.values["state"] != e.stored["state"]}
        query = (
            SelfReading.select(
                SelfReading.id, SelfReading.day, SelfReading.reason, SupplyPoint.code, Account.id
            )
            .join(SupplyPoint)
            .switch(SelfReading)
            .join(Account)
            .where(SelfReading.id.in_(list(answered)))
            .order_by(SelfReading.id)
        )
        mail.queue_notices(
            (
                mail.Notice(
                    f"reading_{answered[id_].values['state']}",
                    account,
                    {"supply": supply, "day": day.isoformat(), "reason": reason},
                )
                for id_, day, reason, supply, account in query.tuples()
            ),
            now=entries[0].at,
        )
