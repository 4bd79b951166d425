"""What every form of forms.py promises about any body of a request.

The bytes are the name of a form, a line end, and the body: fields of a form as a browser
sends them, or parts (multipart) where they begin with `--`.
"""

import inspect
from urllib.parse import urlencode

from flask import Flask, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from wtforms import HiddenField, MultipleFileField, PasswordField, SelectField

import forms
from tests.fuzz.readers import HIGHEST, sentence
from views import language

FORMS = {
    name: form
    for name, form in vars(forms).items()
    if inspect.isclass(form) and issubclass(form, FlaskForm) and form is not FlaskForm
}
CHOICES = [("2026-11", "novembre"), ("2026-12", "dicembre")]  # where only the view knows them
VALID = {
    "email": "rosa@example.it", "dal": "23/11/2026", "al": "2026-12-31", "date": "2026-11-23",
    "since": "2026-11-23", "until": "2026-12-31", "ends_on": "2026-12-31",
    "dalle_ore": "00:00", "alle_ore": "24:00",
    "counter": "45.000", "corrector": "123", "phone": "+39 0574 123456", "fax": "", "keep": "y",
    "role": "operator", "text": "Uno.\r\nDue.",
    "subject": "Una domanda", "next": "/", "code": "000002",
}  # fmt: skip
BOUNDARY = "x-confine-x"

app = Flask("typed")
app.config.update(
    SECRET_KEY="x" * 32,
    WTF_CSRF_ENABLED=False,
    MAX_FORM_PARTS=50,
    MAX_CONTENT_LENGTH=1 << 20,
    MAX_FORM_MEMORY_SIZE=1 << 17,
)
language.init_app(app)


def check_forms(content):
    name, _line_end, body = content.partition(b"\n")
    names = sorted(FORMS)
    chosen = FORMS.get(name.decode("latin-1")) or FORMS[names[len(content) % len(names)]]
    kind = "application/x-www-form-urlencoded"
    if body.startswith(b"--"):
        kind = f"multipart/form-data; boundary={BOUNDARY}"
    with app.test_request_context(method="POST", data=body, content_type=kind):
        try:
            given = MultiDict(request.form)
            files = request.files
        except HTTPException:
            return
        for name in files:
            given.setlist(name, files.getlist(name))
        check_form(chosen, given)


def filled(chosen, given):
    """The form with those values, and something to choose from where the view knows what."""
    form = chosen(given)
    for field in form:
        if isinstance(field, SelectField) and not field.choices:
            field.choices = CHOICES
    return form


def check_form(chosen, given):
    form = filled(chosen, given)
    good = form.validate()
    assert isinstance(good, bool)
    for field in form:
        str(field())  # what was typed is shown again
        assert all(isinstance(str(error), str) for error in field.errors)
        for error in field.errors:
            sentence(error)
        if good:
            check_value(field)
    if good:
        for name, _value in inspect.getmembers(chosen, lambda value: isinstance(value, property)):
            getattr(form, name)


def check_value(field):
    """What a valid form holds can be kept, and looked for, in either database."""
    if isinstance(field, (PasswordField, HiddenField, MultipleFileField)):
        return
    value = field.data
    if isinstance(value, str):
        value.encode()
        assert "\x00" not in value or field.name in {"confirmed", "confermo"}, field.name
    elif isinstance(value, int):
        assert 0 <= value <= HIGHEST


def fields_of(form):
    with app.test_request_context():
        return list(form(None))


def valid_value(field):
    if isinstance(field, SelectField):
        return next((choice[0] for choice in field.iter_choices()), CHOICES[0][0])
    return VALID.get(field.name, "Sette-mele-verdi-74")


def body_of(form):
    """A body with which the form is valid."""
    return urlencode({field.name: valid_value(field) for field in fields_of(form)})


def parts_of(form):
    lines = []
    for field in fields_of(form):
        is_file = isinstance(field, MultipleFileField)
        file_name = '; filename="a.pdf"\r\nContent-Type: application/pdf' if is_file else ""
        value = "%PDF-1.4 %%EOF" if is_file else valid_value(field)
        disposition = f'Content-Disposition: form-data; name="{field.name}"{file_name}'
        lines.append(f"--{BOUNDARY}\r\n{disposition}\r\n\r\n{value}\r\n")
    return "".join(lines) + f"--{BOUNDARY}--\r\n"


def seeds():
    found = [f"{name}\n{body_of(form)}".encode() for name, form in FORMS.items()]
    for name, form in FORMS.items():
        if any(isinstance(field, MultipleFileField) for field in fields_of(form)):
            found.append(f"{name}\n{parts_of(form)}".encode())
    return found
