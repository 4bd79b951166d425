"""What a browser says of itself, in the two words that people recognise."""

# The first that is found counts: each browser also names those it wants to be taken for.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def described(user_agent):
    """(browser, system) that a `User-Agent` header names; None for what it does not tell."""
    return tuple(
        next((name for sign, name in names if sign in user_agent), None)
        for names in (_BROWSERS, _SYSTEMS)
    )
