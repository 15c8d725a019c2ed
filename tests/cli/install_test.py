#!/usr/bin/env python3
"""The installed package: an author's program finds it, builds against it and runs."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))
from fermata_process import Folder, rows  # noqa: E402

BUILD = os.environ["FERMATA_BUILD"]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/cpp-author"
STRICT = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"  # authors have theirs, and our headers are no reason to change them


def output(*command, **options):
    result = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout}")
    return result.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        cls.prefix = cls.folder.path / "prefix"
        output("cmake", "--install", BUILD, "--prefix", cls.prefix)
        source, build = cls.folder.path / "author", cls.folder.path / "author/build"
        shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build"))
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        output("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={cls.prefix}", STRICT, *launcher)
        output("cmake", "--build", build)
        cls.program = build / "orders"
        cls.environment = {**cls.folder.environment, "LC_ALL": "C.UTF-8"}

    def orders(self, *arguments):
        return output(self.program, *arguments, cwd=self.folder.path / "author", env=self.environment)

    def test_the_binary_runs_from_its_prefix(self):
        self.assertRegex(output(self.prefix / "bin/fermata", "--version"), r"^fermata \d")
        self.assertRegex(output(self.prefix / "bin/fermata", "exec", "--", "true", env=self.environment), "COMPLETED")

    def test_no_library_is_taken_from_the_folder_it_is_started_in(self):
        for name in "libc.so.6", "libstdc++.so.6", "libfermata.so.0.1", "libsqlite3.so.0":
            self.folder.write(name, "not a library")
        for program in self.prefix / "bin/fermata", Path(BUILD) / "bin/fermata":
            self.assertRegex(output(program, "--version", cwd=self.folder.path), r"^fermata \d")

    def test_the_authors_program_has_the_whole_command_line(self):
        self.assertIn("orderReader", self.orders("artifacts", "-o", "name").split())
        self.assertEqual("orders.xml: ok\n", self.orders("validate", "orders.xml"))
        self.assertIn("COMPLETED", self.orders("run", "orders.xml", "-p", "count=1000"))
        self.assertEqual([(987,)], rows(self.folder.repository, "SELECT count(*) FROM invoice"))
        self.assertIn("987 invoices", self.orders("show", "@latest"))
        self.assertIn("order 250 has no amount", self.orders("show", "@latest", "--skips"))
        self.assertIn("skipped: order 250 has no amount", self.orders("logs", "@latest", "invoice"))

    def record_with(self, pause):
        """The record and the rows of the author's job with this element behind each step, resumed until it ends."""
        author = self.folder.path / "author"
        repository = self.folder.path / f"{'paused' if pause else 'plain'}.db"
        text = (author / "orders.xml").read_text().replace("<job ", '<job xmlns:fer="urn:fermata:job:1" ', 1)
        (author / "waiting.xml").write_text(text.replace("</step>", pause + "</step>"))
        def orders(*arguments):
            return subprocess.run([self.program, *arguments], cwd=author, text=True, capture_output=True,
                                  env={**self.environment, "FERMATA_REPOSITORY": str(repository)})
        ended, waits = orders("run", "waiting.xml", "-p", "count=1000"), 0
        while ended.returncode == 11:
            ended, waits = orders("resume", "1"), waits + 1
        self.assertEqual((0, 2 if pause else 0), (ended.returncode, waits), ended.stderr)
        shown = json.loads(orders("show", "1", "-o", "json").stdout)
        for one in shown, *shown["steps"]:
            for key in "created", "started", "ended":
                one.pop(key, None)
        return shown, rows(repository, "SELECT * FROM invoice ORDER BY 1")

    def test_an_authors_job_that_waits_leaves_the_record_of_one_that_does_not(self):
        self.assertEqual(self.record_with(""), self.record_with('<fer:pause on="*" point="p"/>'))

    def test_the_postgresql_driver_is_found_from_the_prefix(self):
        job = self.folder.write("postgres.xml", """<job id="job" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.1">
          <step id="ask"><batchlet ref="sql"><properties>
            <property name="url" value="postgresql:///nothing?host=/nowhere"/><property name="sql" value="SELECT 1"/>
          </properties></batchlet></step></job>""")
        result = subprocess.run([self.prefix / "bin/fermata", "run", job], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=self.environment)
        self.assertIn("/nowhere/.s.PGSQL.5432", result.stdout)  # libpq's words
        self.assertEqual(1, result.returncode, result.stdout)

    def test_the_documented_program_runs_jobs_in_its_own_main(self):
        """Its second step is a command, whose guard is the program itself: that must not run its main again."""
        page = (EXAMPLE.parents[1] / "docs/embedding.md").read_text()
        source = self.folder.path / "embedding"
        source.mkdir()
        (source / "nightly.cpp").write_text(re.search(r"```cpp\n(.*?)```", page, re.DOTALL).group(1))
        (source / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(nightly LANGUAGES CXX)\n" +
                                               re.search(r"```cmake\n(.*?)```", page, re.DOTALL).group(1))
        output("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}", STRICT)
        output("cmake", "--build", source / "build")
        repository = self.folder.path / "nightly.db"
        told = output(source / "build/nightly", repository, env=self.environment)
        self.assertEqual("COMPLETED\ncount: 5050\ntell: COMPLETED\n", told)
        logs = output(self.prefix / "bin/fermata", "--repository", repository, "logs", "@latest", "tell",
                      env=self.environment)
        self.assertIn("counted", logs)

    def test_public_headers_need_nothing_else(self):
        foreign = [f"{path.name}: {line}" for path in (self.prefix / "include").rglob("*.hpp")
                   for line in path.read_text().splitlines()
                   if line.startswith("#include <") and "/" in line and not line.startswith(("#include <fermata/", "#include <sys/"))]
        self.assertEqual([], foreign)
        header = self.folder.path / "alone.cpp"
        header.write_text("#include <fermata/fermata.hpp>\n")
        output("c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Werror", "-I", self.prefix / "include", header)

    def test_a_method_that_would_never_be_called_does_not_compile(self):
        """A reader whose open() is not the one that is called would read again what was committed, and nobody would know."""
        def compiled(members, registration="reader"):
            source = self.folder.path / "mistaken.cpp"
            source.write_text("#include <fermata/fermata.hpp>\nstruct Mine { using item_type = int;"
                              "std::optional<int> read() { return {}; } void write(std::span<int>, fermata::Transaction&) {}"
                              "std::string process() { return {}; }" + members + "};\n"
                              "int main() { fermata::Registry all; all." + registration + "<Mine>(\"mine\"); }\n")
            return subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-I", self.prefix / "include", source],
                                  text=True, capture_output=True)
        for registration, members in (("reader", "void open(fermata::Checkpoint&) {}"), ("reader", "void open() {}"),
                                      ("reader", "fermata::Checkpoint checkpoint(int) { return {}; }"),
                                      ("writer", "void publish(bool) {}"), ("batchlet", "void stop(bool) {}"),
                                      ("listener", "void before_step() {}")):
            with self.subTest(registration + " " + members):
                self.assertIn("would never be called", compiled(members, registration).stderr)
        for members in ("void open(fermata::Checkpoint) {} fermata::Checkpoint checkpoint() const { return {}; }",
                        "int open = 0; private: int checkpoint = 0; int close = 0;"):
            with self.subTest(members):
                self.assertEqual("", compiled(members).stderr)


if __name__ == "__main__":
    unittest.main()
