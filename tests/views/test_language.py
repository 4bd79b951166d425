"""Texts of templates: put in at compile time, variables looked up."""

import pytest
from flask_babel import gettext, lazy_gettext, ngettext

from domain import language


def test_a_text_is_part_of_the_compiled_template(app):
    source = app.jinja_env.compile('<p>{{ _("Elenco fatture") }}</p>', raw=True)
    assert "<p>Elenco fatture</p>" in source


def test_texts_are_escaped_like_any_other(app):
    template = app.jinja_env.from_string('{{ _("<b>l\'anno</b>") }}')
    assert "<b>" not in template.render()


def test_variables_are_filled_in_and_escaped(app):
    template = app.jinja_env.from_string('{{ _("pag. %(n)s", n=n) }}|{{ _(word) }}')
    with app.test_request_context("/"):
        context = app.template_context_processors[None]
        values = {}
        for processor in context:
            values.update(processor())
        shown = template.render(n="<3>", word="Storico", **values)
    assert shown == "pag. &lt;3&gt;|Storico"


# -- In other languages --------------------------------------------------------------------

WORDS = (
    '{{ _("Elenco fatture") }} {{ _("pag. %(page)s di %(last)s", page=1, last=2) }} '
    "{{ _(word) }} {{ 1234|whole }}"
)


@pytest.mark.parametrize(
    ("spoken", "shown"),
    [
        ("it", "Elenco fatture pag. 1 di 2 Storico 1.234"),
        ("de", "Rechnungsübersicht Seite 1 von 2 Verlauf 1.234"),
        ("en", "Invoices page 1 of 2 History 1,234"),
    ],
)
def test_one_template_speaks_each_language(app, spoken, shown):
    with language.speaking(spoken), app.test_request_context("/"):
        environment = app.jinja_env.get_template("_macros.html").environment
        assert environment.language == spoken
        assert environment.from_string(WORDS).render(word="Storico") == shown


def test_a_language_is_made_once_and_shares_what_it_can(app):
    with language.speaking("de"):
        german = app.jinja_env.get_template("_macros.html").environment
        assert app.jinja_env.get_template("base.html").environment is german
        assert german.get_template("base.html") is german.get_template("base.html")
    assert german is not app.jinja_env
    assert german.loader is app.jinja_env.loader
    assert german.globals["url_for"] is app.jinja_env.globals["url_for"]
    assert app.jinja_env.get_template("base.html").environment is app.jinja_env


def test_texts_that_count_have_a_form_for_one_and_one_for_many(app):
    with language.speaking("en"):
        assert [ngettext("%(num)s anno", "%(num)s anni", n) for n in (0, 1, 2)] == [
            "0 years", "1 year", "2 years",
        ]  # fmt: skip


def test_lazy_texts_wait_for_their_reader(app):
    label = lazy_gettext("Elenco fatture")
    with language.speaking("de"):
        assert str(label) == "Rechnungsübersicht"
    assert str(label) == "Elenco fatture"


def test_what_a_text_lacks_in_a_language_is_said_in_italian(app):
    with language.speaking("de"):
        assert gettext("una frase che nessuno ha tradotto") == "una frase che nessuno ha tradotto"
