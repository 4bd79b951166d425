"""The rules of the portal, used by views and jobs alike; no request, no session, no flash."""
