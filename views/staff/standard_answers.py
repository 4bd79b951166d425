"""«Risposte standard»: the texts that operators send often, kept by themselves."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import standard_answers
from domain.errors import Refused
from forms import StandardAnswerForm
from views.paging import number
from views.staff.access import noting, operator_required

bp = Blueprint("staff_standard_answers", __name__, url_prefix="/staff/ticket/risposte")

HERE = "/staff/ticket/risposte"
FRAME = {"page": "ticket", "title": _l("Risposte standard")}


def init_app(app):
    app.register_blueprint(bp)


def shown_or_404(key):
    return standard_answers.one(number(key, 0)) or abort(404)


@bp.get("")
@operator_required
def index():
    answers = standard_answers.all_of_them()
    return render_template("staff/standard_answers/index.html", **FRAME, answers=answers)


@bp.get("/nuova")
@operator_required
def new():
    return answer_page(None, StandardAnswerForm())


@bp.post("/nuova")
@operator_required
def add():
    return save(None)


@bp.get("/<key>")
@operator_required
def answer(key):
    answer = shown_or_404(key)
    return answer_page(answer, StandardAnswerForm(obj=answer))


@bp.post("/<key>")
@operator_required
def change(key):
    return save(shown_or_404(key))


def answer_page(answer, form):
    return render_template(
        "staff/standard_answers/answer.html",
        **FRAME,
        answer=answer,
        form=form,
    )


def save(answer):
    """Keep what was typed in `answer`, or in a new one."""
    form = StandardAnswerForm(request.form)
    if not form.validate():
        return answer_page(answer, form), 422
    try:
        with noting("standard_answer_saved") as told:
            saved = standard_answers.save(answer, form.title.data, form.text.data)
            told["answer"] = saved.id
    except Refused as refusal:
        form.title.errors = [str(refusal)]
        return answer_page(answer, form), 422
    flash(_("Risposta standard salvata."))
    return redirect(HERE, 303)


@bp.post("/<key>/elimina")
@operator_required
def remove(key):
    answer = shown_or_404(key)
    with noting("standard_answer_removed", answer=answer.id):
        standard_answers.remove(answer)
    flash(_("Risposta standard eliminata."))
    return redirect(HERE, 303)
