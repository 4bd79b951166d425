import pytest

from domain.devices import described

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
         ("Firefox", "Windows")),
        (f"{MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36", ("Chrome", "Linux")),
        (f"{MOZILLA} (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Mobile Safari/537.36", ("Chrome", "Android")),
        (f"{MOZILLA} (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) "
         "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
         ("Samsung Internet", "Android")),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", ("Edge", "Windows")),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", ("Safari", "iPhone")),
        (f"{MOZILLA} (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", ("Chrome", "iPad")),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
         "(KHTML, like Gecko) Version/18.0 Safari/605.1.15", ("Safari", "macOS")),
        ("curl/8.0", (None, None)),
        ("", (None, None)),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_the_words_that_people_know(agent, expected):
    assert described(agent) == expected
