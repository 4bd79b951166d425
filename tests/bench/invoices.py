"""«Elenco fatture» against a bare route of the same size, and against a smaller archive."""

from pathlib import Path
from statistics import median

from app import create_app
from domain import sessions
from domain.clock import utcnow
from tests.bench import archive, server

ROUNDS = 5
SECONDS = 3
PAGE = "/forniture/PR999999/fatture"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
LARGE, SMALL = 50_000, 500


def settings(folder, url):
    return {
        "ENV": "development",
        "DATA_DIR": folder,
        "DATABASE_URL": url,
        "SECRET_KEY": "chiave-di-misura-lunga-a-sufficienza",
        "BASE_URL": "http://127.0.0.1",
    }


def cookie(folder, url):
    """The Cookie header of a browser where the measured customer is signed in."""
    app = create_app(settings(folder, url))
    with app.test_request_context():
        token = sessions.open_session(archive.account(url), now=utcnow())
        signer = app.session_interface.get_signing_serializer(app)
        value = signer.dumps(
            {"_user_id": token, "_fresh": True, "supply": "PR999999", "csrf_token": "a" * 40}
        )
    return {"Cookie": f"{app.config['SESSION_COOKIE_NAME']}={value}"}


def run(root=Path("bench-data")):
    """Rows of (what, requests/s, anchor's requests/s, ratio, promise)."""
    places = {}
    for name, customers in (("large", LARGE), ("small", SMALL)):
        folder = (root / name).resolve()
        url = archive.build(folder, customers=customers)
        places[name] = (folder, url, cookie(folder, url))

    def portal(name):
        folder, url, _cookie = places[name]
        named = {f"PORTALE_{key}": str(value) for key, value in settings(folder, url).items()}
        return server.granian("app:create_app", **named)

    with portal("large") as large, portal("small") as small:
        headers = {name: places[name][2] for name in places}
        page = len(server.fetch(large + PAGE, headers["large"])[1])
        partial = len(server.fetch(large + PAGE, headers["large"] | PARTIAL)[1])
        with server.granian("tests.bench.bare:create_app", BARE_SIZES=f"{page},{partial}") as bare:
            cases = {
                "page": (large + PAGE, headers["large"]),
                "page, small archive": (small + PAGE, headers["small"]),
                "bare page": (f"{bare}/{page}", {}),
                "partial": (large + PAGE, headers["large"] | PARTIAL),
                "bare partial": (f"{bare}/{partial}", {}),
            }
            speeds = {name: [] for name in cases}
            for _round in range(ROUNDS):  # interleaved, so that noise hits all alike
                for name, (address, sent) in cases.items():
                    rate = server.requests_per_second(address, sent, seconds=SECONDS)
                    speeds[name].append(rate)
    rate = {name: median(values) for name, values in speeds.items()}
    return [
        row("Elenco fatture, page", rate, "page", "bare page", f"{page} bytes; 0.25 or better"),
        row(
            "Elenco fatture, partial", rate, "partial", "bare partial",
            f"{partial} bytes; 0.30 or better",
        ),
        row(
            "1.2 million invoices / 12,000", rate, "page", "page, small archive",
            "0.90 or better",
        ),
    ]  # fmt: skip


def row(what, rate, measured, anchor, promise):
    ratio = rate[measured] / rate[anchor]
    return what, rate[measured], rate[anchor], ratio, promise
