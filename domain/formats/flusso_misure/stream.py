"""From bytes to DatiPod elements, of which only one at a time is in memory."""

import re
from contextlib import suppress
from functools import lru_cache
from xml.parsers import expat

from domain.formats.flusso_misure.points import ENERGIES, Block, WattHours, point
from domain.formats.flusso_misure.rows import Flow, Unreadable

CHUNK = 1 << 16
LONGEST_PIECE = 1 << 20  # bytes of one tag or comment: the parser keeps it whole
LONGEST_TEXT = 1000
DEEPEST = 32
MOST_ELEMENTS = 2000  # of one DatiPod: a month of both energies takes 70
MOST_NAMES = 5000  # different ones, which the parser never forgets

ROOTS = ("FlussoMisure", "FlussoMisureR", "FlussoDati")
BLOCKS = {"Misura", "Curva", "Consumo"}
CODE = re.compile(r"[A-Z]{3}(_?2G)?")
REGISTER = re.compile(r"(Ea|Er|Pot)F[1-6]")


def is_flow(stream):
    """Whether the root element of the XML in `stream` is that of a flow."""

    def start(name, _attributes):
        nonlocal found
        found = found or local(name)

    found = ""
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with suppress(expat.ExpatError, LookupError, ValueError):  # what begins as a flow is one
        parser.Parse(stream.read(CHUNK), False)
    return found.startswith("Flusso")


def read(stream):
    """Yield the Flow in the binary `stream`, then its Points; raise Unreadable."""
    reader = _Reader()
    while chunk := stream.read(CHUNK):
        yield from reader.feed(chunk)
    yield from reader.end()


@lru_cache(1000)
def local(name):
    """A name without its prefix."""
    return name.rpartition(":")[2]


class _Reader:
    """Feeds the parser, and keeps no more than one DatiPod of what it tells."""

    def __init__(self):
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse_dtd
        self._fed = 0
        self._depth = 0
        self._header = {}
        self._root = None  # (line, name, CodFlusso)
        self._flow = None
        self._point = self._block = None
        self._elements = 0
        self._attributes = self._line = None  # of the element that began last
        self._text = ""
        self._is_leaf = False
        self._numbers = WattHours()
        self._ready = []

    def feed(self, chunk):
        self._fed += len(chunk)
        self._parse(chunk, False)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_PIECE:
            raise Unreadable(
                f"Un elemento del file supera {LONGEST_PIECE} byte: non è un flusso di misure.",
                self._parser.CurrentLineNumber,
            )
        if len(self._parser.intern) > MOST_NAMES:
            raise Unreadable("Il file ha troppi nomi diversi: non è un flusso di misure.")
        return self._taken()

    def end(self):
        self._parse(b"", True)
        if self._flow is None:
            raise Unreadable("Il flusso non contiene nessun DatiPod: controllare il file.")
        return self._taken()

    def _taken(self):
        ready, self._ready = self._ready, []
        return ready

    def _parse(self, chunk, is_last):
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise Unreadable(
                f"Il file XML è danneggiato o incompleto (riga {error.lineno}, colonna "
                f"{error.offset + 1}). Occorre scaricarlo di nuovo.",
                error.lineno,
            ) from None
        except (LookupError, ValueError):
            raise Unreadable(
                "Il file XML dichiara una codifica dei caratteri che non è riconosciuta: "
                "occorre generarlo in UTF-8."
            ) from None

    def _refuse_dtd(self, *_declaration):
        raise Unreadable(
            "Il file XML contiene una DTD o delle entità, che un flusso di misure non ha: per "
            "sicurezza non viene letto.",
            self._parser.CurrentLineNumber,
        )

    def _start(self, name, attributes):
        name = local(name)
        self._depth += 1
        self._line = self._parser.CurrentLineNumber
        if self._depth > DEEPEST:
            raise Unreadable("Il file ha troppi elementi uno dentro l'altro.", self._line)
        self._attributes, self._text, self._is_leaf = attributes, "", True
        if self._point is not None:
            self._elements += 1
            if self._elements > MOST_ELEMENTS:
                raise Unreadable("Un DatiPod ha troppi elementi.", self._line, "DatiPod")
        if self._root is None:
            self._begin(name, attributes)
        elif name == "DatiPod":
            self._begin_point(name)
        elif name in BLOCKS and self._point is not None:
            self._begin_block(name)
        elif name in ENERGIES and self._point is None:
            raise Unreadable(f"L'elemento {name} sta fuori da un DatiPod.", self._line, name)

    def _end(self, name):
        name = local(name)
        self._depth -= 1
        if self._is_leaf:
            self._leaf(name, self._text.strip())
        elif name in ENERGIES:
            raise Unreadable(f"L'elemento {name} ne contiene altri.", self._line, name)
        self._is_leaf = False
        if name == "DatiPod":
            self._ready.append(point(self._flow, self._point, self._numbers))
            self._point = self._block = None
        elif name in BLOCKS and self._block is not None:
            self._block = self._point

    def _characters(self, text):
        if len(self._text) < LONGEST_TEXT:
            self._text += text[:LONGEST_TEXT]

    def _leaf(self, name, text):
        if self._point is None:
            self._header[name] = text
        elif name in ENERGIES:
            self._block.rows.append((self._line, name, self._attributes, text))
        elif REGISTER.fullmatch(name):
            self._block.registers.append((self._line, name, text))
        else:
            self._block.texts[name] = text

    def _begin(self, name, attributes):
        if name not in ROOTS:
            raise Unreadable(
                f"Il file XML non è un flusso di misure: l'elemento principale è «{name[:60]}» e "
                f"non {', '.join(ROOTS)}.",
                self._line,
            )
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        self._root = self._line, name, given.get("CodFlusso", "")

    def _begin_point(self, name):
        if self._point is not None:
            raise Unreadable("Un DatiPod sta dentro un altro.", self._line, name)
        if self._flow is None:
            self._flow = self._read_header()
            self._ready.append(self._flow)
        self._point = self._block = Block(name, self._line)
        self._elements = 0

    def _begin_block(self, name):
        if self._block is not self._point:
            raise Unreadable(f"L'elemento {name} sta dentro {self._block.name}.", self._line, name)
        self._block = self._point.inner(name, self._line)

    def _read_header(self):
        line, root, code = self._root
        code = (code or self._header.get("CodFlusso", "")).strip().upper()
        if not CODE.fullmatch(code):
            raise Unreadable(
                "Il codice del flusso manca o non è come PDO o PDO2G: senza non si sa come leggere "
                "le misure.",
                line,
                "CodFlusso",
                code,
            )
        return Flow(line, root, code, self._header.get("PIvaUtente", ""))
