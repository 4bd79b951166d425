"""The guide: for everybody under /guida, and for customers in the frame of their pages."""

from flask import Blueprint, abort, current_app, render_template, send_from_directory
from flask_login import login_required

from domain import guide, language, public_pages
from views.assets import FOLDER
from views.frame import listed_supply
from views.public_pages import for_everybody

bp = Blueprint("guide", __name__)
PICTURES = FOLDER / "guide"
WHOLE = {guide.CUSTOMERS: "/guida/intera", guide.DESK: "/staff/guida/intera"}
A_DAY = 24 * 3600  # seconds


def init_app(app):
    app.register_blueprint(bp)


@bp.get("/guida")
@for_everybody
def contents():
    return contents_page(guide.CUSTOMERS, "/guida", layout="public/plain.html")


@bp.get("/guida/<name>")
@for_everybody
def chapter(name):
    return chapter_page(guide.CUSTOMERS, "/guida", name, layout="public/plain.html")


@bp.get("/guida/intera")
@for_everybody
def whole():
    return whole_page(guide.CUSTOMERS)


@bp.get("/guida/figure/<name>")
def picture(name):
    return send_from_directory(PICTURES, name, max_age=A_DAY)


@bp.get("/forniture/<supply_code>/guida")
@login_required
def contents_within(supply_code):
    return contents_page(guide.CUSTOMERS, **frame_of(supply_code, "guida"))


@bp.get("/forniture/<supply_code>/guida/<name>")
@login_required
def chapter_within(supply_code, name):
    return chapter_page(guide.CUSTOMERS, name=name, **frame_of(supply_code, f"guida/{name}"))


def frame_of(supply_code, within):
    """What the frame of a customer's page needs."""
    return {
        "here": f"/forniture/{supply_code}/guida",
        "layout": "base.html",
        "supply": listed_supply(supply_code),
        "page": "informazioni",
        "within": within,
    }


def contents_page(audience, here, **frame):
    return render_template(
        "guide/contents.html",
        title=guide.TITLES[audience],
        chapters=guide.chapters(audience),
        own_words=public_pages.addition(guide.OWN_WORDS[audience], current_app.config),
        here=here,
        whole=WHOLE[audience],
        **frame,
    )


def chapter_page(audience, here, name, **frame):
    shown, before, after = guide.beside(audience, name)
    if shown is None:
        abort(404)
    return render_template(
        "guide/chapter.html",
        title=shown.title,
        text=filled(shown, to=lambda of: f"{here}/{of}"),
        before=before,
        after=after,
        here=here,
        **frame,
    )


def whole_page(audience):
    """All chapters on one page, to be printed: a booklet in Italian, from cover to cover."""
    with language.speaking(language.SOURCE):
        return render_template(
            "guide/whole.html",
            title=guide.TITLES[audience],
            own_words=public_pages.addition(guide.OWN_WORDS[audience], current_app.config),
            chapters=[(each, filled(each, to="#{}".format)) for each in guide.chapters(audience)],
        )


def filled(chapter, *, to):
    """The text of a chapter; `to` gives the address of another."""
    return guide.text(chapter, current_app.config, to=to, picture="/guida/figure/{}".format)
