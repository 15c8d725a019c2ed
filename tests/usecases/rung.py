"""What the tests of Kafka as a doorbell share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import wait_until  # noqa: E402
from kafka import Topic  # noqa: E402
from worker_test import job  # noqa: E402
from workers import Workers  # noqa: E402

ONCE = job("sh -c 'echo $FERMATA_EXECUTION_ID >> ran; test ! -e broken'")
APPROVED = job("sh -c 'echo $FERMATA_EXECUTION_ID >> ran'", name="approved",
               after='<fer:pause on="*" point="approve"/>')


class Rung(Workers):
    """All commands of the tests use one URL of Kafka."""

    def setUp(self):
        """Each begins by itself, with its URL."""

    def begin(self, kafka):
        Workers.setUp(self)
        self.use(kafka)
        self.define(ONCE)
        self.define(APPROVED, "approved")

    def use(self, kafka):
        self.folder.environment["FERMATA_KAFKA"] = kafka

    def ring_at(self, broker, partitions=3):
        """A topic and group of this test's own."""
        self.topic = Topic(partitions, broker)
        return f"{broker.url}/{self.topic.name}?group.id={self.topic.name}"

    def heard(self):
        return self.topic.committed(self.topic.name)

    def rung(self):
        return [message.value for message in self.topic.read()]

    def wait_until_heard(self):
        """Somebody of the group hears: a group needs a moment to form, and what was rung before is not heard."""
        before = self.heard()

        def is_heard():
            self.finish(self.start("job"))
            return self.heard() > before
        wait_until("a start is heard", is_heard)

    def finish(self, *executions):
        self.folder.fermata("wait", *executions, exit_code=0)

    def expect_each_ran_once(self):
        ran = (self.folder.path / "ran").read_text().split()
        all_of_them = [str(one["id"]) for one in self.folder.list(1000)]
        self.assertEqual(sorted(all_of_them), sorted(ran))
        self.sound()
