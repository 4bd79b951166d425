"""Measure flows written from scratch, as distributors send them."""

from domain.clock import quarter_hours

UTILITY = "01234567890"  # as in the settings of the tests
POD = "IT001E12345678"


def kwh(watt_hours):
    return f"{watt_hours // 1000},{watt_hours % 1000:03d}"


def numbers(day):
    """Which E a row of `day` has; of the day of October all hundred."""
    return [*range(1, 9), *range(13, 97)] if quarter_hours(day) == 92 else range(1, 97)


def row(day, values, *, dst="0", energy="Ea", only=None):
    """A row of `values` in Wh, or as they are written; `only` says which E they are."""
    texts = [value if isinstance(value, str) else kwh(value) for value in values]
    cells = " ".join(f'E{n}="{text}"' for n, text in zip(only or numbers(day), texts, strict=True))
    return f'<{energy} Dst="{dst}" {cells}>{day.day:02d}</{energy}>'


def october(day, values, *, energy="Ea"):
    """The two rows of the day on which the clocks go back, of 100 values in time order."""
    return [
        row(day, values[:12], dst="2", energy=energy, only=range(1, 13)),
        row(day, values[12:], dst="3", energy=energy, only=range(9, 97)),
    ]


def point(*rows, pod=POD, month="05/2026", kind="E", block="Misura", day=None, constants=""):
    """A DatiPod with the `rows` in one block; `day` is a DataMisura in place of the month."""
    when = f"<DataMisura>{day}</DataMisura>" if day else f"<MeseAnno>{month}</MeseAnno>"
    return (
        f"<DatiPod>\n<Pod>{pod}</Pod>\n{when}\n"
        f"<DatiPdp><Trattamento>O</Trattamento><Tensione>380</Tensione>{constants}</DatiPdp>\n"
        f"<{block}><TipoDato>{kind}</TipoDato><Validato>S</Validato>\n"
        + "\n".join(rows)
        + f"\n</{block}>\n</DatiPod>"
    )


def flow(*points, code="PDO", root="FlussoMisure", user=UTILITY, encoding="UTF-8", attributes=""):
    return "\n".join(
        (
            f'<?xml version="1.0" encoding="{encoding}"?>',
            f'<{root} CodFlusso="{code}"{attributes}>',
            f"<IdentificativiFlusso><PIvaUtente>{user}</PIvaUtente><PIvaDistributore>09876543210"
            "</PIvaDistributore><CodContrDisp>DP0001</CodContrDisp></IdentificativiFlusso>",
            *points,
            f"</{root}>",
        )
    )
