"""An SVG is shown only where it is a drawing and nothing else."""

import pytest

from domain.formats import svg

START = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'

DRAWINGS = [
    "<title>Logo</title><path d='M0 0h9v9z' fill='#fff'/>",
    "<style>.a { fill: url(#g) } @media (prefers-color-scheme: dark) { .a { fill: #fff } }</style>",
    "<defs><linearGradient id='g'/></defs><rect fill='url(#g)' style='mask: url(\"#m\")'/>",
    "<use href='#a'/><use xlink:href='#a'/>",
    "<image href='data:image/png;base64,AAAA'/>",
    "<metadata><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<r:li r:resource='http://purl.org/dc'/></r:RDF></metadata>",
    "<g xmlns:i='http://www.inkscape.org/namespaces/inkscape' i:label='Livello 1'/>",
]
OTHERS = [
    "<script>alert(1)</script>",
    "<script href='https://x.example/a.js'/>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>a</p></foreignObject>",
    "<g onclick='alert(1)'/>",
    "<g OnLoad='alert(1)'/>",
    "<a href='javascript:alert(1)'><path/></a>",
    "<a xlink:href='https://x.example/'><path/></a>",
    "<use href='//x.example/a.svg#a'/>",
    "<use href=' https://x.example/a.svg#a'/>",
    "<image href='data:image/svg+xml;base64,AAAA'/>",
    "<image href='data:text/html,a'/>",
    "<feImage href='https://x.example/a.png'/>",
    "<rect fill='url(https://x.example/a#b)'/>",
    "<rect style='fill: URL( \"//x.example/a\" )'/>",
    "<style>@import 'https://x.example/a.css';</style>",
    "<style>a { background: u\\72l(https://x.example/) }</style>",
    "<style><g/>@import 'https://x.example/a.css';</style>",
    "<style><desc>a</desc>svg { background: url(https://x.example/a.png) }</style>",
    "<style>@\\69mport 'https://x.example/a.css';</style>",
    "<style>svg { background: Image-Set('https://x.example/a.png' 1x) }</style>",
    "<g style=\"mask: -webkit-image-set('https://x.example/a.png' 1x)\"/>",
    "<style>svg { background: src('https://x.example/a.png') }</style>",
    "<image srcset='https://x.example/a.png'/>",
    "<a href='#a' ping='https://x.example/'><path/></a>",
    "<set attributeName='href' to='javascript:alert(1)'/>",
    "<animate attributeName='xlink:href' values='javascript:alert(1)'/>",
    "<g xml:base='https://x.example/'/>",
]


@pytest.mark.parametrize("inside", DRAWINGS)
def test_a_drawing_is_taken(inside):
    svg.check(f"\ufeff<?xml version='1.0'?>\n{START}{inside}</svg>".encode())


@pytest.mark.parametrize("inside", OTHERS)
def test_what_runs_or_asks_elsewhere_is_refused(inside):
    with pytest.raises(svg.NotADrawing):
        svg.check(f"{START}{inside}</svg>".encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"\xff\xfe<\x00s\x00", b"<svg", b"<svg/>", b"<html><body/></html>",
     b"\x89PNG\r\n\x1a\n", b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + START.encode() + b"&a;</svg>",
     b"<!DOCTYPE svg SYSTEM 'https://x.example/a.dtd'>" + START.encode() + b"</svg>",
     b"<?xml-stylesheet href='https://x.example/a.css'?>" + START.encode() + b"</svg>",
     START.encode() + b"<g>" * 20_000],
)  # fmt: skip
def test_what_is_no_svg_is_refused(content):
    with pytest.raises(svg.NotADrawing):
        svg.check(content)
