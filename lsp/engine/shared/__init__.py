"""One engine for all windows of a user: a process of its own that language servers share over a local socket.

    client ── launch ──▶ the process (`python -m lsp.engine.shared`): service ─ connection ─ Engine
       └───── address, handshake, channel, messages ─────┘

There is one for each model, runtime and version of Quickfill. It leaves when nobody has been connected for a while.
"""
