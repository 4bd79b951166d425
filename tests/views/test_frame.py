from tests.factories import make_account, make_customer, make_gas


def test_home_of_the_default_supply(sign_in):
    customer = make_customer()
    make_gas(customer, code="PR000001")
    browser = sign_in(make_account(customer))
    assert browser.get("/").location == "/forniture/PR000001/home"
