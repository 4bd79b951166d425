"""Codes and numbers of customers, points and banks: their shape, and what is odd about them.

Parsers take the text of a cell and raise ValueError with the Italian sentence; the `odd_…`
functions answer None or the sentence of a warning: real archives hold wrong check digits.
"""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from stdnum import iban as stdnum_iban
from stdnum.it import codicefiscale, iva

from domain.formats import table
from models import Customer, SupplyPoint

POD = re.compile(r"IT\d{3}E[0-9A-Z]{8,9}", re.ASCII)  # ARERA: IT, distributor, E, point
PDR = re.compile(r"\d{14}", re.ASCII)
PLAIN_NAME = re.compile(r"[a-z0-9]+([._+-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)
METER_CLASS = re.compile(r"G\d{1,5}(\.\d+)?", re.ASCII)

_digits = table.whole(0, 20)


def compact(cell):
    return re.sub(r"[\s.-]", "", cell).upper()


def customer_code(cell):
    """Six digits, as printed on the invoice."""
    if not re.fullmatch(r"\d{6}", cell, re.ASCII):
        raise ValueError(
            "Il codice cliente ha sei cifre, come 000002: se gli zeri iniziali sono andati "
            "persi, formattare la colonna come testo."
        )
    return cell


def supply_code(cell):
    """Letters, digits, `_`, `-` and `.`: it stands in addresses."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", cell, re.ASCII):
        raise ValueError(
            "Il codice fornitura ha fino a 32 lettere o cifre, senza spazi né accenti, come "
            "PR002874."
        )
    return cell


def supply_codes(cell):
    """Several supply codes with blanks between them -> tuple without repetitions."""
    return tuple(dict.fromkeys(supply_code(code) for code in cell.split()))


def tax_code(cell):
    value = compact(cell)
    if not 0 < len(value) <= 16:
        raise ValueError("Il codice fiscale ha 16 lettere e cifre, oppure 11 cifre.")
    return value


def odd_tax_code(value):
    if not codicefiscale.is_valid(value):
        return "Codice fiscale non corretto: controllarlo con il cliente."
    return None


def vat_number(cell):
    """A VAT number without its `IT`."""
    value = compact(cell)
    value = value[2:] if re.fullmatch(r"IT\d{11}", value, re.ASCII) else value
    if not 0 < len(value) <= 16:
        raise ValueError("La partita IVA ha 11 cifre.")
    return value


def odd_vat_number(value):
    if not iva.is_valid(value):
        return "Partita IVA non corretta: controllare che abbia 11 cifre e quali."
    return None


def point_code(cell):
    """A POD or a PDR."""
    value = compact(cell)
    if not 0 < len(value) <= 20:
        raise ValueError("Un POD o un PDR ha al massimo 20 lettere e cifre.")
    return value


def odd_pod(value):
    if not POD.fullmatch(value):
        return "POD insolito: di norma è come IT001E12345678."
    return None


def odd_pdr(value):
    if not PDR.fullmatch(value):
        return "PDR insolito: di norma ha 14 cifre, zeri iniziali compresi."
    return None


def iban(cell):
    value = compact(cell)
    if not 0 < len(value) <= 34:
        raise ValueError("Un IBAN ha al massimo 34 lettere e cifre (27 in Italia).")
    return value


@lru_cache(4096)  # a file of invoices repeats the utility's own
def odd_iban(value):
    if not stdnum_iban.is_valid(value):
        return "IBAN non corretto: controllarlo."
    return None


def masked(iban):
    """`IT60*******************3456`: what may be kept of a customer's IBAN."""
    hidden = max(len(iban) - 8, 0)
    return f"{iban[:4]}{'*' * hidden}{iban[4 + hidden :]}"


def odd_email(value):
    name, _at, domain = value.rpartition("@")
    if PLAIN_NAME.fullmatch(name):
        value = f"x@{domain}"  # as good as any other name there
    return _odd_address(value)


@lru_cache(4096)  # most customers are with the same few providers
def _odd_address(value):
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "Non è un indirizzo e-mail, o non è uno solo: controllare che gli avvisi arrivino."
    return None


def province(cell):
    """`ra` -> `RA`; a name is kept as it is written."""
    value = table.text(Customer.province.max_length)(cell)
    return value.upper() if len(value) == 2 else value


def odd_province(value):
    if not re.fullmatch(r"[A-Z]{2}", value, re.ASCII):
        return "Di norma la provincia si scrive con la sigla, ad esempio PO."
    return None


def meter_class(cell):
    """`g 4`, `G0004` (as gas distributors write it) -> `G4`."""
    value = table.text(SupplyPoint.meter_class.max_length)(cell).upper().replace(" ", "")
    return re.sub(r"^G0+(?=\d)", "G", value.replace(",", "."))


def odd_meter_class(value):
    if not METER_CLASS.fullmatch(value):
        return "Classe insolita: di norma è come G4. I consumi non vi saranno confrontati."
    return None


def meter_digits(cell):
    """How many digits a meter shows; 0 where nobody knows."""
    value = _digits(cell)
    if value in {1, 2}:
        raise ValueError("Un contatore ha almeno 3 cifre: se non si sa quante, scrivere 0.")
    return value
