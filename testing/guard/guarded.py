"""A server of the tests' own, guarded: what testing/postgres/cluster and testing/kafka/broker have in common.

    PROGRAM run [OPTION]…      until stdin ends
    PROGRAM start FOLDER       until the calling process (ctest) ends, or stop
    PROGRAM stop FOLDER

`run` says `ready ADDRESS`, `missing REASON` or `failed REASON`, then obeys lines on stdin, each answered by `ok` or
`failed REASON`. Whoever holds the other end of stdin may be killed at any instant: the server is gone a moment later; if
this program itself is killed, the kernel tells the server. `start` writes its answer, `ready` or `missing`, into
FOLDER/<pid of its caller>: two runs of ctest never share a server, and where there is none it is looked for once.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """The server is not to be had on this machine."""


TROUBLE = (RuntimeError, OSError, subprocess.TimeoutExpired)


def die_with_parent(how):
    """For preexec_fn: the kernel sends the signal `how` when the guard ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, how)


def main(program, server_of, add_options, shared=()):
    """`server_of(options)` makes a server: create() and start() it, then `address` is what tests need, obey(line),
    remove(). `shared`: options of the server that `start` starts for a whole run."""
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    runner = verbs.add_parser("run")
    add_options(runner)
    runner.add_argument("--until", type=int, metavar="PID", help="until this process ends, instead of stdin")
    runner.set_defaults(do=lambda options: run(server_of, options))
    starter = verbs.add_parser("start")
    starter.set_defaults(do=lambda options: start([program, "run", *shared], options.folder))
    stopper = verbs.add_parser("stop")
    stopper.set_defaults(do=lambda options: stop(options.folder))
    for verb in (starter, stopper):
        verb.add_argument("folder", type=Path)
    options = parser.parse_args()
    return options.do(options)


def run(server_of, options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; ours is the end of stdin
    server = None
    try:
        server = server_of(options)
        server.create()
        server.start()
        say("ready", server.address)
        if options.until:
            wait_for_end_of(options.until)
        else:
            serve_stdin(server)
    except Missing as error:
        say("missing", error)
    except TROUBLE as error:
        say("failed", error)
        return 1
    finally:
        if server:
            server.remove()
    return 0


def serve_stdin(server):
    for line in sys.stdin:
        try:
            server.obey(line)
            say("ok")
        except TROUBLE as error:
            say("failed", error)


def say(*words):
    print(*(str(word).replace("\n", " ") for word in words), flush=True)


def wait_for_end_of(pid):
    try:
        select.select([os.pidfd_open(pid)], [], [])
    except ProcessLookupError:
        pass  # it has ended


def start(runner, folder):
    caller = os.getppid()
    folder.mkdir(parents=True, exist_ok=True)
    guard = subprocess.Popen([*runner, "--until", str(caller)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    answer = guard.stdout.readline().strip()
    print(answer)
    lives = answer.startswith("ready ")
    if not lives and not answer.startswith("missing "):
        return 1
    (folder / str(caller)).write_text(f"{answer}\n" + (f"{guard.pid}\n" if lives else ""))
    return 0


def stop(folder):
    state = folder / str(os.getppid())
    if state.exists():
        _, *guard = state.read_text().splitlines()
        state.unlink()
        for pid in map(int, guard):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(pid, signal.SIGTERM)
                wait_for_end_of(pid)
    return 0
