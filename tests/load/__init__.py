"""`make load`: two hundred customers at once, on loopback, started by hand."""
