"""Texts written at the desk, with some formatting, and what becomes of them on a page.

What is written is marks that read well by themselves (`**bold**`, `# heading`, `- entry`) or a
little HTML, as it comes from another program. Either way nothing reaches a page but what nh3
leaves of it, and only `formatted` calls text markup.
"""

import html
import re
from functools import lru_cache
from itertools import groupby

import nh3
from markupsafe import Markup

BLOCKS = ("p", "h2", "h3", "ul", "ol", "li")
TAGS = {*BLOCKS, "br", "strong", "b", "em", "i", "a"}
UNHEARD = {"script", "style", "title", "textarea", "template", "noscript", "iframe", "svg", "math"}
ADDRESS = re.compile(r"https://[^\s/].*|mailto:[^\s@?]+@[^\s@?]+", re.DOTALL)
REL = "noopener noreferrer external"
LONGEST = 250_000  # characters of markup; the longest text, all of it links, gives 150,000

_IS_HTML = re.compile(rf"</?(?:{'|'.join(sorted(TAGS | UNHEARD))})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENDS_LINE = re.compile(rf"<br ?/?>|</(?:{'|'.join(BLOCKS)})>")
_BOLD = re.compile(r"\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])")
_LINK = re.compile(
    r"""\[(?P<words>[^\]\[]+)\]\((?P<to>https://[^\s()<>"]+|mailto:[^\s()<>"]+)\)"""
    r"""|(?P<bare>https://[^\s<>"«»]*[^\s<>"«».,;:!?)])"""
)
_MARKED = {
    "h2": re.compile(r"#+\s+"),
    "ul": re.compile(r"[-•]\s+"),
    "ol": re.compile(r"\d+[.)]\s+"),
}


@lru_cache(64)
def formatted(source):
    """A text of the desk as markup that is safe on any page."""
    written = source if _IS_HTML.search(source) else _from_marks(source)
    return Markup(_clean(written))  # noqa: S704 (nh3 made it)


def is_tangled(source):
    """Whether it would take a page too much: elements left open are repeated in all that follow."""
    return len(formatted(source)) > LONGEST


def plain(source):
    """The words of a text of the desk, without its formatting."""
    lines = _ENDS_LINE.sub(lambda end: f"{end[0]}\n", formatted(source))
    words = html.unescape(nh3.clean(lines, tags=set()))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]*\n[^\S\n]*", "\n", words)).strip()


def _harmless(_tag, name, value):
    """An attribute that nh3 would leave or adds itself, unless it leads to another place."""
    return value if name != "href" or ADDRESS.fullmatch(value) else None


def _clean(written):
    return nh3.clean(
        written,
        tags=TAGS,
        clean_content_tags=UNHEARD,
        attributes={"a": {"href"}},
        attribute_filter=_harmless,
        url_schemes={"https", "mailto"},
        link_rel=REL,
    )


# -- Marks ---------------------------------------------------------------------------------


def _from_marks(source):
    """HTML of a text with marks; whatever else is in it stays as it is."""
    lines = source.replace("\r\n", "\n").split("\n")
    groups = groupby(map(str.strip, lines), key=_block)
    return "\n".join(_group(kind, list(some)) for kind, some in groups if kind)


def _block(line):
    """The element that a line belongs to; none for an empty one."""
    if not line:
        return None
    return next((kind for kind, mark in _MARKED.items() if mark.match(line)), "p")


def _group(kind, lines):
    if kind == "p":
        return f"<p>{'<br>'.join(map(_inline, lines))}</p>"
    entries = [_inline(_MARKED[kind].sub("", line, count=1)) for line in lines]
    if kind == "h2":
        return "\n".join(f"<h2>{each}</h2>" for each in entries)
    items = "".join(f"<li>{each}</li>" for each in entries)
    return f"<{kind}>{items}</{kind}>"


def _inline(line):
    """A line with its links, its bold and its italics."""
    pieces, place = [], 0
    for found in _LINK.finditer(line):
        words, to = found["words"] or found["bare"], found["to"] or found["bare"]
        pieces += [_words(line[place : found.start()]),
                   f'<a href="{html.escape(to)}">{_words(words)}</a>']  # fmt: skip
        place = found.end()
    return "".join([*pieces, _words(line[place:])])


def _words(text):
    text = _BOLD.sub(r"<strong>\1</strong>", html.escape(text))
    return _ITALIC.sub(r"<em>\1</em>", text)
