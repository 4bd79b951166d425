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
sorted out afterwards. Reading stops once there are enough to show, so that a piece which half
the customers have costs little more than a rare one. PostgreSQL would still collect all that
its index has of it: there the texts of a few hundred customers are looked at first.
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
TEXTS = 2 * MOST  # read at most to find so many: several may be of one customer
ASKED = 3  # trigrams of one word
SAMPLE = 400  # texts in which what many customers have is found already
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
    """Those to ask the index for: the last of each word, side by side.

    A few are enough, since what they find is looked at; and how a code begins, many codes do.
    """
    return sorted(
        {
            word[end - 3 : end]
            for word in found
            for end in range(len(word), SHORTEST - 1, -3)[:ASKED]
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


def _whose(texts, folded, words):
    """Of `texts` those in which each of `words` is, at most TEXTS, and whose they are."""
    position = pw.fn.INSTR if is_sqlite() else pw.fn.STRPOS
    for word in words:
        texts = texts.where(position(folded, word) > 0)
    # Cut before anything is read along, by a number that the database knows when it plans.
    few = texts.limit(pw.SQL(str(TEXTS))).alias("few")
    return (
        SearchText.select(*_CUSTOMER, *_FOUND_BY)
        .from_(few)
        .join(Customer, on=few.c.customer_id == Customer.id)
        .left_outer_join(SupplyPoint, on=few.c.supply_id == SupplyPoint.id)
        .left_outer_join(Grant, on=few.c.grant_id == Grant.id)
        .left_outer_join(Account, on=Grant.account == Account.id)
    )


_OF_TEXT = (SearchText.customer, SearchText.supply, SearchText.grant)


@cache
def _indexed(size):
    """The texts with all trigrams (`asked`) and each of `size` words."""

    def build(asked, *words):
        texts = SearchText.select(*_OF_TEXT)
        if is_sqlite():
            texts = texts.join(_INDEX, on=_INDEX.rowid == SearchText.id)
            texts = texts.where(pw.NodeList((pw.SQL("search_index MATCH"), asked)))
        else:
            kept = pw.fn.search_trigrams(SearchText.folded)
            texts = texts.where(pw.NodeList((kept, pw.SQL("@>"), asked, pw.SQL("::text[]"))))
        return _whose(texts, SearchText.folded, words)

    return Prepared(f"asked {_names(size)}", build)


@cache
def _waiting(size):
    """On SQLite: what the index does not know yet."""

    def build(*words):
        texts = SearchText.select(*_OF_TEXT).where(SearchText.id > pw.SQL(f"({_UNTIL})"))
        return _whose(texts, SearchText.folded, words)

    return Prepared(_names(size), build)


@cache
def _sampled(size):
    """On PostgreSQL: among the texts of the first customers."""

    def build(*words):
        some = SearchText.select(*_OF_TEXT, SearchText.folded).order_by(SearchText.customer)
        some = some.limit(pw.SQL(str(SAMPLE))).alias("some")
        texts = pw.Select([some], [some.c.customer_id, some.c.supply_id, some.c.grant_id])
        return _whose(texts, some.c.folded, words)

    return Prepared(_names(size), build)


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
    if is_sqlite():
        quoted = " ".join('"{}"'.format(each.replace('"', '""')) for each in asked)
        texts = _indexed(len(found))(asked=quoted, **given)
        return (_waiting(len(found))(**given) + texts)[:TEXTS]
    texts = _sampled(len(found))(**given)
    if len(texts) < TEXTS:
        texts = _indexed(len(found))(asked=asked, **given)
    return texts


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
