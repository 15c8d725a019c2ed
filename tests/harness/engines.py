"""One vocabulary for the databases of a test, so that the same test runs on each engine: where the repository is, and
sinks `own` (the repository's database), `other` (another one of the same engine), `foreign` (of another engine)."""

import functools
import signal
import sqlite3
import subprocess

from fermata_process import Folder, rows as file_rows, wait_until
from postgres import Database, execute, rows as server_rows


class Sink:
    """`url` as a job names it; rows are tuples of text."""

    def __init__(self, url, path=None):
        self.url = str(url)
        self.path = path  # of a SQLite file

    def rows(self, sql):
        if self.path is None:
            return server_rows(self.url, sql)
        return [tuple("" if value is None else str(value) for value in row) for row in file_rows(self.path, sql)]

    def rows_or_nothing(self, sql):
        """As rows, but [] while the database or the table does not exist yet."""
        try:
            return self.rows(sql)
        except (sqlite3.OperationalError, RuntimeError) as error:
            if any(words in str(error) for words in ("no such table", "unable to open", "does not exist")):
                return []
            raise

    def numbers(self, column, table="item"):
        """A column of integers: as it was written where the engine keeps that order, else sorted."""
        order = f"CAST({column} AS bigint)" if self.path is None else "rowid"
        return [int(value) for (value,) in self.rows_or_nothing(f"SELECT {column} FROM {table} ORDER BY {order}")]

    def check(self):
        """By the engine's own means."""
        if self.path is not None:
            assert self.rows("PRAGMA integrity_check") == [("ok",)]


class Sqlite:
    """The repository is a file of the folder."""

    def __init__(self, databases=None):
        """`databases`: answers an empty PostgreSQL database; without it each one is made and dropped here."""
        self.folder = Folder()
        self.databases = []
        self._given = databases
        self.own = Sink("repository.db", self.folder.path / "repository.db")

    @functools.cached_property
    def other(self):
        return Sink("sink.db", self.folder.path / "sink.db")

    @functools.cached_property
    def foreign(self):
        return Sink(self._database())

    def _database(self):
        if self._given is not None:
            return self._given()
        self.databases.append(Database())
        return self.databases[-1].url

    def lose_repository(self):
        for left in self.folder.path.glob("repository.db*"):
            subprocess.run(["rm", "-r", left], check=True)

    def remove(self):
        self.folder.remove()
        for database in self.databases:
            database.remove()


class Postgres(Sqlite):
    """The repository is a database of the tests' cluster."""

    def __init__(self, databases=None):
        super().__init__(databases)
        self.own = Sink(self._database())
        self.folder.use_repository(self.own.url)

    @functools.cached_property
    def other(self):
        return Sink(self._database())

    @functools.cached_property
    def foreign(self):
        return Sink("sink.db", self.folder.path / "sink.db")

    def lose_repository(self):
        empty(self.own.url)


def kill_until_done(folder, arguments, sink, goals):
    """Starts `fermata arguments…` again for each goal, kills it as soon as more rows are in the sink's table `item`, and
    lets the last one end; answers how many were killed."""
    def written():
        found = sink.rows_or_nothing("SELECT count(*) FROM item")
        return int(found[0][0]) if found else 0

    kills = 0
    for goal in goals:
        process = folder.spawn(*arguments, start_new_session=True)
        wait_until(f"{goal} rows or the end", lambda: written() > goal or process.poll() is not None)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    folder.fermata(*arguments, exit_code=0)
    return kills


def empty(url):
    execute(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
