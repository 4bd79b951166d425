"""What writes the guide: docs/guida/ as pages of the portal, its pictures, its PDF."""
