"""A network of a worker's own to the database server, which a test can break (postgres_proxy)."""

import subprocess
from pathlib import Path

from fermata_process import binary


class Network:
    """Of one database; `url` is the way through it."""

    def __init__(self, database):
        program = Path(binary()).parent / "postgres_proxy"
        self.process = subprocess.Popen([program, database.cluster.socket], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"postgresql://fermata@127.0.0.1:{self.process.stdout.readline().strip()}/{database.name}"

    def _obey(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"postgres_proxy: {line}: {answer}")

    def clog(self, where):
        """`to_server`, `to_client` or `both`: nothing passes there any more, and nobody is told."""
        self._obey(f"clog {where}")

    def lag(self, milliseconds):
        self._obey(f"lag {milliseconds}")

    def clear(self):
        """What was held back passes now."""
        self._obey("clear")

    def arm(self, act, direction, after, milliseconds):
        """Once, as soon as anything is sent: `cut`, `late` or `delay` behind so many bytes (postgres_proxy)."""
        self._obey(f"arm {act} {direction} {after} {milliseconds}")

    def disarm(self):
        self._obey("disarm")

    def cut(self):
        self._obey("cut")

    def close(self):
        self.process.communicate()
