"""Who lives in the demo. Nobody and nothing here exists; the check digits are right."""

import datetime as dt
import random

from stdnum import luhn
from stdnum.it import codicefiscale

UTILITY_NAME = "Energia di Prova"
UTILITY_VAT = "09999000970"
UTILITY_CONTACTS = "800 000 000 - clienti@energia-di-prova.example"
UTILITY_IBAN = "IT70Y0999902800000000009001"

READY_PASSWORD = "Tramonto-sul-Bisenzio-35"  # noqa: S105 - printed at every start
READY = {
    "code": "000002",
    "name": "PROVA S.P.A.",
    "vat_number": "00000020974",
    "street": "VIA DI PROVA",
    "street_number": "35",
    "postcode": "59100",
    "city": "PRATO",
    "province": "PO",
    "phone": "0574 000002",
    "email": "amministrazione@prova.example",
    "iban": "IT55M0999938000000000026417",
}
NEWCOMER = {
    "code": "000117",
    "name": "CARTIERA DELLE PROVE S.R.L.",
    "vat_number": "00001170976",
    "street": "VIA DEL MULINO DI PROVA",
    "street_number": "8",
    "postcode": "59021",
    "city": "VAIANO",
    "province": "PO",
    "phone": "0574 000117",
    "email": None,
}
DESK_PASSWORD = "Cancello-del-Serraglio-8"  # noqa: S105 - printed at every start
DESK = (
    {
        "username": "capo",
        "name": "Marta Provini",
        "email": "capo@energia-di-prova.example",
        "role": "administrator",
    },
    {
        "username": "sportello",
        "name": "Livio Provati",
        "email": "sportello@energia-di-prova.example",
        "role": "operator",
    },
)
NEIGHBOURS = 200

_NAMES = (
    "ANNA", "BRUNO", "CARLA", "DARIO", "ELENA", "FABIO", "GIULIA", "IVO", "LAURA", "MARCO",
    "NADIA", "OTTAVIO", "PAOLA", "RENATO", "SILVIA", "TEO", "URSULA", "VITTORIO", "WANDA", "ZENO",
)  # fmt: skip
_SURNAMES = (
    "ABETI", "BETULLI", "CASTAGNI", "DAINI", "ELCINI", "FAGGINI", "GINEPRI", "LARICI", "MANDORLI",
    "NOCCIOLI", "OLIVASTRI", "PIOPPINI", "QUERCETI", "ROVERELLI", "SALICI", "TIGLINI", "ULIVETI",
    "VERBENI",
)  # fmt: skip
_TRADES = ("FORNO", "OFFICINA", "LANIFICIO", "VIVAIO", "TIPOGRAFIA", "FALEGNAMERIA", "ALBERGO")
_TOWNS = (
    ("59100", "PRATO", "PO"),
    ("59021", "VAIANO", "PO"),
    ("59024", "VERNIO", "PO"),
    ("51100", "PISTOIA", "PT"),
    ("48124", "RAVENNA", "RA"),
)


def neighbours():
    """The other customers, the same at every start: codes from 000200 on."""
    chance = random.Random(2014)  # noqa: S311 - the same every time
    for place in range(NEIGHBOURS):
        postcode, city, province = chance.choice(_TOWNS)
        surname, name = chance.choice(_SURNAMES), chance.choice(_NAMES)
        person = {
            "code": f"{200 + place:06d}",
            "street": f"VIA {chance.choice(_SURNAMES)}",
            "street_number": str(chance.randint(1, 140)),
            "postcode": postcode,
            "city": city,
            "province": province,
            "phone": f"0574 {chance.randint(0, 999):06d}",
            "email": f"{name}.{surname}.{place}@posta.example".lower(),
        }
        if place % 5 == 0:
            firm = f"{chance.choice(_TRADES)} {surname} S.N.C."
            yield {**person, "name": firm, "vat_number": vat_number(place)}
        else:
            born = dt.date(1935, 1, 1) + dt.timedelta(days=chance.randint(0, 25_000))
            yield {
                **person,
                "name": f"{surname} {name}",
                "tax_code": tax_code(surname, name, born, woman=name[-1] == "A"),
            }


def vat_number(place):
    """A partita IVA with the right check digit, of an office that does not exist."""
    number = f"{9_000_000 + place:07d}097"
    return number + luhn.calc_check_digit(number)


def tax_code(surname, name, born, *, woman):
    """A codice fiscale with the right check character, of a town that does not exist."""
    month = "ABCDEHLMPRST"[born.month - 1]
    day = born.day + (40 if woman else 0)
    code = f"{letters(surname)}{letters(name)}{born:%y}{month}{day:02d}X000"
    return code + codicefiscale.calc_check_digit(code)


def letters(name):
    """Three letters of a name: consonants first, then vowels."""
    consonants = [letter for letter in name if letter not in "AEIOU"]
    vowels = [letter for letter in name if letter in "AEIOU"]
    return "".join([*consonants, *vowels, "X", "X"][:3])
