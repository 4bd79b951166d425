"""docs/guida/*.md as the pieces of HTML that the portal puts into its pages.

Done ahead, so that the portal needs no reader of Markdown: templates/guide/ holds what comes
out, tests/test_guide.py holds that it is up to date. Beyond Markdown:

- `### …` and what follows it is a step; a picture in it stands beside the words;
- `> …` is a note;
- «…» is what stands on the screen, and is set off;
- `{utility}` and the other places of domain/public_pages.py are filled in by the portal, and so
  is `{to:chapter}`, what a link between chapters becomes.
"""

import html
import re
from itertools import groupby
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from domain.guide import AUDIENCES, ROOM

ROOT = Path(__file__).parent.parent.parent
SOURCES = ROOT / "docs" / "guida"
PICTURES = ROOT / "static" / "guide"
PHONE = 390  # pixels of the screen
PIXELS = {"phone": 2, "desk": 1.25}  # of a picture, for one of the screen
WIDE = 560  # pixels of the screen; a picture that is wider stands below the words
ON_SCREEN = re.compile(r"«[^«»]+»")


def write():
    """All pieces anew; those of chapters that are no more are removed."""
    wanted = pieces()
    for path in {*ROOM.glob("*/*.html")} - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def pieces():
    """What each file of templates/guide/ should hold."""
    return {
        ROOM / audience / f"{source.stem}.html": rendered(source)
        for audience in AUDIENCES
        for source in chapters(audience)
    }


def chapters(audience):
    """The sources of a guide, in their order."""
    return sorted((SOURCES / audience).glob("*.md"))


def labels(text):
    """What a text of the guide says that stands on the screen."""
    return {" ".join(label.strip("«»").split()) for label in ON_SCREEN.findall(text)}


def pictures():
    """The names of the pictures taken of pages, which the guide shows."""
    sources = "".join(path.read_text("utf-8") for path in SOURCES.glob("*/*.md"))
    return set(re.findall(r"([\w-]+\.webp)\)", sources))


def rendered(source):
    """The HTML of one chapter: its title alone in the first line."""
    reader = MarkdownIt("commonmark").enable("table")
    reader.add_render_rule("text", _set_off)
    tokens = reader.parse(source.read_text("utf-8"))
    blocks = [_block(reader, source, group) for group in _grouped(tokens)]
    (kind, title), *rest = blocks
    assert kind == "h1", f"{source}: a chapter begins with its title"
    return "\n".join([title, *_in_steps(rest), ""])


def _set_off(_renderer, tokens, place, _options, _env):
    return ON_SCREEN.sub(r"<b>\g<0></b>", html.escape(tokens[place].content, quote=False))


def _grouped(tokens):
    """The tokens of each block of the text, one after the other."""
    group, depth = [], 0
    for token in tokens:
        group.append(token)
        depth += token.nesting
        if depth == 0:
            yield group
            group = []


def _block(reader, source, group):
    """(kind, HTML) of a block; the kind is its tag, or `figure` or `wide`."""
    for token in filter(lambda token: token.children, group):
        token.children = list(_joined(token.children))
        for child in token.children:
            if child.type == "link_open":
                child.attrSet("href", _leads_to(child.attrGet("href")))
    first = group[0]
    picture = _picture_of(group)
    if picture:
        return _figure(reader, picture)
    written = reader.renderer.render(group, reader.options, {}).strip()
    if first.tag == "h1":
        return "h1", f"<h1>{re.sub('<[^>]+>', '', written)}</h1>"
    if first.tag in {"h2", "h3"}:
        name = _name(f"{source.stem.partition('-')[2]} {re.sub('<[^>]+>', '', written)}")
        return first.tag, f'<{first.tag} id="{name}">{_inside(written)}</{first.tag}>'
    if first.type == "blockquote_open":
        return "note", f'<div class="guide-note">\n{_inside(written).strip()}\n</div>'
    if first.type == "table_open":
        return "table", written.replace("<table>", '<table class="guide-table">')
    return first.tag, written


def _joined(children):
    """The pieces of a paragraph, text that goes on in the next line as one."""
    for kind, some in groupby(children, key=lambda child: child.type in {"text", "softbreak"}):
        if kind:
            text = Token("text", "", 0)
            text.content = "".join(child.content or " " for child in some)
            yield text
        else:
            yield from some


def _inside(written):
    return re.sub(r"^<[^>]+>|</[^>]+>$", "", written)


def _name(words):
    """What follows the # in the address of a heading; each chapter has its own."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.lower()))


def _leads_to(address):
    chapter = re.fullmatch(r"\d+-([a-z-]+)\.md", address)
    return f"{{to:{chapter[1]}}}" if chapter else address


def _picture_of(group):
    inline = next((token for token in group if token.type == "inline"), None)
    children = inline.children if inline and group[0].type == "paragraph_open" else []
    return children[0] if [child.type for child in children] == ["image"] else None


def _figure(reader, picture):
    name = Path(picture.attrGet("src")).name
    alt = html.escape(reader.renderer.renderInlineAsText(picture.children, reader.options, {}))
    width, height = size(PICTURES / name)
    kind = "wide" if width > WIDE else "figure"
    opened = "<figure>" if kind == "wide" else '<figure class="guide-small">'
    shown = (
        f'{opened}<img src="{{picture:{name}}}" alt="{alt}" width="{width}" height="{height}" '
        'loading="lazy"></figure>'
    )
    return kind, shown


def size(path):
    """(width, height) that a picture takes on the screen."""
    if path.suffix == ".svg":
        return tuple(map(int, re.findall(r'(?:width|height)="(\d+)"', path.read_text())[:2]))
    with Image.open(path) as image:
        by = PIXELS["phone" if image.width == PHONE * PIXELS["phone"] else "desk"]
        return round(image.width / by), round(image.height / by)


def _in_steps(blocks):
    """The blocks, those of a step together: its words, then its picture."""
    words, pictures = [], []
    for kind, written in [*blocks, ("h2", "")]:
        if kind in {"h2", "h3"} and words:
            yield _step(words, pictures)
            words, pictures = [], []
        if kind == "h3" or words:
            if kind in {"figure", "wide"}:
                pictures.append((kind, written))
            elif written:
                words.append(written)
        elif written:
            yield written


def _step(words, pictures):
    told = "\n".join(words)
    if not pictures:
        return f'<section class="guide-step">\n{told}\n</section>'
    beside = all(kind == "figure" for kind, _written in pictures)
    shown = "\n".join(written for _kind, written in pictures)
    kind = "guide-step guide-beside" if beside else "guide-step"
    return f'<section class="{kind}">\n<div>\n{told}\n</div>\n{shown}\n</section>'
