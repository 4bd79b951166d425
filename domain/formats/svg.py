"""Whether an SVG is only a drawing: it runs nothing, and asks nothing of any other address.

A browser shows it as a picture, in which nothing runs anyway; but the file has an address of its
own too, and goes into what is printed.
"""

import re
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

SVG, XHTML = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"
RUNS = {"script", "foreignObject", "handler", "iframe", "embed", "object", "audio", "video"}
ADDRESSES = {"href", "src", "srcset", "ping"}
CHANGES = {"animate", "animateMotion", "animateTransform", "set"}  # could write an address

_INSTRUCTION = re.compile(r"<\?(?!xml\s)")
_WITHIN = re.compile(r"#|data:image/(?:png|jpeg|gif|webp)[;,]", re.IGNORECASE)
_ASKED_FOR = re.compile(r"url\(\s*[\"']?\s*", re.IGNORECASE)
_ASKS_OTHERWISE = re.compile(r"@import|\b(?:image-set|src)\(", re.IGNORECASE)


class NotADrawing(ValueError):
    """The text says in Italian, for whoever made the file, what it should not have."""


def check(content):
    """Raise NotADrawing unless `content` (bytes) is an SVG that is safe to show."""
    try:
        text = content.decode("utf-8-sig")
        root = fromstring(text, forbid_dtd=True)
    except UnicodeDecodeError:
        raise NotADrawing("non è scritto in UTF-8") from None
    except (ParseError, ValueError, DefusedXmlException) as error:
        raise NotADrawing(f"non si legge come SVG ({error})") from None
    if root.tag != f"{{{SVG}}}svg":
        raise NotADrawing("non è un SVG")
    if _INSTRUCTION.search(text):
        raise NotADrawing("contiene un'istruzione «<?…?>»")
    for element in root.iter():
        _check_element(element)


def _check_element(element):
    space, _brace, name = str(element.tag).removeprefix("{").rpartition("}")
    if space == XHTML or name in RUNS:
        raise NotADrawing(f"contiene «{name}», che può eseguire qualcosa")
    if name in CHANGES:
        raise NotADrawing(f"contiene un'animazione («{name}»)")
    for attribute, value in element.attrib.items():
        _check_attribute(attribute.rpartition("}")[2].lower(), value)
    if name == "style":
        _check_style("".join(element.itertext()))  # browsers leave out what stands between


def _check_attribute(name, value):
    if name.startswith("on"):
        raise NotADrawing(f"contiene «{name}», che esegue qualcosa")
    if name == "base" or (name in ADDRESSES and not _WITHIN.match(value.strip())):
        raise NotADrawing(f"rimanda a un altro indirizzo: {value.strip()[:80]}")
    _check_style(value)


def _check_style(text):
    """Nothing in a style, or in an attribute that could stand in one, comes from elsewhere."""
    written_otherwise = "\\" in text and ("(" in text or "@" in text)
    if written_otherwise or _ASKS_OTHERWISE.search(text):
        raise NotADrawing("contiene uno stile che prende altro da fuori")
    for asked in _ASKED_FOR.finditer(text):
        if not _WITHIN.match(text, asked.end()):
            raise NotADrawing(f"rimanda a un altro indirizzo: {text[asked.start() :][:80]}")
