"""One Apache Kafka broker in a folder of its own (KRaft, so nothing else is needed), for tests and demos.

The jars come from Maven Central, once, into $XDG_CACHE_HOME/fermata (~/.cache/fermata), by the machine's Maven as it is
configured. Beside them lies an archive of the broker's classes: with it a broker starts with a third of the work."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "guard"))
from guarded import Missing  # noqa: E402

VERSION = "3.9.1"
ARTIFACTS = [("org.apache.kafka", "kafka_2.13", VERSION), ("org.slf4j", "slf4j-reload4j", "1.7.36")]
DEADLINE = 120  # seconds for anything the broker does; it starts in 3 where nothing else runs
DOWNLOAD = 300
STARTED = b"Kafka Server started"
USER, PASSWORD = "fermata", "pass/word@1"  # of the listener with TLS

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
# Tests write messages of long ago.
log.retention.ms=-1
# A broker that was killed is let in again at once.
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=1500
sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
    user_{user}="{password}";
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={folder}/keystore.pem
"""
LOGGING = """
log4j.rootLogger=WARN, stdout
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %c: %m%n
"""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fermata" / f"kafka-{VERSION}"


def class_path():
    return ":".join(str(jar) for jar in sorted((cache() / "jars").iterdir()))


def archive():
    return cache() / "classes.jsa"


def resolve():
    """Makes the cache complete; nothing to do when it is. Throws Missing where Maven Central cannot be reached."""
    for program in ("java", "mvn", "openssl"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed: run scripts/setup")
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache() / "jars").exists():
            fetch_jars()
        if not archive().exists():
            make_archive()


def fetch_jars():
    dependencies = "".join(f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                           f"<version>{version}</version></dependency>" for group, artifact, version in ARTIFACTS)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        pom = Path(folder) / "pom.xml"
        pom.write_text(f'<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
                       f"<groupId>fermata</groupId><artifactId>kafka</artifactId><version>1</version>"
                       f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>")
        command = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
                   f"-DoutputDirectory={folder}/jars"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD)
        except subprocess.TimeoutExpired:
            raise Missing(f"Apache Kafka {VERSION} did not come from Maven Central within {DOWNLOAD} s") from None
        if done.returncode != 0:
            words = (done.stdout + done.stderr).strip().split("\n")
            raise Missing(f"Apache Kafka {VERSION} cannot be had from Maven Central: {words[0][:400]}")
        os.rename(f"{folder}/jars", cache() / "jars")


def make_archive():
    """Of the classes a broker loads from its start to its end."""
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        fresh = Path(folder) / "classes.jsa"
        broker = Broker(Path(folder) / "broker", java_options=[f"-XX:ArchiveClassesAtExit={fresh}"])
        broker.create()
        try:
            broker.start()
            broker.stop()
        finally:
            broker.kill()
        os.rename(fresh, archive())


def free_ports(count):
    """Below those the kernel gives to clients, so that nobody gets one by chance while a broker is being restarted."""
    with contextlib.ExitStack() as held:
        ports = []
        while len(ports) < count:
            listener = held.enter_context(socket.socket())
            port = random.randrange(15000, 32000)
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def last_words(log):
    """The innermost cause, else the last line."""
    lines = log.strip().split("\n")
    return next((line for line in reversed(lines) if line.startswith("Caused by: ")), lines[-1])


class Broker:
    """Its process is in a session of its own. Throws RuntimeError with the broker's own last words."""

    def __init__(self, folder, ports=None, java_options=None, before_exec=None):
        self.folder = folder
        self.ports = ports
        self.java_options = java_options or [f"-XX:SharedArchiveFile={archive()}"]
        self.before_exec = before_exec
        self.process = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def address(self):
        """What tests need: the plain listener, the one with TLS and a password, and the folder: cert.pem is there."""
        return f"{self.bootstrap} 127.0.0.1:{self.ports[1]} {self.folder}"

    def create(self):
        """Files and folders; what a folder holds already stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = self.ports or free_ports(3)
        plain, secure, controller = self.ports
        (self.folder / "server.properties").write_text(SETTINGS.format(
            plain=plain, secure=secure, controller=controller, folder=self.folder, user=USER, password=PASSWORD))
        (self.folder / "log4j.properties").write_text(LOGGING)
        if not (self.folder / "keystore.pem").exists():
            self.make_certificate()
        if not (self.folder / "data").exists():
            self.format()

    def format(self):
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().strip("=")
        if cluster.startswith("-"):  # would be taken for an option
            cluster = "k" + cluster[1:]
        self.checked(self.java("kafka.tools.StorageTool", "format", "-t", cluster, "-c",
                               self.folder / "server.properties"))

    def make_certificate(self):
        key, certificate = self.folder / "key.pem", self.folder / "cert.pem"
        self.checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=localhost",
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate])
        (self.folder / "keystore.pem").write_text(key.read_text() + certificate.read_text())
        (self.folder / "keystore.pem").chmod(0o600)

    def checked(self, command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {(done.stdout + done.stderr).strip()[-1000:]}")

    def java(self, main, *arguments):
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", *self.java_options,
                f"-Dlog4j.configuration=file:{self.folder}/log4j.properties", "-cp", class_path(), main, *arguments]

    def start(self):
        """Returns when clients are served."""
        if self.process is not None:
            raise RuntimeError("the broker runs already")
        log = self.folder / "log"
        with open(log, "ab") as output:
            begin = output.tell()
            self.process = subprocess.Popen(self.java("kafka.Kafka", self.folder / "server.properties"), stdout=output,
                                            stderr=output, stdin=subprocess.DEVNULL, cwd=self.folder,
                                            start_new_session=True, preexec_fn=self.before_exec)
        end = time.monotonic() + DEADLINE
        while STARTED not in (said := log.read_bytes()[begin:]):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Kafka does not start: {last_words(said.decode(errors='replace'))}")
            time.sleep(0.01)  # only between two looks

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(DEADLINE)
            self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)
