"""Row 5: whose tries are counted, behind as many proxies as the settings say."""

import pytest

from app import ConfigurationError, create_app, read_settings
from models import Throttle, db

PEER = "192.0.2.7"


@pytest.fixture
def counted(settings):
    """`counted(hops, header)`: the place to which a wrong login from PEER is put down."""

    def _counted(hops, forwarded):
        app = create_app({**settings, "PROXY_HOPS": hops})
        app.config["WTF_CSRF_ENABLED"] = False
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = PEER
        with app.app_context():
            answer = browser.post(
                "/login",
                data={"username": "000001", "password": "sbagliata"},
                headers={"X-Forwarded-For": forwarded},
            )
            assert answer.status_code == 422
            (key,) = [row.key for row in Throttle.select() if row.key.startswith("login-address")]
            db.close_all()
        return key.partition(":")[2]

    return _counted


@pytest.mark.parametrize(
    ("hops", "forwarded", "place"),
    [
        (0, "198.51.100.1", PEER),
        (0, "198.51.100.1, 198.51.100.2", PEER),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),  # what the visitor sent comes first
        (2, "10.0.0.1, 198.51.100.1, 198.51.100.2", "198.51.100.1"),
        (2, "198.51.100.1", PEER),  # fewer proxies than the settings say: nobody is believed
        (1, "", PEER),
        (1, "198.51.100.1, \x7f;drop", "unknown"),
    ],
)
def test_row_05_a_visitor_cannot_choose_the_address_that_counts(counted, hops, forwarded, place):
    assert counted(hops, forwarded) == place


def test_a_negative_number_of_proxies_is_refused(settings):
    with pytest.raises(ConfigurationError, match="PROXY_HOPS"):
        read_settings({**settings, "PROXY_HOPS": -1})
