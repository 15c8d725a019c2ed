#!/usr/bin/env python3
"""Input larger than memory: a line of 1 GiB while the process may have 256 MiB of address space."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import Folder  # noqa: E402
from jobs import HEAD  # noqa: E402

MIB = 1 << 20
LIMITED = ["prlimit", f"--as={256 * MIB}"]

READING = HEAD + """
  <step id="read">
    <chunk item-count="10" skip-limit="#{{jobParameters['skips']}}">
      <reader ref="{reader}"><properties><property name="resource" value="input"/></properties></reader>
      <writer ref="discardWriter"/>
      <skippable-exception-classes><include class="fermata.ReadError"/></skippable-exception-classes>
    </chunk>
  </step>
</job>
"""


def write_input(path, before, after):
    """A line of 1 GiB: its beginning looks like text, the rest is a hole, which takes no room on the disk."""
    with path.open("wb") as file:
        file.write(before + MIB * b"x")
        file.seek(1023 * MIB, os.SEEK_CUR)
        file.write(after)


class Limits(unittest.TestCase):
    def read_under_limit(self, reader, before, after, message):
        with Folder() as folder:
            write_input(folder.path / "input", before, after)
            folder.write("job.xml", READING.format(id="large", more="", reader=reader))
            refused = folder.fermata("run", "job.xml", "-p", "skips=0", exit_code=1, before=LIMITED)
            self.assertIn(message, refused.stdout + refused.stderr)

            folder.fermata("run", "job.xml", "-p", "skips=1", exit_code=0, before=LIMITED)
            (step,) = folder.show()["steps"]
            self.assertEqual((2, 1), (step["read"], step["read_skips"]))

    def test_a_csv_record_of_1_gib_under_256_mib(self):
        self.read_under_limit("csvReader", b"id\n1\n", b"\n2\n",
                              "input:3: the record is longer than 1,048,576 bytes")

    def test_a_json_line_of_1_gib_under_256_mib(self):
        self.read_under_limit("jsonlReader", b'{"id":1}\n{"id":"', b'"}\n{"id":2}\n',
                              "input:2: the line is longer than 1,048,576 bytes")


if __name__ == "__main__":
    unittest.main()
