"""What the operators' search reads: a text for each customer, supply and login, and its index.

Triggers keep both right whoever writes: the portal, an import with statements of its own, or
somebody at the database's own prompt. See domain/search.py for how they are read, and why.
"""

import peewee as pw

# Letters with signs, and what is searched in their place; the same in domain/search.py.
LETTERS = (
    "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿĀāĂăĄąĆćĈĉĊċČčĎďĒēĔĕĖėĘęĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭĮįİ"
    "ĴĵĶķĹĺĻļĽľŃńŅņŇňŌōŎŏŐőŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſØøĐđŁł’"
)
PLAIN = (
    "aaaaaaceeeeiiiinooooouuuuyaaaaaaceeeeiiiinooooouuuuyyaaaaaaccccccccddeeeeeeeeeegggggggghhiiiiiiiii"
    "jjkkllllllnnnnnnoooooorrrrrrssssssssttttuuuuuuuuuuuuwwyyyzzzzzzsooddll'"
)
LIGATURES = {"ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
LONGEST = 1000  # characters of a text, at least
# What each text is made of, by the prefix of the row that holds it.
CUSTOMER = ("code", "name", "tax_code", "vat_number", "email")
SUPPLY = ("code", "pod", "pdr")
LOGIN = ("username", "email")

FILL = (
    "INSERT INTO search_text (customer_id, folded) SELECT id, {customer} FROM customer",
    "INSERT INTO search_text (customer_id, supply_id, folded) "
    "SELECT customer_id, id, {supply} FROM supply_point",
    "INSERT INTO search_text (customer_id, grant_id, folded) "
    "SELECT g.customer_id, g.id, {login} "
    "FROM account_grant g JOIN account a ON a.id = g.account_id",
)


def up(migrator, db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Customer(Table):
        pass

    class SupplyPoint(Table):
        pass

    class Grant(Table):
        class Meta:
            table_name = "account_grant"

    class SearchText(Table):
        customer = pw.ForeignKeyField(Customer, on_delete="CASCADE")
        supply = pw.ForeignKeyField(SupplyPoint, null=True, unique=True, on_delete="CASCADE")
        grant = pw.ForeignKeyField(Grant, null=True, unique=True, on_delete="CASCADE")
        folded = pw.TextField()

    db.create_tables([SearchText])
    on_sqlite = isinstance(db, pw.SqliteDatabase)
    for statement in sqlite() if on_sqlite else postgresql():
        db.execute_sql(statement)


def joined(prefix, names, end):
    """The columns `names` on a line each; `end` is how the database writes the end of one."""
    return f" || {end} || ".join(f"coalesce({prefix}{name}, '')" for name in names)


# -- SQLite --------------------------------------------------------------------------------


# The id of a text that the index does not know yet: each text that changes gets a new one.
NEXT = "(SELECT max(coalesce((SELECT max(id) FROM search_text), 0), until) + 1 FROM search_indexed)"


def sqlite():
    yield "CREATE TABLE search_letter (letter TEXT PRIMARY KEY, plain TEXT NOT NULL)"
    for letter, plain in (*zip(LETTERS, PLAIN, strict=True), *LIGATURES.items()):
        yield f"INSERT INTO search_letter VALUES ('{letter}', '{quoted(plain)}')"
    yield "CREATE TABLE search_place (place INTEGER PRIMARY KEY)"
    yield (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < {LONGEST}) INSERT INTO search_place SELECT i FROM n"
    )
    yield (
        "CREATE VIRTUAL TABLE search_index USING fts5("
        "folded, content='', tokenize='trigram', detail=none, columnsize=0)"
    )
    yield "CREATE TABLE search_indexed (until INTEGER NOT NULL, entries INTEGER NOT NULL)"
    yield "INSERT INTO search_indexed VALUES (0, 0)"
    login = folded_by_sqlite("a.", LOGIN)
    texts = {
        "customer": folded_by_sqlite("", CUSTOMER),
        "supply": folded_by_sqlite("", SUPPLY),
        "login": login,
    }
    for statement in FILL:
        yield statement.format(**texts)
    yield "INSERT INTO search_index (rowid, folded) SELECT id, folded FROM search_text"
    yield (
        "UPDATE search_indexed SET until = (SELECT coalesce(max(id), 0) FROM search_text), "
        "entries = (SELECT count(*) FROM search_text)"
    )
    for table, columns, add, change in (
        (
            "customer",
            CUSTOMER,
            "INSERT INTO search_text (id, customer_id, folded) "
            f"VALUES ({NEXT}, NEW.id, {folded_by_sqlite('NEW.', CUSTOMER)});",
            f"UPDATE search_text SET id = {NEXT}, folded = {folded_by_sqlite('NEW.', CUSTOMER)} "
            "WHERE customer_id = NEW.id AND supply_id IS NULL AND grant_id IS NULL;",
        ),
        (
            "supply_point",
            (*SUPPLY, "customer_id"),
            "INSERT INTO search_text (id, customer_id, supply_id, folded) "
            f"VALUES ({NEXT}, NEW.customer_id, NEW.id, {folded_by_sqlite('NEW.', SUPPLY)});",
            f"UPDATE search_text SET id = {NEXT}, customer_id = NEW.customer_id, "
            f"folded = {folded_by_sqlite('NEW.', SUPPLY)} WHERE supply_id = NEW.id;",
        ),
        (
            "account_grant",
            ("account_id", "customer_id"),
            "INSERT INTO search_text (id, customer_id, grant_id, folded) "
            f"SELECT {NEXT}, NEW.customer_id, NEW.id, {login} "
            "FROM account a WHERE a.id = NEW.account_id;",
            f"UPDATE search_text SET id = {NEXT}, customer_id = NEW.customer_id, "
            f"folded = (SELECT {login} FROM account a WHERE a.id = NEW.account_id) "
            "WHERE grant_id = NEW.id;",
        ),
        (
            "account",
            LOGIN,
            "",  # nobody is found by a login that acts for nobody
            # Where it acts for several, each of its texts gets another.
            f"UPDATE search_text SET id = {NEXT} + (SELECT count(*) FROM account_grant "
            "WHERE account_id = NEW.id AND id < search_text.grant_id), "
            f"folded = {folded_by_sqlite('NEW.', LOGIN)} "
            "WHERE grant_id IN (SELECT id FROM account_grant WHERE account_id = NEW.id);",
        ),
    ):
        if add:
            yield f"CREATE TRIGGER {table}_found AFTER INSERT ON {table} BEGIN {add} END"
        differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)
        yield (
            f"CREATE TRIGGER {table}_found_anew AFTER UPDATE OF {', '.join(columns)} ON {table} "
            f"WHEN {differs} BEGIN {change} END"
        )


def folded_by_sqlite(prefix, names):
    """SQLite knows no accents: where a text has any, it is put together again by its letters.

    (Calls of `replace` in each other are more than its parser takes, for so many letters.)
    """
    text = joined(prefix, names, "char(10)")
    return (
        f"CASE WHEN {text} NOT GLOB '*[^\n-~]*' THEN lower({text}) ELSE ("
        "SELECT group_concat(coalesce(l.plain, substr(t.text, p.place, 1)), '') "
        f"FROM (SELECT lower({text}) AS text) AS t "
        "CROSS JOIN search_place AS p ON p.place <= length(t.text) "
        "LEFT JOIN search_letter AS l ON l.letter = substr(t.text, p.place, 1)) END"
    )


def quoted(text):
    return text.replace("'", "''")


# -- PostgreSQL ----------------------------------------------------------------------------


def postgresql():
    replaced = f"translate(lower(given COLLATE \"C\"), '{LETTERS}', '{quoted(PLAIN)}')"
    for letter, plain in LIGATURES.items():
        replaced = f"replace({replaced}, '{letter}', '{plain}')"
    yield (  # most texts have no other letter than those of ASCII, one byte each
        "CREATE FUNCTION search_folded(given text) RETURNS text "
        "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT "
        'CASE WHEN octet_length(given) = length(given) THEN lower(given COLLATE "C") '
        f"ELSE {replaced} END $$"
    )
    yield """
        CREATE FUNCTION search_trigrams(given text) RETURNS text[]
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE
            found text[];
        BEGIN
            FOR place IN 1 .. length(given) - 2 LOOP
                found[place] := substr(given, place, 3);
            END LOOP;
            RETURN found;
        END $$"""
    texts = {
        "customer": folded_by_postgresql("", CUSTOMER),
        "supply": folded_by_postgresql("", SUPPLY),
        "login": folded_by_postgresql("a.", LOGIN),
    }
    for statement in FILL:
        yield statement.format(**texts)
    yield ("CREATE INDEX search_text_trigrams ON search_text USING gin (search_trigrams(folded))")
    for table, columns, change in (
        (
            "customer",
            CUSTOMER,
            f"""
            IF TG_OP = 'INSERT' THEN
                INSERT INTO search_text (customer_id, folded)
                VALUES (NEW.id, {folded_by_postgresql("NEW.", CUSTOMER)});
            ELSE
                UPDATE search_text SET folded = {folded_by_postgresql("NEW.", CUSTOMER)}
                WHERE customer_id = NEW.id AND supply_id IS NULL AND grant_id IS NULL;
            END IF;""",
        ),
        (
            "supply_point",
            (*SUPPLY, "customer_id"),
            f"""
            INSERT INTO search_text (customer_id, supply_id, folded)
            VALUES (NEW.customer_id, NEW.id, {folded_by_postgresql("NEW.", SUPPLY)})
            ON CONFLICT (supply_id) DO UPDATE
            SET customer_id = EXCLUDED.customer_id, folded = EXCLUDED.folded;""",
        ),
        (
            "account_grant",
            ("account_id", "customer_id"),
            f"""
            INSERT INTO search_text (customer_id, grant_id, folded)
            SELECT NEW.customer_id, NEW.id, {texts["login"]}
            FROM account a WHERE a.id = NEW.account_id
            ON CONFLICT (grant_id) DO UPDATE
            SET customer_id = EXCLUDED.customer_id, folded = EXCLUDED.folded;""",
        ),
        (
            "account",
            LOGIN,
            f"""
            UPDATE search_text SET folded = {folded_by_postgresql("NEW.", LOGIN)}
            WHERE grant_id IN (SELECT id FROM account_grant WHERE account_id = NEW.id);""",
        ),
    ):
        yield f"""
            CREATE FUNCTION {table}_found() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {change} RETURN NULL; END $$"""
        if table != "account":  # nobody is found by a login that acts for nobody
            yield (
                f"CREATE TRIGGER {table}_found AFTER INSERT ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_found()"
            )
        differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns)
        yield (
            f"CREATE TRIGGER {table}_found_anew AFTER UPDATE OF {', '.join(columns)} ON {table} "
            f"FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION {table}_found()"
        )


def folded_by_postgresql(prefix, names):
    return f"search_folded({joined(prefix, names, 'chr(10)')})"
