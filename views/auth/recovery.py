"""«Hai dimenticato la Password ?»"""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from domain import accounts, mail
from domain.clock import utcnow
from domain.errors import Refused
from forms import RecoveryForm
from views.auth import bp, status


@bp.get("/password-dimenticata")
def recovery():
    return render_template("auth/recovery.html", form=RecoveryForm())


@bp.post("/password-dimenticata")
def recover():
    form = RecoveryForm(request.form)
    if not form.validate():
        return render_template("auth/recovery.html", form=form), 422
    try:
        accounts.recover(form.code.data, address=request.remote_addr, now=utcnow())
    except Refused as refusal:
        form.code.errors.append(str(refusal))
        return render_template("auth/recovery.html", form=form), status(refusal)
    flash(
        _(
            "Se il codice è di un cliente registrato, una nuova password arriva tra pochi minuti "
            "all'indirizzo di posta elettronica dato alla registrazione. Vale sei ore e una volta "
            "sola; fino ad allora resta valida quella di prima."
        )
    )
    mail.kick()
    return redirect(url_for(".login"), 303)
