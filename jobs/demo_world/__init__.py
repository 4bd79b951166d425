"""The fictional utility of the demo: people, supplies, years of invoices and readings."""
