from tests.factories import make_account, make_customer, make_gas


def test_home_of_the_default_supply(sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    assert browser.get("/").location == "/forniture/PR000001/home"


def test_each_request_knows_only_its_own_customer(sign_in):
    one, other = make_customer(name="UNO"), make_customer(name="DUE")
    make_gas(one, code="PR000001")
    make_gas(other, code="PR000002")
    first, second = sign_in(make_account(one)), sign_in(make_account(other))
    assert first.get("/").location == "/forniture/PR000001/home"
    assert second.get("/").location == "/forniture/PR000002/home"
