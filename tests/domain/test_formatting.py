"""What operators write with some formatting, and that nothing else of it reaches a page."""

import re
from pathlib import Path

import pytest
from markupsafe import Markup, escape

from domain.formatting import TAGS, formatted, plain

ROOT = Path(__file__).parent.parent.parent
REL = 'rel="noopener noreferrer external"'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Una riga", "<p>Una riga</p>"),
        ("Una\r\nseconda", "<p>Una<br>seconda</p>"),
        ("Uno\n\n\nDue", "<p>Uno</p>\n<p>Due</p>"),
        ("# Titolo\nTesto", "<h2>Titolo</h2>\n<p>Testo</p>"),
        ("- uno\n- due", "<ul><li>uno</li><li>due</li></ul>"),
        ("1. uno\n2) due", "<ol><li>uno</li><li>due</li></ol>"),
        ("**molto** e *poco*", "<p><strong>molto</strong> e <em>poco</em></p>"),
        ("2 * 3 * 4 e 2*3*4, ** no **", "<p>2 * 3 * 4 e 2*3*4, ** no **</p>"),
        ("https://a.it/x?b=1&c=2.", f'<p><a href="https://a.it/x?b=1&amp;c=2" {REL}>'
         "https://a.it/x?b=1&amp;c=2</a>.</p>"),
        ("[lo *sportello*](https://a.it)", f'<p><a href="https://a.it" {REL}>lo '
         "<em>sportello</em></a></p>"),
        ("[scrivere](mailto:a@b.it)", f'<p><a href="mailto:a@b.it" {REL}>scrivere</a></p>'),
        ("[no](http://a.it) [no](/logout)", "<p>[no](http://a.it) [no](/logout)</p>"),
        ("5 < 6 & a<b, c > d", "<p>5 &lt; 6 &amp; a&lt;b, c &gt; d</p>"),
        ("<b>già</b> scritto", "<b>già</b> scritto"),
        ("<h3>T</h3><p>a<br>b</p>", "<h3>T</h3><p>a<br>b</p>"),
    ],
)  # fmt: skip
def test_marks_and_a_little_html_become_formatting(written, shown):
    assert formatted(written) == shown


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("# Titolo\n**uno** e\n- due\n- tre", "Titolo\n\nuno e\n\ndue\ntre"),
        ("<p>a &amp; b</p><p>c<br>d</p>", "a & b\nc\nd"),
        ("5 < 6", "5 < 6"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("<p></p>", ""),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_the_words_without_formatting(written, words):
    assert plain(written) == words


HOSTILE = (
    "<script>alert(1)</script>",
    "<p><scr<script>ipt>alert(1)</scr</script>ipt></p>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><p>x</p></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg><p>x</p>",
    "<math><mtext><table><mglyph><style><!--</style><img src=1 onerror=alert(1)><p>",
    '<p hx-get="/logout" hx-trigger="load" data-hx-get="/x">x</p>',
    '<p onclick="alert(1)" style="position:fixed" class="btn" id="content">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt&colon;alert(1)">x</a>',
    '<a href=" java\nscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="//evil.example">x</a><a href="/logout">y</a><a href="http://a.it">z</a>',
    '<a href="https://a.it" target="_top" rel="opener" ping="https://b.it">x</a>',
    '<form action="/logout"><button>x</button></form><p>y</p>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><p>y</p>",
    '<base href="https://evil.example/"><meta http-equiv=refresh content="0"><p>x</p>',
    "<p>x</p><!-- <script>alert(1)</script> -->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    '[x](javascript:alert(1)) [y](https://a.it"onmouseover="alert(1))',
    "**<img src=x onerror=alert(1)>**",
    "[<img src=x onerror=alert(1)>](https://a.it)",
    "{{ 7*7 }} {% raw %}<b>x</b>",
    "<b>\x00</b><scr\x00ipt>alert(1)</script>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'>",
)
ELEMENT = re.compile(r"<(/?)([a-zA-Z0-9]+)([^>]*)>")


@pytest.mark.parametrize("written", HOSTILE)
def test_row_13_of_hostile_text_only_known_elements_without_attributes_are_left(written):
    shown = str(formatted(written))
    for _slash, name, attributes in ELEMENT.findall(shown):
        assert name in TAGS
        assert name == "a" or not attributes
    for attributes in re.findall(r"<a([^>]*)>", shown):
        assert re.fullmatch(rf'( href="(https://|mailto:)[^"\s<>]*")? {re.escape(REL)}', attributes)
    assert "<" not in ELEMENT.sub("", shown)
    if ELEMENT.search(shown):
        assert formatted(shown) == shown  # what was cleaned stays clean


@pytest.mark.parametrize(
    "written",
    ["**a " * 5000, "<b>" * 6600, "[" * 20_000, "<" * 20_000, "<b><i><p>" * 1500, "*a" * 10_000],
)
def test_row_19_long_ones_end(written):
    assert isinstance(formatted(written), Markup)


def test_only_the_cleaner_calls_text_markup():
    """And the guide, whose chapters are the project's own files with values escaped."""
    calls = []
    for room in ("app.py", "models.py", "forms.py", "views", "domain", "jobs"):
        place = ROOT / room
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            if re.search(r"\bMarkup\(|__html__", path.read_text()):
                calls.append(str(path.relative_to(ROOT)))
    assert calls == ["domain/formatting.py", "domain/guide.py"]


def test_templates_write_it_as_it_is_and_everything_else_escaped(app):
    template = app.jinja_env.from_string("{{ ours }}{{ theirs }}")
    assert template.render(ours=formatted("**x**"), theirs="<b>") == (
        "<p><strong>x</strong></p>&lt;b&gt;"
    )
    assert escape(formatted("x")) == "<p>x</p>"
