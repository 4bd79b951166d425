"""What templates write in the Italian way, and others in theirs: `{{ invoice.date|day }}`."""

from domain import italian, notation
from domain.clock import rome_day
from domain.language import SOURCE


def init_app(app):
    app.jinja_env.filters.update(
        notation.of(SOURCE),
        time=italian.time,
        iban=italian.iban,
        rome_day=rome_day,
    )
