"""Forms, in menu order: the shape of what is typed, nothing about what it means."""

import datetime as dt
import re
import unicodedata

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    MultipleFileField,
    PasswordField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

SHORT = Length(max=64, message=_l("È troppo lungo."))


def compact(text):
    """Without the blanks that people type or paste into codes."""
    return "".join(text.split()) if text else text


def one_line(text):
    return " ".join(text.split()) if text else text


def without_controls(but=""):
    """No control characters `but` these: databases refuse them, and no keyboard types them."""

    def check(_form, field):
        text = field.data or ""
        if any(unicodedata.category(each) == "Cc" and each not in but for each in text):
            raise ValidationError(_l("Ci sono caratteri che non si possono usare: riscrivere."))

    return check


printable = without_controls()
printable_lines = without_controls(but="\n\t")


def mail_address(_form, field):
    """One address, which becomes plain ASCII."""
    try:
        checked = validate_email(
            field.data,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,  # addresses in .test, where the portal is tried out
        )
    except EmailNotValidError:
        raise ValidationError(
            _l("Questo indirizzo non è scritto come un indirizzo di posta elettronica.")
        ) from None
    field.data = checked.ascii_email


def code_field(label, **attributes):
    return StringField(
        label,
        [DataRequired(_l("Inserire il codice cliente.")), SHORT, printable],
        filters=[compact],
        render_kw={"inputmode": "numeric", "maxlength": 64, **attributes},
    )


def choice_field(label, name, choices=(), **options):
    return SelectField(
        label,
        name=name,
        choices=choices,
        invalid_choice_message=_l("Scegliere una delle voci."),
        **options,
    )


def password_field(label, missing, autocomplete):
    return PasswordField(label, [InputRequired(missing)], render_kw={"autocomplete": autocomplete})


# -- Getting in ----------------------------------------------------------------------------


class LoginForm(FlaskForm):
    username = code_field(_l("User"), autocomplete="username")
    password = password_field(
        _l("Password"), _l("Inserire la password."), autocomplete="current-password"
    )
    next = HiddenField()


class RegistrationForm(FlaskForm):
    code = code_field(_l("Codice cliente presente in fattura"), autocomplete="off")
    tax_id = StringField(
        _l("Codice fiscale o partita IVA"),
        [
            DataRequired(_l("Inserire il codice fiscale o la partita IVA.")),
            SHORT,
            printable,
        ],
        filters=[compact],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "maxlength": 64},
    )


class RegistrationEmailForm(FlaskForm):
    email = EmailField(
        _l("E-Mail"),
        [DataRequired(_l("Inserire l'indirizzo di posta elettronica.")), mail_address],
        filters=[compact],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )
    keep = BooleanField(_l("usa sempre questo indirizzo di posta elettronica"))


class RecoveryForm(FlaskForm):
    code = code_field(_l("Codice Cliente"), autocomplete="username", autofocus=True)


class CodeForm(FlaskForm):
    """A code of the second factor."""

    code = StringField(
        _l("Codice di 6 cifre"),
        [DataRequired(_l("Inserire il codice.")), SHORT, printable],
        filters=[compact],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 64},
    )


class AccessCodeForm(CodeForm):
    next = HiddenField()


class SecondFactorForm(CodeForm):
    """Adding and removing it: with the password asked again."""

    password = password_field(
        _l("Password attuale"), _l("Inserire la password attuale."), autocomplete="current-password"
    )


# -- Sportello operatori: getting in -------------------------------------------------------


class OperatorLoginForm(FlaskForm):
    username = StringField(
        _l("Utente"),
        [DataRequired(_l("Inserire l'utente.")), SHORT, printable],
        filters=[compact],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "maxlength": 64},
    )
    password = password_field(
        _l("Password"), _l("Inserire la password."), autocomplete="current-password"
    )


# -- Sportello operatori: operators --------------------------------------------------------


OPERATOR_ROLES = {"operator": _l("Operatore"), "administrator": _l("Amministratore")}
ROLE_CHOICES = [SelectChoice(*each) for each in OPERATOR_ROLES.items()]


class OperatorForm(FlaskForm):
    username = StringField(
        _l("Utente"),
        [DataRequired(_l("Inserire l'utente.")), SHORT, printable],
        filters=[compact],
        render_kw={"autocomplete": "off", "autocapitalize": "none", "maxlength": 64},
    )
    name = StringField(
        _l("Nome e cognome"),
        [
            DataRequired(_l("Inserire nome e cognome.")),
            Length(max=100, message=_l("È troppo lungo: al massimo 100 caratteri.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"autocomplete": "off", "maxlength": 100},
    )
    email = EmailField(
        _l("E-Mail"),
        [DataRequired(_l("Inserire l'indirizzo di posta elettronica.")), mail_address],
        filters=[compact],
        render_kw={"autocomplete": "off", "maxlength": 254},
    )
    role = choice_field(_l("Ruolo"), "role", ROLE_CHOICES)


class RoleForm(FlaskForm):
    role = choice_field(_l("Ruolo"), "role", ROLE_CHOICES)


# -- Cambio Password -----------------------------------------------------------------------


class FirstPasswordForm(FlaskForm):
    """After a mailed secret: nobody asks for the password in use."""

    new_password = password_field(
        _l("Nuova password"), _l("Inserire la nuova password."), autocomplete="new-password"
    )
    repeat_password = password_field(
        _l("Conferma nuova password"),
        _l("Ripetere la nuova password."),
        autocomplete="new-password",
    )

    def validate_repeat_password(self, field):
        if field.data != self.new_password.data:
            raise ValidationError(_l("Le due password non sono uguali: riscriverle."))


class PasswordForm(FirstPasswordForm):
    password = password_field(
        _l("Password attuale"), _l("Inserire la password attuale."), autocomplete="current-password"
    )


# -- Autolettura Contatore -----------------------------------------------------------------

# As on the meter: `45000`, `00450`, or with its thousands marked: `45.000`, `45 000`.
WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}([. \u00a0\u202f][0-9]{3})+")
WITH_DECIMALS = re.compile(r"[0-9][0-9. ]*[.,][0-9]*|[.,][0-9]+")
LONGEST = 18  # digits after the leading zeros; no meter has half as many


def whole_digits(text):
    """The value of a meter's digits as they are typed; ValueError says what to type instead."""
    text = text.strip()
    if WHOLE.fullmatch(text):
        digits = re.sub(r"[^0-9]", "", text).lstrip("0") or "0"
        if len(digits) > LONGEST:
            raise ValueError(
                _("Le cifre sono troppe: scrivere solo quelle che mostra il contatore.")
            )
        return int(digits)
    if text.startswith(("-", "\u2212")):
        raise ValueError(_("Una lettura non può essere negativa: scrivere solo le cifre."))
    if WITH_DECIMALS.fullmatch(text):
        raise ValueError(
            _("Scrivere solo le cifre prima della virgola: i decimali non si comunicano.")
        )
    raise ValueError(
        _("Scrivere solo le cifre da 0 a 9, una dopo l'altra come sul contatore: ad esempio 45000.")
    )


class MeterField(StringField):
    """A meter's value: `data` is a whole number or None; what was typed is shown again."""

    def process_formdata(self, valuelist):
        self.data = None
        if valuelist and valuelist[0].strip():
            self.data = whole_digits(valuelist[0])

    def _value(self):
        return self.raw_data[0] if self.raw_data else ""


class ReadingForm(FlaskForm):
    counter = MeterField(_l("Lettura Contatore"))
    corrector = MeterField(_l("Lettura Correttore"))
    confirmed = StringField(_l("Confermo la lettura"))

    def validate_counter(self, field):
        if field.data is None and not field.errors:
            raise ValidationError(_("Scrivere la lettura: le cifre prima della virgola."))

    @property
    def values(self):
        """What a confirmation is about: other values must be confirmed anew."""
        return f"{self.counter.data}/{self.corrector.data}"

    @property
    def is_confirmed(self):
        return self.confirmed.data == self.values


# -- Dati Anagrafici -----------------------------------------------------------------------

TELEPHONE = re.compile(r"[\w +()/.,;:-]*")  # «0574 123456 int. 2; 333 1234567 (casa)»
FEWEST_DIGITS = 5


def or_none(text):
    return text or None


def telephone(_form, field):
    """What people write for a number; what billing wrote before may stay as it is."""
    if field.data in (None, field.object_data):
        return
    digits = sum(character in "0123456789" for character in field.data)
    if digits < FEWEST_DIGITS or not TELEPHONE.fullmatch(field.data):
        raise ValidationError(_l("Scrivere un numero, ad esempio +39 0574 123456."))


def telephone_field(label, autocomplete):
    return StringField(
        label,
        [Length(max=100, message=_l("È troppo lungo: al massimo 100 caratteri.")), telephone],
        filters=[one_line, or_none],
        render_kw={"type": "tel", "maxlength": 100, "autocomplete": autocomplete},
    )


class ContactsForm(FlaskForm):
    phone = telephone_field(_l("Telefono"), "tel")
    fax = telephone_field(_l("Fax"), "fax tel")


class EmailChangeForm(FlaskForm):
    email = EmailField(
        _l("Nuovo indirizzo"),
        [DataRequired(_l("Inserire l'indirizzo di posta elettronica.")), mail_address],
        filters=[compact],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )
    password = password_field(
        _l("Password attuale"), _l("Inserire la password attuale."), autocomplete="current-password"
    )


# -- Dati Anagrafici: preferences ----------------------------------------------------------

LONGEST_NICKNAME = 40


class PreferencesForm(FlaskForm):
    language = choice_field(_l("Lingua"), "language")
    notices = BooleanField(_l("Ricevere per posta elettronica gli avvisi di ciò che è nuovo"))
    notices_readings = BooleanField(_l("Autoletture e periodi di lettura"))
    notices_invoices = BooleanField(_l("Fatture"))
    notices_documents = BooleanField(_l("Documenti e comunicati"))
    notices_tickets = BooleanField(_l("Ticket"))


class NicknameForm(FlaskForm):
    nickname = StringField(
        _l("Nome della fornitura"),
        [
            Length(max=LONGEST_NICKNAME, message=_l("È troppo lungo: al massimo 40 caratteri.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"maxlength": LONGEST_NICKNAME, "autocomplete": "off"},
    )


# -- Ticket --------------------------------------------------------------------------------

LONGEST_SUBJECT = 120
LONGEST_TEXT = 5000
ACCEPTED = ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png"


def plain_lines(text):
    """Lines that end in one way, whatever the browser sent."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip() if text else text


def text_field(label, **attributes):
    return TextAreaField(
        label,
        [
            DataRequired(_l("Scrivere il testo.")),
            Length(max=LONGEST_TEXT, message=_l("Il testo è troppo lungo: abbreviarlo.")),
            printable_lines,
        ],
        filters=[plain_lines],
        render_kw={"rows": 8, "maxlength": LONGEST_TEXT, **attributes},
    )


class AnswerForm(FlaskForm):
    text = text_field(_l("Testo"))
    attachments = MultipleFileField(_l("Allegati"), render_kw={"accept": ACCEPTED})

    @property
    def files(self):
        """(name, stream) of each file that was chosen; an empty choice has no name."""
        given = [each for each in self.attachments.data or () if hasattr(each, "stream")]
        return [(each.filename, each.stream) for each in given if each.filename]


class TicketForm(AnswerForm):
    subject = StringField(
        _l("Oggetto"),
        [
            DataRequired(_l("Scrivere l'oggetto in poche parole.")),
            Length(max=LONGEST_SUBJECT, message=_l("L'oggetto è troppo lungo: abbreviarlo.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"maxlength": LONGEST_SUBJECT, "autocomplete": "off"},
    )
    category = SelectField(_l("Categoria"), validate_choice=False)  # said below in our words

    def validate_category(self, field):
        if not field.data or field.data not in dict(field.choices):
            raise ValidationError(_l("Scegliere la categoria."))


class CorrectEmailForm(FlaskForm):
    """Of a customer's login, by an operator."""

    email = EmailField(
        _l("Nuovo indirizzo"),
        [DataRequired(_l("Inserire l'indirizzo di posta elettronica.")), mail_address],
        filters=[compact],
        render_kw={"autocomplete": "off", "maxlength": 254},
    )
    confirmed = HiddenField()


class EraseForm(FlaskForm):
    """What cannot be undone asks for the customer's code, so that nobody does it by a slip."""

    code = StringField(
        _l("Codice cliente"),
        [DataRequired(_l("Scrivere il codice del cliente da cancellare.")), SHORT, printable],
        filters=[compact],
        render_kw={"autocomplete": "off", "maxlength": 16},
    )


class DeclineErasureForm(FlaskForm):
    reason = text_field(_l("Motivo"), rows=4)


class NoteForm(FlaskForm):
    note = text_field(_l("Nota interna"), rows=4)


class StandardAnswerForm(FlaskForm):
    title = StringField(
        _l("Titolo"),
        [
            DataRequired(_l("Scrivere il titolo.")),
            Length(max=80, message=_l("Il titolo è troppo lungo: abbreviarlo.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"maxlength": 80, "autocomplete": "off"},
    )
    text = text_field(_l("Testo"), rows=12)


class TicketForCustomerForm(TicketForm):
    """What a customer said on the telephone or wrote on paper; `supply` is a code, or none."""

    supply = SelectField(_l("Punto di fornitura"), validate_choice=False)

    def validate_supply(self, field):
        if field.data not in dict(field.choices):
            raise ValidationError(_l("Scegliere la fornitura."))


# -- Misure elettriche ---------------------------------------------------------------------

TYPED_DAY = re.compile(
    r"(?P<day>[0-9]{1,2})(?P<mark>[/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})"
    r"|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})"
)
EARLIEST = 2000  # years that nobody can mean would only lead out of the calendar
LATEST = 2099


def typed_day(text):
    """The day of `gg/mm/aaaa`, `gg.mm.aaaa` or `aaaa-mm-gg`, None of no text.

    ValueError says what to type.
    """
    text = (text or "").strip()
    if not text:
        return None
    typed = TYPED_DAY.fullmatch(text)
    try:
        if typed["iso"]:
            found = dt.date.fromisoformat(text)
        else:
            found = dt.date(*(int(typed[part]) for part in ("year", "month", "day")))
    except (TypeError, ValueError):
        raise ValueError(
            _("Non è una data: scriverla come giorno/mese/anno, ad esempio 31/01/2026.")
        ) from None
    if not EARLIEST <= found.year <= LATEST:
        raise ValueError(_("L'anno non può essere questo: scriverlo con quattro cifre."))
    return found


class TypedDayField(StringField):
    """A day or None as `data`; what was typed is shown again."""

    def process_formdata(self, valuelist):
        self.data = None
        if valuelist:
            self.data = typed_day(valuelist[0])

    def _value(self):
        return self.raw_data[0] if self.raw_data else ""


class IntervalForm(FlaskForm):
    """Asked by GET, and in addresses that people keep: no token."""

    class Meta:
        csrf = False

    since = TypedDayField(_l("Dal"), name="dal")
    until = TypedDayField(_l("Al"), name="al")


# -- Documenti e avvisi, at the desk -------------------------------------------------------

LONGEST_TITLE = 200
LONGEST_NOTICE = 20_000


class PublicationForm(FlaskForm):
    """Choices are told by the view, which knows categories and cities."""

    files = MultipleFileField(_l("File PDF"), render_kw={"accept": ".pdf,application/pdf"})
    title = StringField(
        _l("Titolo"),
        [
            Length(max=LONGEST_TITLE, message=_l("Il titolo è troppo lungo: abbreviarlo.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"maxlength": LONGEST_TITLE, "autocomplete": "off"},
    )
    text = TextAreaField(
        _l("Testo"),
        [
            Length(max=LONGEST_NOTICE, message=_l("Il testo è troppo lungo: abbreviarlo.")),
            printable_lines,
        ],
        filters=[plain_lines, or_none],
        render_kw={"rows": 10},
    )
    audience = SelectField(_l("A chi è destinato"), validate_choice=False)
    category = SelectField(_l("Categoria"), validate_choice=False)
    city = StringField(
        _l("Comune"),
        [Length(max=100, message=_l("È troppo lungo.")), printable],
        filters=[one_line],
        render_kw={"list": "cities", "autocomplete": "off"},
    )
    customer = StringField(
        _l("Codice cliente"), [SHORT, printable], filters=[compact],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )  # fmt: skip
    date = TypedDayField(_l("Data"), render_kw={"type": "date"})
    since = TypedDayField(_l("Visibile dal"), render_kw={"type": "date"})
    until = TypedDayField(_l("Visibile fino al"), render_kw={"type": "date"})

    def validate_audience(self, field):
        if field.data not in dict(field.choices):
            raise ValidationError(_l("Scegliere a chi è destinato."))

    def validate_category(self, field):
        if field.data not in dict(field.choices):
            raise ValidationError(_l("Scegliere la categoria."))

    def validate_date(self, field):
        if field.data is None and not field.errors:
            raise ValidationError(_l("Scrivere la data."))

    @property
    def given(self):
        """(name, stream) of each file that was chosen."""
        chosen = [each for each in self.files.data or () if hasattr(each, "stream")]
        return [(each.filename, each.stream) for each in chosen if each.filename]


# -- Periodi di lettura, at the desk -------------------------------------------------------

HOUR = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")
LONGEST_MONTH, LONGEST_RULE = 31, 28  # days
WHOLE_DAY = dt.time(0, 0), dt.time(23, 59)


class HourField(StringField):
    """An hour as `data`; «24:00» is the last minute of the day."""

    def process_formdata(self, valuelist):
        self.data = None
        typed = HOUR.fullmatch(valuelist[0].strip()) if valuelist else None
        if typed:
            self.data = dt.time(int(typed[1]), int(typed[2]))
        elif valuelist and valuelist[0].strip() == "24:00":
            self.data = WHOLE_DAY[1]
        else:
            raise ValueError(_("Scrivere l'ora da 00:00 a 23:59."))

    def _value(self):
        if self.raw_data:
            return self.raw_data[0]
        return f"{self.data:%H:%M}" if self.data else ""


class CalendarDayField(TypedDayField):
    """A day that has to be given, in a calendar to choose from."""

    def process_formdata(self, valuelist):
        super().process_formdata(valuelist)
        if self.data is None:
            raise ValueError(_("Scegliere il giorno."))

    def _value(self):
        return super()._value() or (self.data.isoformat() if self.data else "")


def numbers_field(label, name, most, default):
    return choice_field(label, name, [*map(str, range(1, most + 1))], default=str(default))


class WindowsForm(FlaskForm):
    """What every way of making windows asks. Previews are asked for by GET: no token."""

    class Meta:
        csrf = False

    opening = HourField(
        _l("A partire dalle ore"), name="dalle_ore", default=WHOLE_DAY[0],
        render_kw={"type": "time"},
    )  # fmt: skip
    closing = HourField(
        _l("Fino alle ore"), name="alle_ore", default=WHOLE_DAY[1], render_kw={"type": "time"}
    )
    whom = choice_field(_l("Per chi"), "per_chi")
    supply = StringField(
        _l("Codice della fornitura o PDR"), [SHORT, printable], name="fornitura",
        filters=[compact], render_kw={"autocomplete": "off", "maxlength": 64},
    )  # fmt: skip

    def validate_supply(self, field):
        if self.whom.data == "fornitura" and not field.data:
            raise ValidationError(_l("Scrivere il codice della fornitura o il PDR."))


class WindowForm(WindowsForm):
    since = CalendarDayField(_l("Dal"), name="dal", render_kw={"type": "date"})
    until = CalendarDayField(_l("Al"), name="al", render_kw={"type": "date"})
    confirmed = StringField(_l("Confermo il periodo"), name="confermo")

    @property
    def values(self):
        """What a confirmation is about: other values must be confirmed anew."""
        given = (self.since, self.opening, self.until, self.closing, self.whom, self.supply)
        return "/".join(str(field.data) for field in given)

    @property
    def is_confirmed(self):
        return self.confirmed.data == self.values


class MonthsForm(WindowsForm):
    """A rule for each month of several; the view knows which there are to choose from."""

    first_month = choice_field(_l("Dal mese"), "dal_mese")
    last_month = choice_field(_l("Al mese"), "al_mese")

    @property
    def months(self):
        """The first days of the two months."""
        return tuple(
            dt.date.fromisoformat(f"{field.data}-01")
            for field in (self.first_month, self.last_month)
        )


class LastDaysForm(MonthsForm):
    days = numbers_field(_l("Quanti giorni"), "giorni", LONGEST_RULE, default=5)


class DaysOfMonthForm(MonthsForm):
    first_day = numbers_field(_l("Dal giorno"), "dal_giorno", LONGEST_MONTH, default=20)
    last_day = numbers_field(_l("Al giorno"), "al_giorno", LONGEST_MONTH, default=25)


# -- Deleghe -------------------------------------------------------------------------------


LEADS_ELSEWHERE = re.compile(r"://|@|\bwww\.|[\w-]\.[a-z]{2,}/", re.IGNORECASE)


def only_a_name(_form, field):
    """It goes into a mail of the utility's, to whatever address: nobody is led on with it."""
    if LEADS_ELSEWHERE.search(field.data or ""):
        raise ValidationError(_l("Scrivere solo il nome, senza indirizzi di siti o di posta."))


class MandateForm(FlaskForm):
    """Choices are told by the view, which knows the supplies and the scopes."""

    name = StringField(
        _l("Nome e cognome, o denominazione"),
        [
            DataRequired(_l("Inserire il nome della persona da delegare.")),
            only_a_name,
            Length(max=100, message=_l("È troppo lungo: al massimo 100 caratteri.")),
            printable,
        ],
        filters=[one_line],
        render_kw={"autocomplete": "off", "maxlength": 100},
    )
    email = EmailField(
        _l("E-Mail della persona da delegare"),
        [DataRequired(_l("Inserire l'indirizzo di posta elettronica.")), mail_address],
        filters=[compact],
        render_kw={"autocomplete": "off", "maxlength": 254},
    )
    supplies = SelectMultipleField(
        _l("Forniture"),
        [DataRequired(_l("Scegliere almeno una fornitura."))],
        validate_choice=False,  # the domain does, among those of the customer
    )
    scope = choice_field(
        _l("Che cosa può fare"),
        "scope",
        validators=[DataRequired(_l("Scegliere una delle voci."))],
    )
    ends_on = CalendarDayField(_l("Ultimo giorno"), render_kw={"type": "date"})
    password = password_field(
        _l("Password attuale"), _l("Inserire la password attuale."), autocomplete="current-password"
    )
