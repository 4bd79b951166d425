"""`make fuzz`: hostile bytes for every reader of domain/formats/ and every form."""
