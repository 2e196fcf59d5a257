"""An engine behind `quickfill serve`, on this machine or another, which the setting `serverUrl` names.

    client ── exchange: one request, one answer or a stream of events ──▶ /quickfill/v1/...

What the user writes goes to that address and nowhere else: no proxy, no redirect.
"""
