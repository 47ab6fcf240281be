"""Starting programs in a folder of their own as an ordinary user, and stopping them by their process ids."""

import contextlib
import ctypes
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

# Far from UTC, with half an hour, so that a zone that is lost or applied twice is seen.
ZONE = "America/St_Johns"


class Missing(Exception):
    """A program is not installed, or does not start."""


def find(name, *folders):
    """A program's path; system programs are not in everybody's PATH."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if not found:
        raise Missing(f"no program {name}")
    return found


def version(package, unpacked=None):
    """The version of a Debian package, installed or unpacked."""
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    if found.returncode == 0 and found.stdout:
        return found.stdout
    candidate = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True).stdout
    return first_match(r"Candidate: (\S+)", candidate) if unpacked else "?"


def now():
    return time.time()


def free_port():
    """A port that is free at 127.0.0.1 and ::1."""
    for _ in range(50):
        with socket.socket(socket.AF_INET) as four, socket.socket(socket.AF_INET6) as six:
            four.bind(("127.0.0.1", 0))
            port = four.getsockname()[1]
            try:
                six.bind(("::1", port))
            except OSError:
                continue
            return port
    raise Missing("no free port")


class Place:
    """A folder for one program, with the files that servers serve, and the processes that were started in it."""

    def __init__(self, folder, python=None, unpacked=None):
        self.folder = pathlib.Path(folder)
        self.python = python
        self.unpacked = pathlib.Path(unpacked).resolve() if unpacked else None
        self.processes, self.closing, self.zone, self.patience = [], [], ZONE, 0.3
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.give(self.folder)

    @property
    def programs(self):
        """Folders of programs of packages that are unpacked but not installed, since they conflict with each other."""
        return [self.unpacked / folder for folder in ("usr/sbin", "usr/bin", "sbin", "bin", "lib/systemd")] if self.unpacked else []

    def folders(self, *names):
        """Where folders of a package may be."""
        return [pathlib.Path("/") / name for name in names] + ([self.unpacked / name for name in names] if self.unpacked else [])

    def libraries(self):
        """The environment for a program that is only unpacked."""
        if not self.unpacked:
            return {}
        return {"LD_LIBRARY_PATH": ":".join(sorted({str(path.parent) for path in self.unpacked.glob("**/*.so*")}))}

    def give(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        for owned in [path, *path.parents]:
            if owned == self.folder:
                break
            self.give(owned)
        return str(path)

    def make(self, name):
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        self.give(path)
        return str(path)

    def as_user(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def environment(self, more):
        return {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "HOME": str(self.folder),
            "TZ": self.zone,
            "LANG": "C.UTF-8",
            **(more or {}),
        }

    def start(self, *words, port=None, environment=None, output="output", ready=None, folder=None, patience=30):
        """Starts a program that stays in the foreground, and waits until its port (or `ready`) answers."""
        with open(self.folder / output, "ab") as file:
            self.give(self.folder / output)
            process = subprocess.Popen(
                words,
                cwd=folder or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self.environment(environment),
                start_new_session=True,
                **self.as_user(),
            )
        self.processes.append(process)
        deadline = time.monotonic() + patience
        is_ready = ready or (lambda: port is None or answers(port))
        while not is_ready():
            # One that ends well may have detached itself.
            if process.poll() or time.monotonic() > deadline:
                raise Missing(f"{words[0]} does not start: {cause((self.folder / output).read_bytes())}")
            time.sleep(0.05)
        return process

    def call(self, *words, environment=None, **options):
        done = subprocess.run(words, cwd=self.folder, capture_output=True, env=self.environment(environment), **self.as_user(), **options)
        if done.returncode:
            raise Missing(f"{words[0]} ended with {done.returncode}: {cause(done.stderr)}")
        return done.stdout

    def stop(self, how=signal.SIGTERM):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    pass
            # What the program started itself is in its session.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            process.wait()
        self.processes = []
        stop_orphans(how)
        for close in self.closing:
            close()
        self.closing = []


def adopt_orphans():
    """Makes this process the parent of those that its children leave behind: some daemons detach themselves."""
    set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def children():
    """The processes that have this one as their parent, including those that have ended."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        # Another's process may end at any time.
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def stop_orphans(how, patience=15):
    """Ends the processes that were left behind, once those that were started have ended."""
    for orphan in children():
        os.kill(orphan, how)
    deadline = time.monotonic() + patience
    while left := children():
        for orphan in left:
            if time.monotonic() > deadline:
                os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, os.WNOHANG)
        time.sleep(0.02)


def cause(output):
    """The line of a program's output that says why it ended: the first that has an error in it, or else the last."""
    lines = output.decode(errors="replace").strip().splitlines() or ["no output"]
    return next((line for line in lines if "error" in line.lower()), lines[-1]).strip()[:300]


def answers(port, address="127.0.0.1"):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def settle(path, patience=3):
    """Waits until a log no longer grows: some are written a moment after the answer."""
    deadline, size = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        now = os.path.getsize(path) if os.path.exists(path) else 0
        if now == size:
            return
        size = now
        time.sleep(0.3)


def first_match(pattern, text, default="?"):
    found = re.search(pattern, text)
    return found.group(1) if found else default
