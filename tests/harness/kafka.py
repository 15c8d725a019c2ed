"""A Kafka broker of the tests' own (testing/kafka/broker), and topics on it."""

import functools
import itertools
import os
import subprocess
import time
from collections import namedtuple
from pathlib import Path

from fermata_process import DEADLINE, binary
from server_guard import ServerGuard, address_of_ctest

BROKER = Path(__file__).resolve().parents[2] / "testing" / "kafka" / "broker"
numbers = itertools.count(1)


class Broker:
    """`address`: of somebody else's, which is not to be killed; none: a new one."""

    def __init__(self, address=None):
        self.guard = None if address else ServerGuard(BROKER)
        self.bootstrap, self.secure, self.folder = (address or self.guard.address).split(" ")

    @property
    def url(self):
        return f"kafka://{self.bootstrap}"

    def kill(self):
        self.guard.obey("kill")

    def start(self):
        """Returns when clients are served, on the same ports."""
        self.guard.obey("start")

    def freeze(self):
        self.guard.obey("freeze")

    def thaw(self):
        self.guard.obey("thaw")

    def close(self):
        self.guard.close()


@functools.lru_cache(maxsize=None)
def shared():
    return Broker(address_of_ctest("FERMATA_TEST_KAFKA"))


Message = namedtuple("Message", "partition offset key value headers")


class Topic:
    """A topic of one test's own, written and read with nothing of Fermata in between."""

    def __init__(self, partitions=1, broker=None):
        self.broker = broker or shared()
        self.name = f"test-{os.getpid()}-{next(numbers)}"
        self._run("create", partitions)

    def _run(self, *arguments, text=""):
        program = Path(binary()).parent / "kafka_topic"
        done = subprocess.run([program, self.broker.bootstrap, self.name, *map(str, arguments)], input=text, text=True,
                              capture_output=True, timeout=DEADLINE)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def send(self, messages):
        """Pairs of partition and value."""
        self._run("send", text="".join(f"{partition}\t{value}\n" for partition, value in messages))

    def committed(self, group):
        """How many messages the group has committed. A broker that has just begun to coordinate groups is asked again."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return int(self._run("committed", group))
            except RuntimeError as error:
                if "oordinator" not in str(error) or time.monotonic() > end:
                    raise

    def read(self):
        rows = [line.split("\t") for line in self._run("read").splitlines()]
        return [Message(int(partition), int(offset), key, value, dict(header.split("=", 1) for header in headers))
                for partition, offset, key, value, *headers in rows]
