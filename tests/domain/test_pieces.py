"""Long queries are read a piece at a time, each row once."""

import pytest

from domain.pieces import in_pieces
from models import Customer, db
from tests.factories import make_customer


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_each_row_comes_once_and_between_two_pieces_the_connection_is_free(app, size):
    for code in range(4):
        make_customer(f"00000{code}")
    db.close()

    def following(last):
        query = Customer.select().order_by(Customer.code)
        return query.where(Customer.code > last.code) if last else query

    codes = []
    for row in in_pieces(following, size):
        assert db.is_closed()
        codes.append(row.code)
    assert codes == ["000000", "000001", "000002", "000003"]
