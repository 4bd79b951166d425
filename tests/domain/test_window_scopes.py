import pytest

from domain import window_scopes
from domain.errors import Refused
from domain.window_scopes import Scope
from tests.factories import make_gas


def test_a_supply_is_asked_for_by_its_code_or_its_pdr(app):
    supply = make_gas(code="PR000001", pdr="00880000000001")
    wanted = Scope(supply.id, "PR000001")
    assert window_scopes.scope("fornitura", "pr000001") == wanted
    assert window_scopes.scope("fornitura", "00880000000001") == wanted
    make_gas(code="PR000002", pdr="00880000000001")
    with pytest.raises(Refused, match="Più forniture"):
        window_scopes.scope("fornitura", "00880000000001")
    with pytest.raises(Refused, match="Nessuna fornitura"):
        window_scopes.scope("fornitura", "PR000009")
