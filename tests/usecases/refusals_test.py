#!/usr/bin/env python3
"""A PostgreSQL repository that cannot be used: one line says why, another what to do, and the exit code of what it is."""

import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import Folder, wait_until  # noqa: E402
from postgres import Cluster, execute, rows  # noqa: E402

REFUSED, FORBIDDEN, INVALID, UNREACHABLE = 5, 7, 9, 13
JOB = """<job id="one" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="step"><batchlet ref="command"><properties><property name="command" value="true"/></properties></batchlet></step>
</job>
"""


class Refusals(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(arguments=["--fsync", "off"])
        self.addCleanup(self.cluster.close)
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.folder.write("one.xml", JOB)
        self.own = self.database("repository")
        self.folder.use_repository(self.own)

    def database(self, name):
        execute(self.cluster.url(), f"CREATE DATABASE {name}")
        return self.cluster.url(name)

    def url(self, database="repository", user="fermata", password=""):
        return f"postgresql://{user}{password}@/{database}?host={self.cluster.folder}"

    def refused(self, repository, *arguments, code, saying, remedy=""):
        """The message is one line, the remedy another; nothing is said anywhere else, and no password."""
        done = self.folder.fermata("--repository", repository, *arguments, exit_code=code)
        self.assertEqual("", done.stdout)
        message, advice = done.stderr.strip().split("\n")
        self.assertTrue(message.startswith("fermata: "), message)
        self.assertIn(saying, message)
        self.assertIn(remedy, advice)
        self.assertNotIn("hush", done.stderr)

    def test_what_is_not_there(self):
        self.refused(self.own, "list", code=UNREACHABLE, saying="there is no repository at", remedy="fermata db init")
        self.refused(self.url("nowhere"), "list", code=UNREACHABLE, saying="there is no repository",
                     remedy="create the database")
        self.refused(self.url("nowhere"), "db", "init", code=UNREACHABLE, saying='database "nowhere" does not exist',
                     remedy="createdb")
        self.refused(self.url(user="nobody"), "list", code=UNREACHABLE, saying='role "nobody" does not exist',
                     remedy="createuser")
        self.refused(f"postgresql:///repository?host={self.folder.path}", "list", code=UNREACHABLE,
                     saying="No such file or directory", remedy="see that the server runs on this machine")
        self.refused("postgresql://127.0.0.1:1/x", "list", code=UNREACHABLE, saying="Connection refused",
                     remedy="see that the server runs, and listens at this host and port")
        self.refused("postgresql://no.such.host.invalid/x", "list", code=UNREACHABLE, saying="no.such.host.invalid",
                     remedy="see that the host's name is right")
        self.refused(self.own + "&sslmode=verify", "list", code=UNREACHABLE, saying='invalid sslmode value: "verify"',
                     remedy="verify-full")
        self.refused(self.own + "&port=99999", "list", code=UNREACHABLE, saying="invalid port number",
                     remedy="a port is a number from 1 to 65535")
        self.folder.environment["PGSERVICE"] = "no_such"
        self.refused(self.own, "list", code=UNREACHABLE, saying='definition of service "no_such" not found',
                     remedy="unset PGSERVICE")
        del self.folder.environment["PGSERVICE"]
        self.cluster.stop()
        self.refused(self.own, "run", "one.xml", code=UNREACHABLE, saying="No such file or directory")

    def test_passwords(self):
        execute(self.own, "CREATE ROLE fred LOGIN PASSWORD 'open sesame'")
        hba = Path(rows(self.own, "SHOW hba_file")[0][0])
        hba.write_text("local all fred scram-sha-256\n" + hba.read_text())
        execute(self.own, "SELECT pg_reload_conf()")
        wait_until("the server asks for the password",
                   lambda: self.folder.fermata("--repository", self.url(user="fred"), "list").returncode == UNREACHABLE)
        self.refused(self.url(user="fred"), "list", code=UNREACHABLE, saying="no password supplied",
                     remedy="give a password: in ~/.pgpass")
        self.refused(self.url(user="fred", password=":hush"), "list", code=UNREACHABLE,
                     saying='password authentication failed for user "fred"', remedy="see that user and password are right")
        pgpass = self.folder.write("pgpass", "*:*:*:fred:open sesame\n")
        execute(self.own, "GRANT ALL ON SCHEMA public TO fred")
        for environment in ({"PGPASSFILE": str(pgpass)}, {"HOME": str(self.folder.path)}):
            if "HOME" in environment:
                pgpass = pgpass.rename(self.folder.path / ".pgpass")
            self.folder.environment.update(environment)
            pgpass.chmod(0o640)
            told = self.folder.fermata("--repository", self.url(user="fred"), "list", exit_code=UNREACHABLE).stderr.splitlines()
            self.assertEqual(f'fermata: the password file "{pgpass}" is not used: others may read or write it (mode 0640): '
                             f'chmod 600 "{pgpass}"', told[0])
            self.assertIn("no password supplied", told[1])
            self.assertEqual(3, len(told), told)
            pgpass.chmod(0o600)
            self.refused(self.url(user="fred"), "list", code=UNREACHABLE, saying="there is no repository at", remedy="db init")
            self.folder.environment.pop("PGPASSFILE", None)
        self.folder.fermata("--repository", self.url(user="fred"), "db", "init", exit_code=0)

    def test_init_says_whether_it_made_one(self):
        self.assertRegex(self.folder.fermata("db", "init", exit_code=0).stdout, "^made postgresql://")
        self.assertRegex(self.folder.fermata("db", "init", exit_code=0).stdout, "^there is postgresql://")

    def test_a_parameter_that_is_no_utf_8(self):
        self.refused(self.own, "run", "one.xml", "-p", "a=b\udcff", code=INVALID, saying=r'-p,--param: "a=b\xFF" is no UTF-8',
                     remedy="give text in UTF-8")

    def test_what_is_missing_is_named(self):
        self.folder.fermata("db", "init", exit_code=0)
        execute(self.own, "DROP TRIGGER event_final ON event; DROP INDEX pause_due; DROP VIEW batch_job_execution; "
                          "DROP TRIGGER walk_kept_whole ON walk")
        told = self.folder.fermata("db", "verify", exit_code=1).stderr
        for thing in ("trigger event_final", "index pause_due", "view batch_job_execution", "trigger walk_kept_whole"):
            self.assertIn(f"{thing} is missing\n", told)

    def test_rights(self):
        execute(self.own, "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE looker LOGIN")
        looker = self.url(user="looker")
        closed = 'role "looker" may not use the schema "public", the first of its search path'
        self.refused(looker, "db", "init", code=FORBIDDEN, saying=closed, remedy='GRANT USAGE ON SCHEMA "public" TO "looker"')
        self.refused(looker, "list", code=FORBIDDEN, saying=closed, remedy="GRANT USAGE")
        execute(self.own, "CREATE SCHEMA AUTHORIZATION looker")
        self.refused(looker, "list", code=UNREACHABLE, saying="there is no repository at", remedy="db init")
        execute(self.own, "DROP SCHEMA looker; ALTER ROLE looker SET search_path = closed, public; CREATE SCHEMA closed")
        self.refused(looker, "list", code=FORBIDDEN, saying='may not use the schema "closed"', remedy="GRANT USAGE")
        execute(self.own, "ALTER ROLE looker RESET search_path; DROP SCHEMA closed")
        execute(self.own, "GRANT USAGE ON SCHEMA public TO looker")
        self.refused(looker, "db", "init", code=FORBIDDEN, saying="permission denied for schema public", remedy="right")
        self.folder.fermata("db", "init", exit_code=0)
        self.refused(looker, "list", code=FORBIDDEN, saying="permission denied for table schema_version", remedy="right")
        execute(self.own, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker")
        self.folder.fermata("--repository", looker, "list", exit_code=0)
        self.folder.fermata("--repository", looker, "db", "verify", exit_code=0)
        self.refused(looker, "run", "one.xml", code=FORBIDDEN, saying="permission denied for table job_definition")

    def test_tables_of_others(self):
        execute(self.own, "CREATE TABLE customer (id integer)")
        for arguments in (["db", "init"], ["run", "one.xml"], ["list"]):
            self.refused(self.own, *arguments, code=REFUSED, saying="is no Fermata repository: it has the tables customer",
                         remedy="name another")

    def test_other_versions(self):
        self.folder.fermata("db", "init", exit_code=0)
        version = int(rows(self.own, "SELECT version FROM schema_version")[0][0])
        execute(self.own, "UPDATE schema_version SET version = version + 1")
        self.refused(self.own, "list", code=REFUSED, remedy="use a newer fermata",
                     saying=f"has schema version {version + 1}, this program knows version {version}")

    def test_a_standby(self):
        self.folder.fermata("db", "init", exit_code=0)
        data = Path(rows(self.own, "SHOW data_directory")[0][0])
        self.cluster.stop()
        (data / "standby.signal").touch()
        shutil.chown(data / "standby.signal", data.stat().st_uid, data.stat().st_gid)
        self.cluster.start()
        for arguments in (["run", "one.xml"], ["list"], ["db", "init"]):
            self.refused(self.own, *arguments, code=REFUSED, saying="the server is a standby",
                         remedy="connect to the primary")

    def test_backup_is_the_servers_own(self):
        self.folder.fermata("db", "init", exit_code=0)
        self.refused(self.own, "db", "backup", "copy.dump", code=REFUSED, saying="backed up by its own tools",
                     remedy="pg_dump --format=custom --file='copy.dump'")


if __name__ == "__main__":
    unittest.main()
