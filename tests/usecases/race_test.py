#!/usr/bin/env python3
"""Two processes that want different things of one execution at the same instant, 200 times over, on each engine: one legal
outcome each time, the loser is told, and nothing is left that nobody can end. FERMATA_ROUNDS=n takes another number."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import DEADLINE, Folder  # noqa: E402
from postgres import Database  # noqa: E402

ROUNDS = int(os.environ.get("FERMATA_ROUNDS", "200"))
HEAD = ('<job id="race" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:fer="urn:fermata:job:1">'
        '<step id="a" next="b">{work}{pause}</step><step id="b">{work}</step></job>')
WORK = ('<chunk item-count="1"><reader ref="rangeReader"><properties><property name="from" value="1"/>'
        '<property name="to" value="3"/></properties></reader><writer ref="discardWriter"/></chunk>')


class Races(unittest.TestCase):
    def on(self, engine):
        self.folder = Folder()
        self.expected = {}  # statuses that are looked at in the end, all at once
        self.spread = 300 if engine == "postgres" else 60  # milliseconds, about what a command takes
        self.addCleanup(self.folder.remove)
        if engine == "postgres":
            database = Database()
            self.addCleanup(database.remove)
            self.folder.use_repository(database.url)
        self.folder.write("plain.xml", HEAD.format(work=WORK, pause=""))
        self.folder.write("pause.xml", HEAD.format(work=WORK, pause='<fer:pause on="*" point="p"/>'))

    def at_once(self, *commands):
        processes = [self.folder.spawn(*command) for command in commands]
        told = [process.communicate(timeout=DEADLINE) for process in processes]
        return tuple(process.returncode for process in processes), told

    def status(self):
        return self.folder.show()["status"]

    def rounds(self, engine, play):
        self.on(engine)
        seen = {}
        for number in range(1, ROUNDS + 1):
            outcome = play(str(number))
            seen[outcome] = seen.get(outcome, 0) + 1
        if self.expected:
            found = {str(each["id"]): each["status"] for each in self.folder.list(limit=ROUNDS)}
            self.assertEqual(self.expected, found)
        self.folder.fermata("db", "verify", exit_code=0)
        self.assertEqual([], self.folder.left_behind())
        print(engine, seen)

    def resume_and_resume(self, number):
        self.folder.fermata("run", "pause.xml", exit_code=11)
        codes, told = self.at_once(("resume", number), ("resume", number))
        self.assertEqual([0, 8], sorted(codes), told)
        self.assertEqual("COMPLETED", self.status())
        return codes

    def resume_and_stop(self, number):
        self.folder.fermata("run", "pause.xml", exit_code=11)
        codes, told = self.at_once(("resume", number), ("stop", number))
        status = self.status()
        legal = {"COMPLETED": [(0, 0), (0, 8)], "STOPPED": [(8, 0), (10, 0)]}
        self.assertIn(codes, legal[status], told)
        return status, codes

    def resume_and_timeout(self, number):
        """Whoever comes when the time is up, `list` here, stops it; now and then that is the resumer himself."""
        self.folder.write("timed.xml", HEAD.format(
            work=WORK, pause=f'<fer:pause on="*" point="p" timeout="{1 + int(number) * 37 % self.spread}ms" on-timeout="stop"/>'))
        self.folder.fermata("run", "timed.xml", exit_code=11)
        codes, told = self.at_once(("resume", number), ("list", "-o", "json"))
        self.assertIn(codes, [(0, 0), (8, 0)], told)
        self.expected[number] = "COMPLETED" if codes[0] == 0 else "STOPPED"
        return codes

    def signal_and_pause(self, number):
        running = self.folder.spawn("run", "pause.xml")
        sent = self.folder.fermata("signal", number, "--point", "p", "--key", "k")
        while sent.returncode in (6, 13):  # the execution, or the repository, is not there yet
            sent = self.folder.fermata("signal", number, "--point", "p", "--key", "k")
        running.communicate(timeout=DEADLINE)
        status = self.status()
        self.assertIn((sent.stdout.split()[0].rstrip(":"), status), [("buffered", "COMPLETED"), ("applied", "STARTING"),
                                                         ("applied", "COMPLETED")], sent)
        if status == "STARTING":
            self.folder.fermata("resume", number, exit_code=0)
        return sent.stdout.split()[0].rstrip(":"), status

    def asked_while_it_ends(self, verb, job, number, legal):
        running = self.folder.spawn("run", job)
        asked = self.folder.fermata(verb, number)
        while asked.returncode in (6, 13):
            asked = self.folder.fermata(verb, number)
        running.communicate(timeout=DEADLINE)
        outcome = asked.returncode, running.returncode, self.status()
        self.assertIn(outcome, legal)
        if outcome[2] == "PAUSED":
            self.folder.fermata("resume", number, exit_code=0)
        return outcome

    def pause_and_completion(self, number):
        return self.asked_while_it_ends("pause", "plain.xml", number, [(0, 11, "PAUSED"), (0, 0, "COMPLETED"),
                                                                       (8, 0, "COMPLETED")])

    def stop_and_completion(self, number):
        return self.asked_while_it_ends("stop", "plain.xml", number, [(0, 10, "STOPPED"), (0, 0, "COMPLETED"),
                                                                      (8, 0, "COMPLETED")])

    def test_resume_and_resume_sqlite(self):
        self.rounds("sqlite", self.resume_and_resume)

    def test_resume_and_resume_postgres(self):
        self.rounds("postgres", self.resume_and_resume)

    def test_resume_and_stop_sqlite(self):
        self.rounds("sqlite", self.resume_and_stop)

    def test_resume_and_stop_postgres(self):
        self.rounds("postgres", self.resume_and_stop)

    def test_resume_and_timeout_sqlite(self):
        self.rounds("sqlite", self.resume_and_timeout)

    def test_resume_and_timeout_postgres(self):
        self.rounds("postgres", self.resume_and_timeout)

    def test_signal_and_pause_sqlite(self):
        self.rounds("sqlite", self.signal_and_pause)

    def test_signal_and_pause_postgres(self):
        self.rounds("postgres", self.signal_and_pause)

    def test_pause_and_completion_sqlite(self):
        self.rounds("sqlite", self.pause_and_completion)

    def test_pause_and_completion_postgres(self):
        self.rounds("postgres", self.pause_and_completion)

    def test_stop_and_completion_sqlite(self):
        self.rounds("sqlite", self.stop_and_completion)

    def test_stop_and_completion_postgres(self):
        self.rounds("postgres", self.stop_and_completion)


if __name__ == "__main__":
    unittest.main()
