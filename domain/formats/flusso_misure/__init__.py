"""Electricity measure flows («flussi di misura»), read as a stream in bounded memory.

    for item in read(stream):  # one Flow, then a Point for each DatiPod

Namespaces are ignored and names are local. Energy comes in kWh with a decimal comma, power in
kW; values go out in whole Wh, varh and W. A DTD, and so any entity, is refused before its
content is looked at.
Source: AEEG, delibera 65/2012/R/eel and determina DMEG 6/2012, allegato A; for the second
generation of meters (2G) the SII's «Specifiche tecniche del processo di trasmissione misure».
"""

from domain.formats.flusso_misure.rows import Day, Flow, Point, Problem, Register, Unreadable
from domain.formats.flusso_misure.stream import is_flow, read

__all__ = ["Day", "Flow", "Point", "Problem", "Register", "Unreadable", "is_flow", "read"]
