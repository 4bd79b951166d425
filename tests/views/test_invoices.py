from tests.factories import make_account, make_customer, make_electricity, make_gas, make_invoice


def test_list(sign_in):
    customer = make_customer()
    supply = make_gas(customer, code="PR000001")
    make_electricity(customer)
    make_invoice(customer, supply)
    browser = sign_in(make_account(customer))
    for page in ("home", "fatture", "storico", "misure"):
        r = browser.get(f"/forniture/PR000001/{page}")
        assert r.status_code == 200, r.text
    print(r.text)
