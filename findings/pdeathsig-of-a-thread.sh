#!/bin/sh
# PR_SET_PDEATHSIG is forgotten when the thread that set it ends: the process then outlives its parent.
#
# prctl(2) says that the signal is sent when the parent dies, and that "parent" means the thread that created
# the process. It does not say that the setting belongs to the thread that makes the call: Linux keeps it with
# each thread (pdeath_signal in struct task_struct, looked at for every thread that is left when the parent
# dies). A program that calls prctl from a thread pool, whose idle threads end after a few seconds (libdispatch,
# many executors), is safe for those seconds only. The call must come from the main thread, or before others
# are started (Python's preexec_fn, Go's SysProcAttr and setpriv --pdeathsig do it before exec).
#
# Seen on 2026-11-28 with Linux 6.18 on x86-64, by Python 3.11 (any will do). The child, one second after its
# parent was killed:
#
#     set by the main thread: gone
#     set by a thread that has ended: alive
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > child.py <<'PYTHON'
import ctypes, signal, sys, threading, time

def ask():
    assert ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0) == 0

if sys.argv[1] == "main":
    ask()
else:
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
open("ready", "w").close()
time.sleep(30)
PYTHON
cat > parent.py <<'PYTHON'
import subprocess, sys
child = subprocess.Popen([sys.executable, "child.py", sys.argv[1]])
print(child.pid, flush=True)
child.wait()
PYTHON

for who in main thread; do
    rm -f ready
    python3 parent.py $who > pid &
    parent=$!
    while [ ! -e ready ]; do sleep 0.1; done
    kill -9 $parent
    wait $parent 2>/dev/null || true
    sleep 1
    child=$(cat pid)
    # The command line of a process that has ended, and that nobody has waited for, is empty.
    if grep -q . "/proc/$child/cmdline" 2>/dev/null; then echo "$who alive"; else echo "$who gone"; fi
    kill -9 "$child" 2>/dev/null || true
done > seen
diff - seen <<'SEEN'
main gone
thread alive
SEEN
echo "as described"
