"""How templates are compiled: what can be done once is not done at every rendering.

A template is compiled for each language in which somebody reads it; what it shares with the
others (loader, tests, settings) is there once.

Two things made up most of a page's time. A text looked up at every rendering costs 14 µs with
Flask-Babel's template functions, and a page has fifty: here the texts are put in when the
template is compiled. And Jinja wraps every escaped value in a Markup object, only to join it
with the rest: here it stays the string that it is.
"""

from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer
from markupsafe import _escape_inner, escape

from domain import language, notation
from views.language import translated

SAME_EVERYWHERE = {  # macros that only know settings
    "brand", "first_of_body", "footer", "head", "icon", "own_words",
}  # fmt: skip


class PutInTexts(NodeTransformer):
    """Replaces `_("text")` by the text, `asset("x.css")` and `m.icon("pdf")` by what they give."""

    def __init__(self, environment):
        self._globals = environment.globals
        self._text = environment.text

    def visit_Call(self, node):
        node = self.generic_visit(node)
        constant = all(isinstance(arg, nodes.Const) for arg in node.args)
        if not constant or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        called, values = node.node, [arg.value for arg in node.args]
        if isinstance(called, nodes.Name) and called.name == "_":
            return nodes.Const(self._text(*values))
        if isinstance(called, nodes.Name) and called.name == "asset":
            return nodes.Const(self._globals["asset"](*values))
        if self._is_same_everywhere(called):
            return nodes.MarkSafe(nodes.Const(getattr(self._globals["m"], called.attr)(*values)))
        return node

    @staticmethod
    def _is_same_everywhere(called):
        return (
            isinstance(called, nodes.Getattr)
            and isinstance(called.node, nodes.Name)
            and called.node.name == "m"
            and called.attr in SAME_EVERYWHERE
        )


class InOnePiece(CodeGenerator):
    """Writes each block as one string, and `{{ value }}` as a string escaped.

    Jinja yields a block piece by piece, and each piece passes through every template around
    it; it would also wrap each value in a Markup object, only to join it with the rest.
    """

    def blockvisit(self, nodes, frame):
        if frame.buffer is not None or frame.require_output_check:
            super().blockvisit(nodes, frame)
            return
        self.buffer(frame)
        super().blockvisit(nodes, frame)
        self.writeline(f"yield concat({frame.buffer})")

    def _output_child_pre(self, node, frame, finalize):
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class PortalEnvironment(Environment):
    """Flask's templates, in the language that is spoken when one of them is wanted."""

    code_generator_class = InOnePiece
    language = language.SOURCE

    def __init__(self, app, **options):
        super().__init__(app, **options)
        self.others = {}  # environments by their language, with all that they compiled

    def get_template(self, name, parent=None, globals=None):
        spoken = language.current()
        if spoken == self.language:
            return super().get_template(name, parent, globals)
        return self.speaking(spoken).get_template(name, parent, globals)

    def speaking(self, spoken):
        """The environment of another language, made when the language is first spoken."""
        if spoken == language.SOURCE:
            return self.linked_to
        if spoken not in self.others:
            self.others[spoken] = self._translated(spoken)
        return self.others[spoken]

    def _translated(self, spoken):
        other = (self.linked_to or self).overlay()
        other.language = spoken
        other.filters = {**self.filters, **notation.of(spoken)}
        other.globals = {**self.globals, "_": translated, "language": spoken}
        with language.speaking(spoken):
            other.globals["m"] = other.get_template("_macros.html").module
        return other

    def text(self, text):
        """What `_(text)` stands for in the templates of this language."""
        return language.catalogue(self.language).get(text, text)

    def _generate(self, source, name, filename, defer_init=False):
        return super()._generate(PutInTexts(self).visit(source), name, filename, defer_init)

    def make_globals(self, own):
        """All templates know the same; Jinja's chain of two dicts is slow to read."""
        return self.globals if not own else super().make_globals(own)

    @staticmethod
    def escaped(value):
        """The text of `value`, escaped like `markupsafe.escape` does it."""
        if type(value) is str:
            return _escape_inner(value)
        return str(value) if type(value) is int else escape(value)
