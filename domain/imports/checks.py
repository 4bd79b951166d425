"""Codes and numbers of customers, points and banks: their shape, and what is odd about them.

Parsers take the text of a cell and raise ValueError with the Italian sentence; the `odd_…`
functions answer None or the sentence of a warning: real archives hold wrong check digits.
"""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from stdnum import iban as stdnum_iban
from stdnum.it import codicefiscale, iva

POD = re.compile(r"IT\d{3}E[0-9A-Z]{8,9}", re.ASCII)  # ARERA: IT, distributor, E, point
PDR = re.compile(r"\d{14}", re.ASCII)


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
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,31}", cell, re.ASCII):
        raise ValueError(
            "Il codice fornitura ha da 2 a 32 lettere o cifre, senza spazi né accenti, come "
            "PR002874."
        )
    return cell


def supply_codes(cell):
    """Several supply codes with blanks between them -> tuple without repetitions."""
    return tuple(dict.fromkeys(supply_code(code) for code in cell.split()))


def contract_code(cell):
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}", cell, re.ASCII):
        raise ValueError(
            "Il codice contratto ha al massimo 40 lettere, cifre o segni «.», «-», «_», «/»."
        )
    return cell


def tax_code(cell):
    value = compact(cell)
    if not re.fullmatch(r"[A-Z0-9]{1,16}", value, re.ASCII):
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
    if not re.fullmatch(r"[A-Z0-9]{1,16}", value, re.ASCII):
        raise ValueError("La partita IVA ha 11 cifre.")
    return value


def odd_vat_number(value):
    if not iva.is_valid(value):
        return "Partita IVA non corretta: controllare che abbia 11 cifre e quali."
    return None


def point_code(cell):
    """A POD or a PDR."""
    value = compact(cell)
    if not re.fullmatch(r"[A-Z0-9]{1,20}", value, re.ASCII):
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
    if not re.fullmatch(r"[A-Z0-9]{15,34}", value, re.ASCII):
        raise ValueError("Un IBAN ha da 15 a 34 lettere e cifre (27 in Italia).")
    return value


@lru_cache(4096)  # a file of invoices repeats the utility's own
def odd_iban(value):
    if not stdnum_iban.is_valid(value):
        return "IBAN non corretto: controllarlo."
    return None


def masked(iban):
    """`IT60*******************3456`: what may be kept of a customer's IBAN."""
    return f"{iban[:4]}{'*' * (len(iban) - 8)}{iban[-4:]}"


def email(cell):
    try:
        return validate_email(cell, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError(
            "Indirizzo e-mail non valido: scriverne uno solo, oppure lasciare vuota la cella."
        ) from None


def province(cell):
    if not re.fullmatch(r"[A-Za-z]{2}", cell, re.ASCII):
        raise ValueError("Scrivere la sigla della provincia, ad esempio PO.")
    return cell.upper()


def meter_class(cell):
    value = cell.upper().replace(" ", "").replace(",", ".")
    if not re.fullmatch(r"G\d{1,3}(\.\d)?", value, re.ASCII):
        raise ValueError("Scrivere la classe del contatore come G4.")
    return value
