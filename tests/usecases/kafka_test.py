#!/usr/bin/env python3
"""kafkaReader and kafkaWriter in the fermata binary, on a real broker, killed with SIGKILL."""

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from engines import Sqlite, kill_until_done  # noqa: E402
from fermata_process import wait_until  # noqa: E402
from jobs import HEAD, into_item  # noqa: E402
from kafka import Topic, shared  # noqa: E402

TO_KAFKA = HEAD + """
  <step id="send">
    <properties><property name="max-rate" value="300"/></properties>
    <chunk item-count="20">
      <reader ref="rangeReader"><properties>
        <property name="from" value="1"/><property name="to" value="600"/>
      </properties></reader>
      <writer ref="kafkaWriter"><properties>
        <property name="url" value="{url}"/><property name="topic" value="{topic}"/>
      </properties></writer>
    </chunk>
  </step>
</job>
"""


class Kafka(unittest.TestCase):
    def setUp(self):
        shared()  # skips where there is none
        self.engine = Sqlite()
        self.addCleanup(self.engine.remove)
        self.folder = self.engine.folder

    def test_an_import_killed_again_and_again_has_every_message_once(self):
        topic = Topic(partitions=3)
        sent = {(number % 3, f"value {number}") for number in range(900)}
        topic.send(sorted(sent))
        reader = f"""<reader ref="kafkaReader"><properties>
            <property name="url" value="{topic.broker.url}"/><property name="topic" value="{topic.name}"/>
            <property name="columns" value="partition,offset,value"/></properties></reader>"""
        self.folder.write("import.xml", into_item("import", reader, max_rate=1000))
        sink = self.engine.other
        arguments = ["run", "import.xml", "--instance", "one", "-p", f"sink={sink.url}"]
        kills = kill_until_done(self.folder, arguments, sink, range(50, 900, 200))
        self.assertGreaterEqual(kills, 3)
        rows = sink.rows("SELECT partition, offset, value FROM item")
        self.assertEqual(900, len(rows))
        self.assertEqual(sent, {(int(partition), value) for partition, _, value in rows})
        self.assertEqual({(partition, offset) for partition in range(3) for offset in range(300)},
                         {(int(partition), int(offset)) for partition, offset, _ in rows})

    def test_what_was_sent_twice_is_told_by_its_id(self):
        topic = Topic(partitions=2)
        self.folder.write("send.xml", TO_KAFKA.format(id="sending", more="", url=topic.broker.url, topic=topic.name))
        arguments = ["run", "send.xml", "--instance", "one"]
        kills = 0
        for goal in (60, 200, 400):
            process = self.folder.spawn(*arguments, start_new_session=True)
            wait_until(f"{goal} messages or the end",
                       lambda: len(topic.read()) > goal or process.poll() is not None)
            process.kill()
            process.communicate()
            kills += process.returncode == -signal.SIGKILL
        self.assertGreaterEqual(kills, 2)
        self.folder.fermata(*arguments, exit_code=0)
        messages = topic.read()
        by_id = {}
        for message in messages:
            self.assertEqual(message.value, by_id.setdefault(message.headers["fermata-id"], message.value))
        self.assertEqual(sorted(f'{{"value":{number}}}' for number in range(1, 601)), sorted(by_id.values()))

    def test_what_is_wrong_is_told_before_anything_runs(self):
        self.folder.write("wrong.xml", TO_KAFKA.format(id="sending", more="", url="kafka://a:1", topic="t")
                          .replace('name="topic"', 'name="topik"'))
        told = self.folder.fermata("validate", "wrong.xml", exit_code=9).stdout
        self.assertIn('did you mean "topic"?', told)
        self.assertIn("kafka://HOST:PORT", self.folder.fermata("artifacts", "kafkaReader", exit_code=0).stdout)

    def test_a_topic_that_is_not_there_fails_the_step_with_the_remedy(self):
        self.folder.write("send.xml", TO_KAFKA.format(id="sending", more="", url=shared().url, topic="no-such-topic"))
        told = self.folder.fermata("run", "send.xml", exit_code=1).stderr
        self.assertIn("there is no topic", told)
        self.assertIn("mend the property topic", told)


if __name__ == "__main__":
    unittest.main()
