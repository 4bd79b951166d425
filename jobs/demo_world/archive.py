"""The files that the demo's billing system would put in the inbox.

Everything is computed from one day, so that the same day gives the same bytes. Columns are
those of docs/formati.md.
"""

import csv
import datetime as dt
import io
from itertools import accumulate, count
from typing import NamedTuple

from jobs.demo_world import consumption, measures, paper, people, publications

FIRST_YEAR = 2014
PRESSURE = 1.94  # Smc in a m3 where a volume converter is fitted
MONTHS = (
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
    "ottobre", "novembre", "dicembre",
)  # fmt: skip
DISTRIBUTOR = {"distributore": "RETI DI PROVA S.P.A.", "distributore_piva": "09999010979"}


class Invoice(NamedTuple):
    number: str
    day: dt.date
    customer: dict
    supplies: tuple  # of rows of `forniture`
    is_credit: bool
    due_on: dt.date
    cents: int
    paid: bool
    months: tuple  # that it charges, as first days
    period: str
    has_document: bool

    @property
    def document(self):
        return f"fattura_{self.day:%Y}_{self.number.replace('/', '_')}.pdf"


def files(today):
    """(name, bytes) of every CSV file of the first load."""
    supplies = list(all_supplies(today))
    yield "clienti_demo.csv", table(customers())
    yield "forniture_demo.csv", table(supplies)
    yield "contratti_demo.csv", table(contracts(supplies, today))
    yield "documenti_demo.csv", table(publications.rows(today))
    billed = list(invoices(supplies, today))
    yield "fatture_demo.csv", table(map(invoice_row, billed))
    yield "prelievi_demo.csv", table(consumption.rows(billed))
    yield "letture_demo.csv", table(meter_readings(supplies, today))
    yield "misure_demo.csv", table(measures.rows(supplies, today))


def documents(today):
    """(name, bytes) of every PDF: of invoices, and what else is published."""
    for invoice in invoices(list(all_supplies(today)), today):
        if invoice.has_document:
            yield invoice.document, paper.invoice(invoice)
    yield from publications.documents(today)


def windows(today):
    """The file of the reading windows: one open now, one next month."""
    rows = [
        {"id": "DEMO-1", "dal": today - dt.timedelta(days=3), "dalle_ore": "00:00",
         "al": today + dt.timedelta(days=6), "alle_ore": "23:59"},
        {"id": "DEMO-2", "dal": today + dt.timedelta(days=27), "dalle_ore": "08:00",
         "al": today + dt.timedelta(days=33), "alle_ore": "20:00"},
    ]  # fmt: skip
    return f"periodi_demo_{today:%Y-%m-%d}.csv", table(rows)


def table(rows):
    """Rows as a CSV file; the columns are all the keys, in the order in which they appear."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# -- Customers, supplies, contracts --------------------------------------------------------


def everybody():
    return [people.READY, people.NEWCOMER, *people.neighbours()]


def customers():
    for person in everybody():
        yield {
            "codice_cliente": person["code"],
            "denominazione": person["name"],
            "codice_fiscale": person.get("tax_code"),
            "partita_iva": person.get("vat_number"),
            **street(person),
            "telefono": person["phone"],
            "email": person["email"],
            "attivo": "S",
        }


def street(person):
    return {
        "via": person["street"],
        "civico": person["street_number"],
        "cap": person["postcode"],
        "comune": person["city"],
        "provincia": person["province"],
    }


def all_supplies(today):
    yield from ready_supplies(today)
    yield electricity(3001, people.NEWCOMER, 42_000, kw=30)
    yield gas(3002, people.NEWCOMER, 6_500, meter_class="G10")
    for place, person in enumerate(people.neighbours()):
        if place % 3 != 1:
            yield electricity(4000 + 2 * place, person, 1_800 + 37 * (place % 40))
        if place % 3 != 0:
            yield gas(4001 + 2 * place, person, 500 + 31 * (place % 40))


def ready_supplies(today):
    """What PROVA S.P.A. has: offices, a workshop, a supply that has ended."""
    ravenna = {"via": "VIA PROVA", "civico": "5", "cap": "48124", "comune": "RAVENNA",
               "provincia": "RA"}  # fmt: skip
    workshop = {"via": "VIA DELL'INDUSTRIA DI PROVA", "civico": "12"}
    ended = today.replace(day=1, month=4) - dt.timedelta(days=3 * 365)
    yield electricity(2874, people.READY, 5_200, kw=6) | ravenna
    yield electricity(2875, people.READY, 61_000, kw=50)
    yield gas(2876, people.READY, 1_350)
    yield gas(2877, people.READY, 21_000, meter_class="G25", corrector=True) | workshop
    yield electricity(2878, people.READY, 18_400, kw=15) | workshop
    yield gas(2879, people.READY, 900) | {"via": "PIAZZA DELLE PROVE", "civico": "2",
                                          "cessata_il": ended}  # fmt: skip


def is_served(supply, day):
    return not supply.get("cessata_il") or day <= supply["cessata_il"]


def electricity(number, person, yearly, *, kw=3):
    """A row of `forniture`; `yearly` in kWh."""
    return {
        "codice_fornitura": f"PR{number:06d}",
        "codice_cliente": person["code"],
        "servizio": "EE",
        "pod_pdr": f"IT001E{number:08d}",
        **street(person),
        "attiva_dal": dt.date(FIRST_YEAR, 1, 1),
        "matricola": f"EE{number:08d}",
        **DISTRIBUTOR,
        "consumo_annuo": yearly,
        "potenza_impegnata_kw": kw,
        "potenza_disponibile_kw": f"{kw * 1.1:.1f}".replace(".", ","),
        "tensione_v": 230 if kw <= 6 else 400,
        "fasi": "monofase" if kw <= 6 else "trifase",
        "tipo_misuratore": "2G",
    }


def gas(number, person, yearly, *, meter_class="G4", corrector=False):
    """A row of `forniture`; `yearly` in Smc."""
    row = {
        "codice_fornitura": f"PR{number:06d}",
        "codice_cliente": person["code"],
        "servizio": "GAS",
        "pod_pdr": f"0099{number:010d}",
        **street(person),
        "attiva_dal": dt.date(FIRST_YEAR, 1, 1),
        "matricola": f"G{number:08d}",
        "cifre": 6 if corrector else 5,
        **DISTRIBUTOR,
        "consumo_annuo": yearly,
        "classe_misuratore": meter_class,
        "coefficiente_c": "1,027000",
        "correttore": "S" if corrector else "N",
        "remi": "34990000",
        "categoria_uso": "C1",
    }
    if corrector:
        row |= {"cifre_correttore": 7, "matricola_correttore": f"VC{number:08d}"}
    return row


def contracts(supplies, today):
    business = {people.READY["code"], people.NEWCOMER["code"]}
    for supply in supplies:
        is_gas = supply["servizio"] == "GAS"
        firm = supply["codice_cliente"] in business
        for code, offer, price, first, last in terms(supply, today):
            yield {
                "codice_contratto": code,
                "codice_fornitura": supply["codice_fornitura"],
                "offerta": f"{'GAS' if is_gas else 'LUCE'} {offer}",
                "mercato": "libero",
                "uso": "altri usi" if firm else "domestico",
                "decorrenza": first,
                "scadenza": last,
                "tipo_prezzo": price,
                "periodicita": "bimestrale",
                "modalita_pagamento": "addebito in conto" if firm else "bonifico",
                "iban": people.READY["iban"] if supply["codice_cliente"] == "000002" else None,
                "deposito": "0,00",
            }


def terms(supply, today):
    """(code, offer, price, first day, last day) of the contracts of a supply, one after another.

    PROVA S.P.A. has changed offer over the years, and changes it once more in two months.
    """
    code = f"C{supply['codice_fornitura'][2:]}"
    start, end = supply["attiva_dal"], supply.get("cessata_il")
    if supply["codice_cliente"] != people.READY["code"] or end:
        yield code, "SERENA" if supply["servizio"] == "EE" else "SERENO", "fisso", start, end
        return
    one_day = dt.timedelta(days=1)
    turns = [start, dt.date(2018, 7, 1), months_before(today.replace(day=1), 14)]
    turns.append(months_before(today.replace(day=1), -2))
    offers = {
        "EE": ("SEMPLICE", "FEDELE", "SERENA", "CHIARA"),
        "GAS": ("SEMPLICE", "FEDELE", "SERENO", "CHIARO"),
    }[supply["servizio"]]
    for place, offer in enumerate(offers):
        last = turns[place + 1] - one_day if place + 1 < len(turns) else None
        price = "variabile" if place in {0, 3} else "fisso"
        yield f"{code}/{place + 1}", offer, price, turns[place], last


# -- Invoices ------------------------------------------------------------------------------


def invoices(supplies, today):
    """All invoices, numbered by service and year in the order of their dates."""
    drafts = sorted(
        (draft for person in everybody() for draft in drafts_of(person, supplies, today)),
        key=lambda draft: (draft["day"], draft["customer"]["code"], draft["letter"]),
    )
    counters = {}
    for draft in drafts:
        letter = draft.pop("letter")
        numbers = counters.setdefault((letter, draft["day"].year), count(1))
        yield Invoice(number=f"{next(numbers)}/{letter}", **draft)


def drafts_of(person, supplies, today):
    """Invoices of one customer: electricity and gas in turn, each every two months."""
    ours = [row for row in supplies if row["codice_cliente"] == person["code"]]
    is_ready = person is people.READY
    for age in range(12 * (today.year - FIRST_YEAR) + today.month if is_ready else 24):
        service, letter = ("EE", "E") if age % 2 == 0 else ("GAS", "G")
        day = months_before(today - dt.timedelta(days=6), age)
        billed = tuple(row for row in ours if row["servizio"] == service and is_served(row, day))
        if billed and day.year >= FIRST_YEAR:
            is_credit = is_ready and age in (9, 30, 71)
            amount = cents(billed, service, day)
            yield {
                "letter": letter,
                "day": day,
                "customer": person,
                "supplies": billed,
                "is_credit": is_credit,
                "due_on": day + dt.timedelta(days=30),
                "cents": -(amount // 9) if is_credit else amount,
                "paid": age > 1 or (not is_ready and int(person["code"]) % 4 > 0),
                "months": two_months(day),
                "period": period(day),
                "has_document": is_ready or person is people.NEWCOMER,
            }


def months_before(day, months):
    """The same day of an earlier month, or its 28th."""
    index = day.year * 12 + day.month - 1 - months
    return dt.date(index // 12, index % 12 + 1, min(day.day, 28))


def two_months(day):
    """The two calendar months before `day`, as first days."""
    return months_before(day.replace(day=1), 2), months_before(day.replace(day=1), 1)


def period(day):
    first, last = two_months(day)
    return f"{MONTHS[first.month - 1]} {first.year} - {MONTHS[last.month - 1]} {last.year}"


def cents(supplies, service, day):
    """Fixed quota plus consumption of two months, at the prices of a country that is not ours."""
    price, fixed = (98, 1_450) if service == "GAS" else (27, 1_820)
    drift = 90 + 2 * (day.year - FIRST_YEAR)
    used = sum(consumption.used(row, month) for row in supplies for month in two_months(day))
    return round((fixed * len(supplies) + used * price) * drift / 100)


def invoice_row(invoice):
    euros, rest = divmod(abs(invoice.cents), 100)
    return {
        "numero": invoice.number,
        "data": invoice.day,
        "codice_cliente": invoice.customer["code"],
        "codice_fornitura": " ".join(row["codice_fornitura"] for row in invoice.supplies),
        "tipo": "nota_credito" if invoice.is_credit else "fattura",
        "scadenza": None if invoice.is_credit else invoice.due_on,
        "importo": f"{'-' if invoice.is_credit else ''}{euros},{rest:02d}",
        "stato": "pagata" if invoice.paid else "da_pagare",
        "iban": people.UTILITY_IBAN,
        "documento": invoice.document if invoice.has_document else None,
    }


# -- Readings ------------------------------------------------------------------------------


def counter_on(supply, day):
    """What the gas meter shows on `day`, in whole m3: it turns as the seasons do."""
    passed = list(accumulate((0, *consumption.GAS_BY_MONTH)))
    share = day.year - FIRST_YEAR + passed[day.month - 1]
    share += consumption.GAS_BY_MONTH[day.month - 1] * (day.day - 1) / 31
    start = 100 + int(supply["codice_fornitura"][2:]) % 700
    yearly = int(supply["consumo_annuo"]) / (PRESSURE if supply["correttore"] == "S" else 1)
    return (start + int(share * yearly)) % 10 ** supply["cifre"]


def corrector_on(supply, day):
    """What the volume converter shows on `day`, in whole Smc, or None without one."""
    return int(counter_on(supply, day) * PRESSURE) if supply["correttore"] == "S" else None


def meter_readings(supplies, today):
    """The distributor's readings of gas meters, every three months for five years."""
    for supply in supplies:
        if supply["servizio"] != "GAS":
            continue
        for quarter in range(20):
            day = months_before(today, 1 + 3 * quarter).replace(day=1)
            if is_served(supply, day):
                yield {
                    "codice_fornitura": supply["codice_fornitura"],
                    "data": day,
                    "contatore": counter_on(supply, day),
                    "correttore": corrector_on(supply, day),
                    "fonte": "distributore",
                    "matricola": supply["matricola"],
                }


def self_readings(supplies, today):
    """(supply, day, counter, corrector) that PROVA S.P.A. gave in three years, one a month."""
    for supply in supplies:
        if supply["servizio"] == "GAS" and supply["codice_cliente"] == people.READY["code"]:
            for age in range(36, 0, -1):
                day = months_before(today, age).replace(day=24)
                if is_served(supply, day):
                    yield supply, day, counter_on(supply, day), corrector_on(supply, day)
