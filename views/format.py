"""What templates write in the Italian way: `{{ invoice.date|day }}`."""

from domain.clock import rome_day
from domain.italian import (
    day,
    decimal,
    file_size,
    iban,
    kilo,
    moment,
    money,
    seconds,
    span,
    thousandths,
    time,
    whole,
)


def init_app(app):
    app.jinja_env.filters.update(
        day=day,
        time=time,
        moment=moment,
        seconds=seconds,
        span=span,
        money=money,
        iban=iban,
        kilo=kilo,
        decimal=decimal,
        whole=whole,
        thousandths=thousandths,
        rome_day=rome_day,
        file_size=file_size,
    )
