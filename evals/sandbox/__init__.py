"""Run generated programs so that they can neither do harm nor decide about themselves.

For a program whose functions are tested, two processes, each in namespaces of its own inside a bubblewrap sandbox:

    host                      judge                                 candidate
    Executor ── program, test ──▶ runs the test;  ── load, call ──▶ runs the program,
             ◀── verdict ──────   its functions   ◀── plain data ── and serves calls
                                  are proxies

The candidate never holds the test, and the judge never runs a line of the candidate: what the candidate returns arrives
as numbers, texts and containers of them, so nothing that it patches, prints or exits with reaches the verdict.

A program that reads standard input and prints is run as it would be anywhere, `python main.py < input`, in namespaces
of its own for each case (`cases`). The accepted outputs stay on the host, which compares.

The host starts two *zygotes* (`guest.zygote`) for each worker, one for judges and one for candidates: Python processes
inside a sandbox, with the usual modules imported, that fork a fresh process for every program and see to its end. What
runs inside (`guest`) needs the standard library alone; what starts it is `launcher` by way of `bubblewrap`, and
`worker` checks one program.
"""
