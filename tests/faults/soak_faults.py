"""What breaks in soak_test.py. Each fault is a method that breaks something, chosen by `chance`, and mends it again, at the
latest when `over` is set; several are under way at a time."""

import contextlib
import inspect
import resource
import signal
import socket
import struct
import subprocess
from pathlib import Path

import postgres
from clock_test import CLOCKS, with_clock
from slow_disk_test import slowed
from takeover_test import ADOPTERS_POINTS

SLEEP = 20  # seconds: longer than a lease
STEP = "20 seconds"  # of the database's clock: too
FORGED = ["", "-1", "0", "9" * 30, "id", "1; DROP TABLE job_execution", "☃"]
WORDS = ("pause", "resume", "stop", "restart")
OK, NOT_FOUND, CONFLICT, STOPPED, PAUSED, UNREACHABLE = 0, 6, 8, 10, 11, 13
KILLED = -signal.SIGKILL


class Faults:
    """Of a Soak."""

    def __init__(self, soak, over):
        self.soak, self.over = soak, over

    @classmethod
    def kinds(cls):
        return [name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")]

    def _last(self, seconds):
        self.over.wait(seconds)

    # --- processes -------------------------------------------------------------------------------------------------
    def a_worker_is_killed(self, chance):
        chance.choice(self.soak.served).running.process.kill()

    def a_worker_is_killed_at_a_point(self, chance):
        worker = chance.choice(self.soak.served)
        point = chance.choice(ADOPTERS_POINTS).split(":")[0]
        worker.next_environment = {"FERMATA_POINT": f"{point}:{chance.randint(1, 5)}"}
        worker.running.process.kill()

    def all_workers_of_a_host_are_killed(self, chance):
        host = chance.choice(self.soak.served).host
        for worker in self.soak.served:
            if worker.host == host:
                worker.running.process.kill()

    def a_worker_sleeps_through_its_lease(self, chance):
        process = chance.choice(self.soak.served).running.process
        process.send_signal(signal.SIGSTOP)
        self._last(SLEEP)
        process.send_signal(signal.SIGCONT)

    def a_command_is_killed(self, chance):
        """The next ones that start something; given again."""
        self.soak.deadly_starts += [f"launch.{chance.choice(('before', 'after'))}-commit" for _ in range(3)]

    def a_run_is_killed(self, chance):
        number, arguments = self.soak.next_import()
        run = self.soak.folder.spawn("run", f"jobs/{arguments[0]}.xml", *arguments[1:], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        self._last(chance.uniform(0.2, 2))
        run.kill()
        run.wait()
        self.soak.ask_for(number, arguments)  # by its key: whether it had come to be recorded or not

    def an_item_is_poison(self, _):
        self.soak.start_poison()

    def a_worker_may_open_no_files(self, chance):
        process = chance.choice(self.soak.served).running.process
        with contextlib.suppress(ProcessLookupError):
            limit = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limit[1]))
            self._last(5)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limit)

    def operators_disagree(self, chance):
        for _ in range(20):
            execution = self.soak.some_execution(chance)
            if execution is None:
                return
            verb = chance.choice(WORDS)
            detached = ["--jobs", self.soak.folder.path / "jobs", "--detach"] if verb in ("resume", "restart") else []
            done = self.soak.folder.fermata(verb, execution, *detached)
            if done.returncode not in (OK, NOT_FOUND, CONFLICT, STOPPED, PAUSED, UNREACHABLE):
                self.soak.complain(f"{verb} {execution}: {done}")

    # --- the network -------------------------------------------------------------------------------------------------
    def a_network_is_clogged(self, chance):
        link = chance.choice(self.soak.served).link
        link.clog(chance.choice(("to_server", "to_client", "both")))
        self._last(chance.uniform(3, SLEEP))
        link.clear()

    def a_network_is_slow(self, chance):
        link = chance.choice(self.soak.served).link
        link.lag(200)
        self._last(8)
        link.clear()

    def connections_are_cut(self, chance):
        """Somewhere within what is sent or answered, once or several times; what was sent may come late."""
        link = chance.choice(self.soak.served).link
        for _ in range(5):
            act = chance.choice(("cut", "late", "delay"))
            where = "to_server" if act == "late" else chance.choice(("to_server", "to_client"))
            link.arm(act, where, chance.randrange(400), 500)
            self._last(0.5)
        link.disarm()
        link.cut()

    # --- PostgreSQL --------------------------------------------------------------------------------------------------
    def the_server_is_restarted(self, _):
        with self.soak.only_one_at_the_server:
            self.soak.server.stop("fast")
            self.soak.server.start()

    def the_server_crashes_and_stays_away(self, chance):
        with self.soak.only_one_at_the_server:
            self.soak.server.stop("immediate")
            self._last(chance.uniform(1, 6))
            self.soak.server.start()

    def the_server_loses_its_processes(self, _):
        with self.soak.only_one_at_the_server:
            self.soak.server.kill_backends()

    def the_server_has_no_connection_left(self, _):
        hogs = []
        while (hog := self._connected()) is not None:
            hogs.append(hog)
        self._last(5)
        for hog in hogs:
            hog.close()

    def _connected(self):
        """A session that does nothing; nothing if there is none to have."""
        hog = socket.socket(socket.AF_UNIX)
        try:
            hog.connect(self.soak.server.socket)
            asks = struct.pack("!i", 196608) + b"user\0fermata\0database\0postgres\0\0"
            hog.sendall(struct.pack("!i", len(asks) + 4) + asks)
            if hog.recv(1) == b"R":
                return hog
        except OSError:
            pass
        hog.close()
        return None

    def each_sync_of_the_servers_disk_takes_a_second(self, _):
        try:
            pids = [pid for (pid,) in postgres.rows(self.soak.server.url(), "SELECT pid FROM pg_stat_activity")]
        except RuntimeError:
            return  # it is away
        postmaster = (Path(self.soak.server.folder) / "data" / "postmaster.pid").read_text().split()[0]
        attached = [word for pid in (postmaster, *pids) for word in ("-p", pid)]
        tracer = subprocess.Popen([*slowed(1), *attached], stderr=subprocess.DEVNULL)
        self._last(6)
        tracer.send_signal(signal.SIGTERM)
        tracer.wait()

    # --- clocks ------------------------------------------------------------------------------------------------------
    def the_servers_clock_is_set(self, chance):
        for step in (chance.choice((STEP, f"-{STEP}")), "0"):
            self.soak.when_the_server_answers(f"UPDATE clock SET step = '{step}'")
            self._last(6)

    def the_clock_of_a_worker_is_wrong(self, chance):
        worker = chance.choice(self.soak.served)
        # Kafka's client waits by the system's clock, of which nobody has told it a lie.
        worker.next_environment = with_clock(chance.choice(list(CLOCKS.values()))) | {"FERMATA_KAFKA": ""}
        worker.running.process.kill()

    # --- Kafka -------------------------------------------------------------------------------------------------------
    def the_broker_is_killed(self, _):
        with self.soak.only_one_at_the_broker:
            self.soak.broker.kill()
            self._last(5)
            self.soak.broker.start()

    def messages_are_forged_repeated_and_shuffled(self, chance):
        messages = 10 * [*self.soak.all_executions(), *FORGED]
        chance.shuffle(messages)
        sent = [(chance.randrange(self.soak.PARTITIONS), message) for message in messages]
        with self.soak.only_one_at_the_broker:
            self.soak.topic.send(sent)
