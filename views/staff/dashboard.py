"""«Oggi»: what needs doing, how the jobs are, how many customers have registered."""

from flask import Blueprint
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from domain import desk, notation, schedule
from domain.clock import utcnow
from views.bars import SHORT, BarChart
from views.htmx import page_or_partial, wants_partial
from views.staff.access import operator_required

bp = Blueprint("staff_dashboard", __name__, url_prefix="/staff")

FRAME = {"page": "", "title": _l("Oggi")}
RESULTS = {  # of a job's last run: its badge
    "done": ("ok", _l("Riuscito")),
    "running": ("info", _l("In corso")),
    "postponed": ("wait", _l("Rimandato")),
    "failed": ("no", _l("Non riuscito")),
    "never": ("wait", _l("Mai eseguito")),
}
ONE = 1000  # a chart counts in thousandths


def init_app(app):
    app.register_blueprint(bp)


@bp.get("")
@operator_required
def index():
    now = utcnow()
    return page_or_partial(
        "staff/dashboard/index.html",
        "staff/dashboard/_today.html",
        **FRAME,
        now=now,
        tiles=desk.tiles(now=now),
        runs=schedule.runs(now=now),
        results=RESULTS,
        duration=duration,
        registrations=None if wants_partial() else Registrations(now),
    )


def duration(run):
    """How long the last run of a job took, in words, or nothing."""
    if run.lasted is None:
        return ""
    seconds = run.lasted.total_seconds()
    return (
        f"{notation.thousandths(round(seconds * 10) * 100)} s"
        if seconds < 60
        else notation.span(run.lasted)
    )


class Registrations:
    """Customers' accounts by the month in which they were made, as a chart and as lines."""

    def __init__(self, now):
        counts = desk.registered(now=now)
        self.lines = [(format_date(month, "MMMM y"), count) for month, count in reversed(counts)]
        self.total = sum(count for _month, count in counts)
        groups = [
            (format_date(month, "MMM"), [bar(month, count)] if count else [None])
            for month, count in counts
        ]
        self.chart = BarChart(groups, SHORT, finest=ONE)


def bar(month, count):
    """A month's bar, as BarChart takes it."""
    title = _("%(month)s: %(count)s", month=format_date(month, "MMMM y"), count=count)
    return title, False, [(count * ONE, "rest", "actual")]
