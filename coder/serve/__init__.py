"""The HTTP server: one model for every editor, agent and script.

    socket ── host, page, key (`guard`) ── an API family (`*_api`) ── `Service` ── `Engine`

A family is a module with `OPERATIONS`, its wire types beside it in `*_types`; `app` lists the families, and the pages,
which are plain routes that need no key. The service lets requests wait fairly, works on several at a time, and ends
what nobody waits for any more. Starlette and uvicorn are imported nowhere else in `coder`.
"""
