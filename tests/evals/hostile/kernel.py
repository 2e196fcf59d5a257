"""Programs that ask the kernel for more than a program needs."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack, attempt

LIBRARY = """
C = ctypes.CDLL(None, use_errno=True)
CLONE = 56 if os.uname().machine == "x86_64" else 220

def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


def refused(name: str, call: str) -> Attack:
    """A system call, by its name and arguments, that the filter answers with "not permitted"."""
    attack = attempt(name, f"system_call({call})")
    return Attack(attack.name, attack.body, evidence="Operation not permitted")


ATTACKS = [
    refused("trace_a_process", "'ptrace', 16, 1, 0, 0"),
    refused("read_memory_of_a_process", "'process_vm_readv', 1, 0, 0, 0, 0, 0"),
    refused("take_a_file_of_a_process", "'pidfd_getfd', 3, 0, 0"),
    refused("mount", "'mount', b'none', b'/tmp', b'tmpfs', 0, 0"),
    refused("unmount", "'umount2', b'/proc', 2"),
    refused("new_mount_interface", "'fsopen', b'tmpfs', 0"),
    refused("move_the_root", "'pivot_root', b'/tmp', b'/tmp'"),
    refused("new_user_namespace", "'unshare', 0x10000000"),
    refused("enter_a_namespace", "'setns', 3, 0"),
    refused("asynchronous_calls", "'io_uring_setup', 8, ctypes.create_string_buffer(120)"),
    refused("kernel_programs", "'bpf', 0, ctypes.create_string_buffer(72), 72"),
    refused("performance_counters", "'perf_event_open', ctypes.create_string_buffer(128), 0, -1, -1, 0"),
    refused("page_faults", "'userfaultfd', 1"),
    refused("keyring", "'add_key', b'user', b'name', b'value', 5, -3"),
    refused("session_keyring", "'keyctl', 1, 0"),
    refused("load_a_kernel", "'kexec_load', 0, 0, 0, 0"),
    refused("load_a_module", "'finit_module', 0, b'', 0"),
    refused("set_the_clock", "'clock_settime', 0, 0"),
    refused("name_the_host", "'sethostname', b'mine', 4"),
    refused("change_personality", "'personality', 0x0400000"),
    refused("open_by_handle", "'open_by_handle_at', -100, ctypes.create_string_buffer(128), 0"),
    refused("watch_all_files", "'fanotify_init', 0, 0"),
    refused("message_queue", "'mq_open', b'queue', 0o102, 0o600, 0"),
    refused("kernel_log", "'syslog', 3, ctypes.create_string_buffer(4096), 4096"),
    attempt("clone_into_namespaces", "checked(C.syscall(CLONE, 0x10000011, 0, 0, 0, 0))", LIBRARY),
    attempt("newer_clone", "checked(C.syscall(435, ctypes.create_string_buffer(88), 88))", LIBRARY),
    attempt("newest_calls", "checked(C.syscall(467, 0, 0, 0))", LIBRARY),
    attempt(
        "regain_capabilities",
        "checked(C.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(1 << 21, 1 << 21)))",
        LIBRARY,
    ),
    attempt("keep_capabilities", "checked(C.prctl(24, 0, 0, 0, 0))", LIBRARY),
]
