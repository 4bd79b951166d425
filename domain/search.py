"""Customers found by a piece of what they are known by.

A piece may stand in the middle of a word: people read out the last digits of a POD. So what
is indexed are trigrams, each three characters that follow one another. `SearchText` holds a
text for each customer, supply and login, which triggers of the database write (migration
0005), so that it is right whoever changes them.

On PostgreSQL the index is an ordinary GIN index of an array of the trigrams, by a function of
ours: the extension pg_trgm would do the same, but not every server has it or allows it.

On SQLite it is FTS5 with its trigram tokenizer (3.34 or later). Written row by row by a
trigger it made imports six times slower, so it takes texts many at a time (`catch_up`, at
the end of an import): those with an id beyond `search_indexed.until` are few, and are read one
by one. A text that changes gets a new id, so that what the index knows of it no more counts.

Either index gives the texts that have all trigrams; those in which they are not in a row are
sorted out afterwards. Reading stops once there are enough to show: a piece that half the
customers have costs little more than one that is rare.
"""

from functools import cache

import peewee as pw

from models import Account, Customer, Grant, Prepared, SearchText, SupplyPoint, db, is_sqlite

# Letters with signs, and what is searched in their place; the same in migration 0005.
LETTERS = (
    "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭĮįİ"
    "ĴĵĶķĹĺĻļĽľŃńŅņŇňŌōŎŏŐőŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſØøĐđŁł’"
)
PLAIN = (
    "aaaaaaceeeeiiiinooooouuuuyaaaaaaceeeeiiiinooooouuuuyyaaaaaaccccccccddeeeeeeeeeegggggggghhiiiiiiiii"
    "jjkkllllllnnnnnnoooooorrrrrrssssssssttttuuuuuuuuuuuuwwyyyzzzzzzsooddll'"
)
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FOLDED = str.maketrans(dict(zip(LETTERS, PLAIN, strict=True))) | str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
)
FOLDED |= str.maketrans(CAPITALS, CAPITALS.lower())

SHORTEST = 3  # characters: of what is shorter there is no trigram
MOST_WORDS = 6  # looked for at once
MOST = 20  # customers shown
TEXTS = 5 * MOST  # read at most to find so many: several may be of one customer
STALE = 1000  # entries of texts that changed since, beside as many as there are texts
_INDEX = pw.Table("search_index", ["rowid"])  # this and the next on SQLite alone
_UNTIL = "SELECT until FROM search_indexed"


def folded(text):
    """`text` as the index has it: without capitals and accents."""
    return text.translate(FOLDED)


def words(text):
    """The words to look for in what an operator typed, the longest first."""
    found = folded(text.replace("\x00", " ")).split()[:MOST_WORDS]
    return sorted(map(_without_country, found), key=len, reverse=True)


def _without_country(word):
    """A VAT number as it is kept."""
    return word[2:] if len(word) == 13 and word.startswith("it") and word[2:].isdigit() else word


def trigrams(found):
    """Those to ask the index for: enough to cover each word, since what they find is looked at."""
    return sorted(
        {
            word[n : n + 3]
            for word in found
            if len(word) >= SHORTEST
            for n in (*range(0, len(word) - 2, 3), len(word) - 3)
        }
    )


_CUSTOMER = (
    Customer.id,
    Customer.code,
    Customer.name,
    Customer.tax_code,
    Customer.vat_number,
    Customer.city,
    Customer.active,
)
_FOUND_BY = (
    SupplyPoint.code.alias("supply"),
    SupplyPoint.pod,
    SupplyPoint.pdr,
    Account.username,
    Account.email,
)


def _texts(limit, words):
    """The texts in which each of `words` is, and whose they are."""
    position = pw.fn.INSTR if is_sqlite() else pw.fn.STRPOS
    query = (
        SearchText.select(*_CUSTOMER, *_FOUND_BY)
        .join(Customer, on=SearchText.customer == Customer.id)
        .left_outer_join(SupplyPoint, on=SearchText.supply == SupplyPoint.id)
        .left_outer_join(Grant, on=SearchText.grant == Grant.id)
        .left_outer_join(Account, on=Grant.account == Account.id)
        .limit(limit)
    )
    for word in words:
        query = query.where(position(SearchText.folded, word) > 0)
    return query


@cache
def _indexed(size):
    """The texts with all trigrams (`asked`) and each of `size` words."""

    def build(asked, limit, *words):
        query = _texts(limit, words)
        if is_sqlite():
            query = query.join(_INDEX, on=_INDEX.rowid == SearchText.id)
            return query.where(pw.NodeList((pw.SQL("search_index MATCH"), asked)))
        kept = pw.fn.search_trigrams(SearchText.folded)
        return query.where(pw.NodeList((kept, pw.SQL("@>"), asked, pw.SQL("::text[]"))))

    return Prepared(f"asked limit {_names(size)}", build)


@cache
def _waiting(size):
    """On SQLite: what the index does not know yet."""

    def build(limit, *words):
        return _texts(limit, words).where(SearchText.id > pw.SQL(f"({_UNTIL})"))

    return Prepared(f"limit {_names(size)}", build)


def _names(size):
    return " ".join(f"word{place}" for place in range(size))


_by_code = Prepared("code", lambda code: Customer.select(*_CUSTOMER).where(Customer.code == code))
_first = Prepared(
    "limit", lambda limit: Customer.select(*_CUSTOMER).order_by(Customer.code).limit(limit)
)


def first():
    """The first customers in the order of their codes, and whether there are more."""
    rows = _first(limit=MOST + 1)
    return rows[:MOST], len(rows) > MOST


def is_enough(text):
    """Whether there is a word long enough to look for."""
    return any(len(word) >= SHORTEST for word in words(text))


def customers(text):
    """The customers that have all words of `text`, and whether there may be more.

    At most MOST, the one whose code it is first, then by name. Rows of texts of supplies and
    logins tell those too. The words must be of one customer's record, one supply or one login.
    """
    found = words(text)
    if not trigrams(found):
        return [], False
    texts = _having(found)
    exact = _by_code(code=text.strip().replace("\x00", " "))
    by_id = {}
    for row in (*exact, *texts):
        by_id.setdefault(row.id, row)
    rows = list(by_id.values())
    shown = rows[:MOST]
    shown.sort(key=lambda row: (row not in exact, folded(row.name), row.code))
    return shown, len(rows) > MOST or len(texts) == TEXTS


def _having(found):
    """The texts that have all words `found`, at most TEXTS of them."""
    given = {f"word{place}": word for place, word in enumerate(found)}
    asked = trigrams(found)
    if not is_sqlite():
        return _indexed(len(found))(asked=asked, limit=TEXTS, **given)
    quoted = " ".join('"{}"'.format(each.replace('"', '""')) for each in asked)
    texts = _indexed(len(found))(asked=quoted, limit=TEXTS, **given)
    return (_waiting(len(found))(limit=TEXTS, **given) + texts)[:TEXTS]


def catch_up():
    """Put into the index what it does not know yet, in the transaction of the caller.

    PostgreSQL would do so by itself, but later. Where more than half of what SQLite's holds is
    of texts that have changed since, it is made anew.
    """
    run = db.execute_sql
    if not is_sqlite():
        run("SELECT gin_clean_pending_list('search_text_trigrams')")
        return
    until, entries = run("SELECT until, entries FROM search_indexed").fetchone()
    texts, last = run("SELECT count(*), coalesce(max(id), 0) FROM search_text").fetchone()
    if entries > 2 * texts + STALE:
        run("INSERT INTO search_index (search_index) VALUES ('delete-all')")
        until = entries = 0
    added = run(
        "INSERT INTO search_index (rowid, folded) SELECT id, folded FROM search_text WHERE id > ?",
        (until,),
    ).rowcount
    run("UPDATE search_indexed SET until = max(until, ?), entries = ?", (last, entries + added))
