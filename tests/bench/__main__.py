"""`make bench`: what the portal promises of its speed, as ratios measured in one run."""

from tests.bench import acquisition, curve, flows, imports, invoices, login, mail, measures, search


def main():
    print(f"{'':34}{'measured/s':>12}{'anchor/s':>12}{'ratio':>8}  promise")
    for rows in (
        invoices.run(),
        login.run(),
        measures.run(),
        curve.run(),
        acquisition.run(),
        flows.run(),
        imports.run(),
        mail.run(),
        search.run(),
    ):
        for what, measured, anchor, ratio, promise in rows:
            print(f"{what:34}{measured:12.1f}{anchor:12.1f}{ratio:8.3f}  {promise}")


if __name__ == "__main__":
    main()
