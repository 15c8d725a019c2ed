"""Workers of one repository, each a process of its own, and those who ask them."""

import json
import os
import signal
import subprocess

from fermata_process import DEADLINE, wait_until


class Running:
    """A worker; what it says on stderr is in a file."""

    def __init__(self, folder, *arguments, name="alpha", jobs=None, **options):
        self.name = name
        self.log = folder.path / f"{name}.err"
        with self.log.open("a") as err:
            self.process = folder.spawn("worker", "--jobs", jobs or folder.path / "jobs", "--name", name, *arguments,
                                        stdout=subprocess.DEVNULL, stderr=err, **options)

    def said(self):
        return self.log.read_text()

    def serves(self):
        """Or has said that it soon will."""
        return " serves " in self.said() or self.process.poll() is not None

    def is_stopped(self):
        """By SIGSTOP."""
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "T"
        except FileNotFoundError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def drain(self):
        self.process.send_signal(signal.SIGTERM)

    def ended(self):
        return self.process.wait(timeout=DEADLINE)


class Workers:
    """For a TestCase whose ENGINE is one of engines.py: a repository, a jobs folder, and who works there."""

    def setUp(self):
        self.engine = self.ENGINE()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder
        (self.folder.path / "jobs").mkdir()
        self.folder.fermata("db", "init", exit_code=0)

    def define(self, text, name="job"):
        self.folder.write(f"jobs/{name}.xml", text)

    def spawn_worker(self, *arguments, **options):
        """Does not wait until it serves."""
        running = Running(self.folder, *arguments, **options)
        self.addCleanup(running.kill)
        return running

    def worker(self, *arguments, name="alpha", **options):
        running = self.spawn_worker(*arguments, name=name, **options)
        wait_until("it serves", lambda: name in self.workers())
        return running

    def workers(self):
        listed = json.loads(self.folder.fermata("workers", "-o", "json", exit_code=0).stdout)
        return {worker["name"]: worker for worker in listed}

    @staticmethod
    def of_host(folder, host):
        """Several hosts: as far as Fermata can tell, processes of another FERMATA_HOST with folders of their own are."""
        return {"FERMATA_HOST": host, "XDG_STATE_HOME": str(folder.path / host)}

    def on(self, host):
        """Commands from now on are of this host."""
        self.folder.environment |= self.of_host(self.folder, host)

    def fermata(self, *arguments, exit_code=0, **options):
        return self.folder.fermata(*arguments, "--jobs", self.folder.path / "jobs", exit_code=exit_code, **options)

    def start(self, *arguments, **options):
        return self.fermata("start", *arguments, "-o", "name", **options).stdout.strip()

    def status(self, execution):
        return self.folder.show(execution)["status"]

    def events(self, execution):
        """The kinds, in order."""
        listed = self.folder.fermata("events", execution, exit_code=0).stdout.splitlines()
        return [line.split()[2] for line in listed]

    def wait(self, *executions):
        """Until all are COMPLETED, and leases have run out before."""
        self.folder.fermata("wait", *executions, exit_code=0, timeout=3 * DEADLINE)

    def sound(self):
        self.folder.fermata("db", "verify", exit_code=0)
