"""XML bytes to a tree of local names, safe against hostile files.

No DTD, so no entities and no external reference of any kind; bounded depth, elements and
size. Namespaces are dropped, for they vary in the wild.
"""

from xml.etree.ElementTree import ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from domain.formats.fatturapa.errors import Unreadable

MAX_BYTES = 12 * 1024 * 1024  # the exchange system takes 5 MB
MAX_DEPTH = 100
MAX_ELEMENTS = 400_000

TOO_BIG = "Il file è troppo grande: una fattura elettronica non supera i 12 MB."


class LimitedBuilder(TreeBuilder):
    """Builds by local name, without attributes, within the limits."""

    def __init__(self):
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag, _attributes):
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Unreadable("Il file XML ha troppi elementi: non è una fattura elettronica.")
        return super().start(tag.rpartition("}")[2], {})

    def end(self, tag):
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])


def parse(content):
    """The root element of `content` (bytes, in any encoding it declares), or raise Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable(TOO_BIG)
    parser = DefusedXMLParser(target=LimitedBuilder(), forbid_dtd=True)
    try:
        parser.feed(content)
        return parser.close()
    except DefusedXmlException:
        raise Unreadable(
            "Il file XML contiene una DTD o delle entità, che una fattura elettronica non ha: "
            "per sicurezza non viene letto."
        ) from None
    except ParseError as error:
        line, column = error.position
        raise Unreadable(
            f"Il file XML è danneggiato o incompleto (riga {line}, colonna {column + 1}). "
            "Occorre generarlo di nuovo."
        ) from None
    except (LookupError, ValueError):
        raise Unreadable(
            "Il file XML dichiara una codifica dei caratteri che non è riconosciuta: "
            "occorre generarlo in UTF-8."
        ) from None
