"""Texts of templates: put in at compile time, variables looked up."""


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
