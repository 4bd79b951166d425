"""Customers found by a piece of what they are known by, whoever wrote it there."""

import pytest
from playhouse.migrations import Runner

import models
from domain import connections, search
from models import Account, Customer, Grant, SearchText, SupplyPoint
from tests.conftest import MIGRATIONS, ON_POSTGRESQL
from tests.factories import make_account, make_customer, make_electricity, make_gas


def codes(text):
    return [row.code for row in search.customers(text)[0]]


@pytest.fixture
def rossi(app):
    customer = make_customer("000123", name="D’AMICO NICCOLÒ & FIGLI", email="ditta@example.it")
    make_electricity(customer, "PR000777", pod="IT001E12345678")
    make_gas(customer, "PR000778", pdr="99887766554433")
    make_account(customer, username="000123", email="niccolo.privato@example.it")
    make_customer("000999", name="MARIO BIANCHI", email=None)
    return customer


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "000123", "0123", "amico", "D'Amico", "FIGLI niccolo", "niccolò d’am", "it001e12345678",
        "234567", "5678", "7766", "PR000777", "0777", "ditta@", "privato@example",
    ],
)  # fmt: skip
def test_a_piece_of_anything_finds_the_customer(rossi, text, indexed):
    if indexed:
        search.catch_up()
    assert codes(text) == ["000123"]


def test_a_vat_number_is_found_with_its_country_and_in_pieces(app):
    make_customer("000200", vat_number="01234567897")
    for text in ("IT01234567897", "01234567897", "4567897"):
        assert codes(text) == ["000200"]
    make_customer("000201", vat_number=None, tax_code="RSSMRA80A01H501U")
    assert codes("rssmra80a01") == ["000201"]


@pytest.mark.parametrize(
    "text", ["", "  ", "ab", "a b c", "\x00", "zzz", "%%%", "___", '"', "abc\x00def", "!" * 100,
             "niccolo bianchi", "12345678 9988", "*" * 7, "日本語", "NEAR(a b)", "x OR figli"],
)  # fmt: skip
def test_what_is_nowhere_finds_nobody(rossi, text):
    for _again in range(2):
        assert codes(text) == []
        search.catch_up()


def test_the_customer_with_that_code_comes_first_however_many_have_it_within(app):
    for n in range(150):
        make_customer(f"{n:06d}", name=f"A {n}", vat_number=f"00042{n:06d}")
    wanted = make_customer("000420", name="ZETA")
    rows, more = search.customers("000420")
    assert (rows[0].code, more) == (wanted.code, True)
    assert len(rows) == search.MOST


def test_what_was_found_says_by_which_supply_or_login(rossi):
    [row] = search.customers("34567")[0]
    assert (row.supply, row.pod, row.pdr, row.username) == (
        "PR000777",
        "IT001E12345678",
        None,
        None,
    )
    [row] = search.customers("privato")[0]
    assert (row.supply, row.username, row.email) == (None, "000123", "niccolo.privato@example.it")


@pytest.mark.parametrize("indexed", [False, True])
def test_changes_of_any_statement_are_found_and_what_was_before_is_not(rossi, indexed):
    def settle():
        if indexed:
            search.catch_up()

    settle()
    run = models.db.execute_sql
    run("UPDATE customer SET name = 'GÒTICA S.R.L.' WHERE code = '000123'")
    settle()
    assert (codes("gotica"), codes("niccolo figli")) == (["000123"], [])
    other = Customer.get(Customer.code == "000999")
    SupplyPoint.update(customer=other).where(SupplyPoint.code == "PR000777").execute()
    settle()
    assert codes("it001e123") == ["000999"]
    SupplyPoint.update(pod="IT001E55555555").where(SupplyPoint.code == "PR000777").execute()
    settle()
    assert (codes("it001e123"), codes("5555555")) == ([], ["000999"])
    account = Account.get()
    Grant.create(account=account, customer=other)
    Account.update(email="nuovo@posta.test").where(Account.id == account).execute()
    settle()
    assert sorted(codes("nuovo@posta")) == ["000123", "000999"]
    assert codes("privato") == []
    Grant.delete().where(Grant.customer == other).execute()
    assert codes("nuovo@posta") == ["000123"]
    account.delete_instance()
    settle()
    assert codes("nuovo@posta") == []


def test_the_database_folds_letters_as_the_search_does(app):
    letters = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x250)])) + "’‘Ωд日"
    for n, start in enumerate(range(0, len(letters), 90)):
        make_customer(f"9{n:05d}", name=letters[start : start + 90])
    texts = SearchText.select(SearchText.folded, Customer.name).join(Customer).namedtuples()
    for row in texts:
        assert row.folded.split("\n")[1] == search.folded(row.name)


def test_an_index_full_of_what_has_changed_is_made_anew(rossi, monkeypatch):
    monkeypatch.setattr(search, "STALE", 3)
    for n in range(20):
        Customer.update(name=f"NUMERO {n:03d}").where(Customer.id == rossi).execute()
        search.catch_up()
    assert codes("numero 019") == ["000123"]
    assert codes("numero 018") == []
    if not ON_POSTGRESQL:
        entries = models.db.execute_sql("SELECT entries FROM search_indexed").fetchone()[0]
        assert entries <= 2 * SearchText.select().count() + 4


def test_no_table_is_read_from_end_to_end(app, count_queries):
    """With rows enough that reading all of them would not be the best plan anyway."""
    with models.writing():
        for n in range(400):
            customer = make_customer(name=f"CLIENTE {n * 7919}")
            make_electricity(customer, pod=f"IT001E{n * 7919:08d}")
        search.catch_up()
    run = models.db.execute_sql
    run("ANALYZE")
    plans = []
    original = models.db.obj.execute_sql
    explain = "EXPLAIN " if ON_POSTGRESQL else "EXPLAIN QUERY PLAN "

    def explained(sql, params=None, *rest):
        plans.extend(original(explain + sql, params, *rest).fetchall())
        return original(sql, params, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.db.obj, "execute_sql", explained)
        if ON_POSTGRESQL:  # of few rows it would rather read all
            original("SET enable_seqscan = off")
        for text in ("7919", "it001e0", "cliente 15838", "000001"):
            search.customers(text)
        search.first()
        if ON_POSTGRESQL:
            original("RESET enable_seqscan")
    lines = [str(row[-1] if not ON_POSTGRESQL else row[0]) for row in plans]
    assert lines
    scans = [line for line in lines if "Seq Scan" in line or line.startswith("SCAN ")]
    allowed = ("VIRTUAL TABLE INDEX 0:M", "USING INDEX", "SCAN search_indexed", "SCAN few")
    assert [line for line in scans if not any(each in line for each in allowed)] == []
    used = "search_text_trigrams" if ON_POSTGRESQL else "VIRTUAL TABLE INDEX 0:M"
    assert any(used in line for line in lines)


def test_an_archive_of_before_is_found_once_it_is_migrated(tmp_path, app):
    database = connections.connect(f"sqlite:///{tmp_path / 'before.db'}")
    steps = Runner(database, MIGRATIONS)
    names = [step.name for step in steps.migrations()]
    steps.up(names[names.index("0005_search") - 1])
    run = database.execute_sql
    run("INSERT INTO customer (id, code, name, vat_number, active) "
        "VALUES (1, '000007', 'ÀLTRI TEMPI', '1', 1)")  # fmt: skip
    run("INSERT INTO supply_point (id, code, customer_id, service, pod, has_corrector) "
        "VALUES (1, 'PR7', 1, 'EE', 'IT001E00000007', 0)")  # fmt: skip
    Runner(database, MIGRATIONS).up()
    assert codes("altri") == ["000007"]
    assert codes("1e0000") == ["000007"]
    database.close_all()
