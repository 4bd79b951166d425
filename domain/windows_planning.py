"""Reading windows as operators make them: one by one or by a rule, looked at before they count.

A window made here has the key that an import of the same row would give it, so that the file
`periodi` and the desk never make one twice.
"""

import datetime as dt
import hashlib
from typing import NamedTuple

import peewee as pw
from flask_babel import gettext as _
from peewee import fn

from domain import windows
from domain.clock import rome_day
from domain.errors import NeedsConfirmation, Refused
from domain.window_scopes import Scope, covers, meets, scope_of, told
from models import ReadingWindow, SelfReading, SupplyPoint, db, writing

MOST_OVERLAPS = 200  # that are told of at once
COUNTED = ("pending", "acquired", "validated", "rejected")


# -- The preview ---------------------------------------------------------------------------


class Bounds(NamedTuple):
    opens_at: dt.datetime
    closes_at: dt.datetime


class Planned(NamedTuple):
    """A window to be; `overlaps` are rows with the same supplies at the same time."""

    key: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    overlaps: list
    is_known: bool  # there is the same already
    is_past: bool

    @property
    def is_new(self):
        return not self.is_known and not self.is_past


class Plan(NamedTuple):
    scope: Scope
    windows: list

    @property
    def new(self):
        return [window for window in self.windows if window.is_new]

    @property
    def whom(self):
        return told(self.scope)

    @property
    def seal(self):
        """What the preview showed, in 64 characters: anything else is not what was confirmed."""
        told = [
            (window.key, *sorted((each.id, str(each.opens_at), str(each.closes_at))
                                 for each in window.overlaps))
            for window in self.new
        ]  # fmt: skip
        return hashlib.sha256(repr(told).encode()).hexdigest()


def plan(days, hours, scope, *, now):
    """What windows on `days`, [(first day, last day)], would be; writes nothing."""
    spans = [(first, hours.opening, last, hours.closing) for first, last in days]
    bounds = [bounds_of(*span) for span in spans]
    around = Bounds(min(each.opens_at for each in bounds), max(each.closes_at for each in bounds))
    others = overlapping(scope, around)
    known = same(scope, bounds)
    return Plan(
        scope,
        [
            Planned(
                key=windows.key(*span, scope.whose),
                opens_at=own.opens_at,
                closes_at=own.closes_at,
                overlaps=[
                    other
                    for other in others
                    if other.opens_at < own.closes_at and own.opens_at < other.closes_at
                ],
                is_known=own in known,
                is_past=own.closes_at <= now,
            )
            for span, own in zip(spans, bounds, strict=True)
        ],
    )


def bounds_of(*span):
    bounds = Bounds(*windows.bounds(*span))
    if bounds.opens_at >= bounds.closes_at:
        raise Refused(_("Il periodo finisce prima di iniziare: controllare i giorni e le ore."))
    return bounds


def rows():
    """Windows with the code of their supply."""
    row = ReadingWindow
    query = ReadingWindow.select(
        row.id, row.key, row.opens_at, row.closes_at, row.supply, row.distributor_vat,
        SupplyPoint.code.alias("supply_code"),
    )  # fmt: skip
    return query.left_outer_join(SupplyPoint)


def overlapping(scope, bounds, but=0):
    """Windows that some supply of `scope` has within `bounds`, except the one with id `but`."""
    row = ReadingWindow
    query = rows().where(
        row.opens_at < bounds.closes_at,
        row.closes_at > bounds.opens_at,
        meets(scope),
        row.id != but,
    )
    return list(query.order_by(row.opens_at, row.id).limit(MOST_OVERLAPS).namedtuples())


def same(scope, bounds, but=0):
    """Those of `bounds` at which there is a window for exactly the same supplies."""
    row = ReadingWindow
    query = ReadingWindow.select(row.opens_at, row.closes_at).where(
        row.opens_at.in_([each.opens_at for each in bounds]),
        exactly(row.supply, scope.supply),
        exactly(row.distributor_vat, scope.distributor_vat),
        row.id != but,
    )
    return set(query.tuples())


def exactly(field, value):
    return field.is_null() if value is None else field == value


# -- Making, changing, removing ------------------------------------------------------------


class NothingNew(Refused):
    """What was confirmed is there already."""


class Changed(Refused):
    """What was confirmed would not be what was shown; `plan` is what it would be now."""

    def __init__(self, plan):
        super().__init__(
            _(
                "Nel frattempo qualcosa è cambiato: questa è l'anteprima di adesso. Controllarla e "
                "confermare di nuovo."
            )
        )
        self.plan = plan


def create(days, hours, scope, *, seal, now):
    """Make the windows whose preview had `seal`; return a few words about each.

    Raises Refused, NothingNew where it was confirmed twice.
    """
    with writing():
        planned = plan(days, hours, scope, now=now)
        if not planned.new:
            raise NothingNew(_("Questi periodi ci sono già: non è cambiato nulla."))
        if planned.seal != seal:
            raise Changed(planned)
        for window in planned.new:
            ReadingWindow.insert(
                key=window.key,
                opens_at=window.opens_at,
                closes_at=window.closes_at,
                **scope.values,
            ).on_conflict_ignore().execute()  # two at once: the other was first
        return [window.key for window in planned.new]


def change(window, span, scope, *, confirmed, now):
    """Give `window`, a row of `one`, other bounds or another scope.

    `span` is (first day, hour, last day, hour). Raises Refused, or NeedsConfirmation with what
    follows from it while that is not `confirmed`.
    """
    bounds = bounds_of(*span)
    key = window.key if import_id(window) else windows.key(*span, scope.whose)
    try:
        with writing():
            if same(scope, [bounds], but=window.id):
                raise Refused(already_there())
            reasons = odd_in_change(window, bounds, scope, now)
            if reasons and not confirmed:
                raise NeedsConfirmation(reasons)
            changed = ReadingWindow.update(key=key, **bounds._asdict(), **scope.values)
            if not changed.where(ReadingWindow.id == window.id).execute():
                raise Refused(_("Il periodo nel frattempo è stato eliminato."))
    except pw.IntegrityError:  # two at once: the other was first
        raise Refused(already_there()) from None


def already_there():
    return _("C'è già un periodo uguale: basta quello.")


def odd_in_change(window, bounds, scope, now):
    reasons = [overlap_told(each) for each in overlapping(scope, bounds, but=window.id)]
    if bounds.closes_at <= now:
        reasons.append(_("Risulterà già finito: i clienti non lo vedranno più."))
    elif windows.is_open(window, now=now) and not windows.is_open(bounds, now=now):
        reasons.append(_("È aperto adesso, e non lo sarà più."))
    elif windows.is_open(bounds, now=now) and not windows.is_open(window, now=now):
        reasons.append(_("Sarà aperto subito."))
    return reasons


def import_id(window):
    """The id that billing gave a window in its file, or None: it may send it again."""
    return window.key.removeprefix("id ") if window.key.startswith("id ") else None


def named(window):
    """A window in few words, as the register keeps it."""
    return windows.key(*windows.ends(window), scope_of(window).whose)


def delete(window):
    """Remove a window; whether it was still there."""
    return bool(ReadingWindow.delete().where(ReadingWindow.id == window.id).execute())


def consequences(window, *, now):
    """What follows from deleting `window`, a row of `one`, in sentences."""
    sentences = []
    (readings,) = counts([window])
    if readings:
        sentences.append(
            _("Le autoletture già arrivate in questo periodo restano: %(count)s.", count=readings)
        )
    if window.closes_at <= now:
        return [*sentences, _("Il periodo è finito: per i clienti non cambia nulla.")]
    row = ReadingWindow
    others = rows().where(covers(scope_of(window)), row.closes_at > now, row.id != window.id)
    following = others.order_by(row.opens_at, row.closes_at, row.id).namedtuples().first()
    if following and windows.is_open(following, now=now):
        sentence = _(
            "Per gli stessi clienti resta aperto un altro periodo, %(span)s.",
            span=windows.span(following),
        )
    elif windows.is_open(window, now=now):
        sentence = _(
            "È aperto adesso. Chi vorrà inserire una lettura troverà scritto: «%(words)s»",
            words=windows.refusal(following, now=now),
        )
    elif following:
        sentence = _(
            "I clienti non lo vedranno più; il prossimo sarà %(span)s.",
            span=windows.span(following),
        )
    else:
        sentence = _("I clienti non lo vedranno più, e nessun altro periodo è stabilito.")
    return [*sentences, sentence]


def overlap_told(window):
    return _(
        "Si sovrappone al periodo %(span)s (%(whom)s).",
        span=windows.span(window),
        whom=told(scope_of(window)),
    )


# -- The list ------------------------------------------------------------------------------


def one(window_id):
    """The window with that id, or None."""
    return rows().where(ReadingWindow.id == window_id).namedtuples().first()


def count(which, *, now):
    return ReadingWindow.select().where(*_which(which, now)).count()


def page(which, *, now, limit, offset):
    """Windows that are open or to come, or those `which` are «passati», the nearest first."""
    row = ReadingWindow
    order = (row.closes_at.desc(), row.id.desc()) if which == "passati" else (
        row.opens_at, row.closes_at, row.id)  # fmt: skip
    query = rows().where(*_which(which, now)).order_by(*order)
    return list(query.limit(limit).offset(offset).namedtuples())


def _which(which, now):
    past = ReadingWindow.closes_at <= now
    return (past if which == "passati" else ReadingWindow.closes_at > now,)


def counts(some):
    """How many readings came on the days of each of `some` windows, in one query."""
    asked = [_readings_of(window).alias(f"n{place}") for place, window in enumerate(some)]
    return next(iter(db.execute(pw.Select(columns=asked)))) if asked else ()


def _readings_of(window):
    row = SelfReading
    last = rome_day(window.closes_at - windows.MINUTE)
    query = SelfReading.select(fn.COUNT(pw.SQL("*"))).where(  # of ids it takes five times as long
        row.state.in_(COUNTED), row.day.between(rome_day(window.opens_at), last)
    )
    if window.supply is not None:
        return query.where(row.supply == window.supply)
    if window.distributor_vat is not None:
        served = SupplyPoint.distributor_vat == window.distributor_vat
        return query.join(SupplyPoint).where(served)
    return query
