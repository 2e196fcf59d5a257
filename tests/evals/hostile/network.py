"""Programs that speak to others: over the network, or to processes of this machine."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack, attempt

LOCAL = "('127.0.0.1', PORT)"

ATTACKS = [
    attempt("connect_to_this_machine", f"socket.create_connection({LOCAL}, timeout=2).close()", harmless=True),
    attempt("connect_to_the_world", "socket.create_connection(('192.0.2.1', 80), timeout=2)"),
    attempt(
        "send_a_datagram",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'hello', ('127.0.0.1', DATAGRAM_PORT))",
        harmless=True,
    ),
    attempt("listen", "socket.create_server(('127.0.0.1', 0)).close()", harmless=True),
    attempt("look_up_a_name", "socket.getaddrinfo('example.org', 80)"),
    attempt("abstract_socket", "socket.socket(socket.AF_UNIX).connect('\\0' + TOKEN)", harmless=True),
    attempt("socket_in_a_folder", "socket.socket(socket.AF_UNIX).connect(f'{CANARY}/socket')", harmless=True),
    attempt("listen_on_an_abstract_socket", "socket.socket(socket.AF_UNIX).bind('\\0mine')", harmless=True),
    attempt("raw_packets", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)"),
    attempt("netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)", harmless=True),
    attempt("virtual_machine_socket", "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    attempt("kernel_cryptography", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)"),
    Attack(
        "interfaces",
        """
        def attack():
            names = [name for _, name in socket.if_nameindex()]
            return "escaped" if names != ["lo"] else "contained"
        """,
        statuses=("failed",),
        evidence="Operation not permitted",
    ),
]
