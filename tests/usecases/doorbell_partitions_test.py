#!/usr/bin/env python3
"""UC4.5: partitions are offered through Kafka, whose messages are lost, come ten times, in any order, or whose broker
dies. Each partition runs once all the same."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Postgres  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from kafka import Broker, Topic, shared  # noqa: E402
from remote_partitions_test import ALL, sliced  # noqa: E402
from workers import Workers  # noqa: E402

HOSTS = ("alpha", "beta", "gamma")


class PartitionsRungByKafka(Workers, unittest.TestCase):
    """alpha owns the execution and rings for its partitions; beta and gamma may listen elsewhere."""

    ENGINE = Postgres

    def setUp(self):
        shared()  # skips where there is none
        super().setUp()
        self.define(sliced(), name="sliced")

    def ring_at(self, topic):
        self.folder.environment["FERMATA_KAFKA"] = f"{topic.broker.url}/{topic.name}?group.id={topic.name}"

    def begin(self, rung, heard):
        """Topics: where alpha rings, and where the others listen."""
        self.ring_at(rung)
        self.on("host-of-alpha")
        self.hosts = [self.worker("--slots", "1", name="alpha")]
        execution = self.start("sliced", "-p", f"sink={self.engine.own.url}")
        wait_until("alpha is in the middle of one", lambda: self.in_the_middle(execution, "alpha"))
        self.ring_at(heard)
        for name in HOSTS[1:]:
            self.on(f"host-of-{name}")
            self.hosts.append(self.worker("--slots", "1", name=name))
        return execution

    def in_the_middle(self, execution, worker):
        steps = self.folder.show(execution)["steps"]
        return steps and [each for each in steps[0]["partitions"]
                          if (each["status"], each["worker"]) == ("STARTED", worker) and each["commits"] > 0]

    def expect_each_partition_once(self, execution):
        self.wait(execution)
        self.assertEqual(ALL, self.engine.own.numbers("value"))
        epochs = self.engine.own.rows("SELECT epoch FROM step_progress WHERE partition > 0")
        self.assertEqual({2}, {int(epoch) for (epoch,) in epochs}, "planned, and entered once")
        [step] = self.folder.show(execution)["steps"]
        self.assertEqual(set(HOSTS), {each["worker"] for each in step["partitions"]})
        self.assertEqual([None] * len(self.hosts), [host.process.poll() for host in self.hosts])
        self.sound()

    def test_every_message_is_lost(self):
        rung = Topic()
        execution = self.begin(rung, heard=Topic())
        self.expect_each_partition_once(execution)
        wait_until("it was rung for", lambda: execution in [message.value for message in rung.read()])

    def test_ten_times_shuffled_and_some_lost(self):
        rung, heard = Topic(), Topic(partitions=3)
        execution = self.begin(rung, heard)
        chance = random.Random(4)
        while self.status(execution) == "STARTED":
            messages = [message.value for message in rung.read() if chance.random() < 0.7]
            ringing = 10 * [*messages, execution, "0", "4711", "nonsense"]
            chance.shuffle(ringing)
            heard.send((chance.randrange(3), message) for message in ringing)
        self.expect_each_partition_once(execution)

    def test_the_broker_is_killed_and_comes_back(self):
        broker = Broker()
        self.addCleanup(broker.close)
        topic = Topic(broker=broker)
        execution = self.begin(topic, heard=topic)
        for name in HOSTS[1:]:
            wait_until(f"{name} is in the middle of one", lambda name=name: self.in_the_middle(execution, name))
        broker.kill()
        wait_until("the trouble is told", lambda: all("no broker of kafka://" in host.said() for host in self.hosts))
        broker.start()
        self.expect_each_partition_once(execution)


if __name__ == "__main__":
    unittest.main()
