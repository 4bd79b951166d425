"""TAL.0050: the self-readings of a batch that a distributor is asked to take over.

The request of the gas standard «Prestazione TAL, flusso 0050» (ARERA), one file for each
distributor; see docs/formati.md for the elements.
"""

import re
from xml.etree import ElementTree  # only written here

from domain import italian

NAME = r"TAL0050_([0-9]{6,9})_[0-9]{11}\.xml"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def file_name(number, distributor):
    """Of batch `number` and the VAT number of a distributor."""
    return f"TAL0050_{number:06d}_{distributor}.xml"


def is_vat_number(text):
    """Whether a VAT number, right or not, has the shape that names a distributor here."""
    return text is not None and re.fullmatch(r"\d{11}", text, re.ASCII) is not None


def write(user, distributor, readings):
    """The bytes of the request of `user` (VAT number of the utility) to `distributor`.

    `readings` have pdr, meter_serial, day, counter (m3), and, where a corrector is fitted,
    corrector (Smc) and corrector_serial.
    """
    root = ElementTree.Element("Prestazione", cod_servizio="TAL", cod_flusso="0050")
    _add(root, "IdentificativiRichiesta", piva_utente=user, piva_distr=distributor)
    for reading in readings:
        cells = {
            "cod_pdr": reading.pdr,
            "matr_mis": reading.meter_serial,
            "data_com_autolet_cf": italian.day(reading.day),
            "let_tot_prel": f"{reading.counter:09d}",
        }
        if reading.corrector is not None:
            cells["let_tot_conv"] = f"{reading.corrector:09d}"
            cells["matr_conv"] = reading.corrector_serial
        _add(root, "DatiPdR", **cells)
    ElementTree.indent(root)
    return ElementTree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _add(parent, name, **cells):
    element = ElementTree.SubElement(parent, name)
    for tag, text in cells.items():
        ElementTree.SubElement(element, tag).text = text and _NOT_XML.sub("\ufffd", text)
