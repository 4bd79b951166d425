"""What the demo's supplies use, and what of it the invoices charged.

Quantities are whole kWh or Smc; a supply is a row of `forniture`.
"""

import datetime as dt
from zlib import crc32

GAS_BY_MONTH = (0.19, 0.16, 0.12, 0.07, 0.03, 0.02, 0.01, 0.01, 0.02, 0.06, 0.13, 0.18)
POWER_BY_MONTH = (0.09, 0.08, 0.08, 0.07, 0.07, 0.09, 0.11, 0.10, 0.08, 0.07, 0.08, 0.08)
FIRM, HOUSEHOLD = (52, 22), (33, 29)  # per cent in F1 and F2
GAS_KINDS = ("effettivo", "autolettura", "stimato", "autolettura", "effettivo", "autolettura")


def used(supply, month):
    """What `supply` used in the month that begins on the day `month`: no two years are alike."""
    shares = GAS_BY_MONTH if supply["servizio"] == "GAS" else POWER_BY_MONTH
    year = 88 + luck(supply, month.year, 25)
    weather = 94 + luck(supply, month.toordinal(), 13)
    yearly = int(supply["consumo_annuo"])
    return round(yearly * shares[month.month - 1] * year * weather / 10_000)


def luck(supply, seed, outcomes):
    """A number below `outcomes`, always the same."""
    return crc32(f"{supply['codice_fornitura']} {seed}".encode()) % outcomes


def rows(invoices):
    """Rows of `prelievi`: electricity month by month, gas by the months of its invoice."""
    for invoice in invoices:
        number = None if invoice.is_credit else invoice.number
        for supply in invoice.supplies:
            spans = [invoice.months]
            if supply["servizio"] == "EE":
                spans = [(month,) for month in invoice.months]
            for months in spans:
                if months[0] >= supply["attiva_dal"]:
                    yield row(supply, months) | {"fattura": number}


def row(supply, months):
    total = sum(used(supply, month) for month in months)
    last = (months[-1] + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    common = {
        "codice_fornitura": supply["codice_fornitura"],
        "dal": months[0],
        "al": last,
        "totale": total,
    }
    if supply["servizio"] == "GAS":
        place = int(supply["codice_fornitura"][2:]) + months[0].toordinal() // 61
        return common | {"unita": "Smc", "tipo": GAS_KINDS[place % len(GAS_KINDS)]}
    return common | electricity(supply, months[0], total)


def electricity(supply, month, total):
    """The columns that only electricity has."""
    shares = FIRM if supply["potenza_impegnata_kw"] > 6 else HOUSEHOLD
    f1, f2 = (round(total * (share + luck(supply, share, 5)) / 100) for share in shares)
    peak = supply["potenza_impegnata_kw"] * (58 + luck(supply, month.toordinal() + 1, 43)) // 10
    return {
        "f1": f1,
        "f2": f2,
        "f3": total - f1 - f2,
        "unita": "kWh",
        "potenza_kw": f"{peak // 10},{peak % 10}",
        "tipo": "stimato" if luck(supply, month.toordinal() + 2, 9) == 4 else "effettivo",
    }
