"""Drives `mkstore serve` with Kafka's own Java client, and reads its files with Kafka's classes.

`MKSTORE_KAFKA_CLIENTS` names a directory with the jars of kafka-clients, any version from 3.9 on;
the programs in `java/` are compiled into it once.
"""

import glob
import hashlib
import os
import random
import shutil
import subprocess
import tempfile
import time
import zipfile

from server import check, rot_a_bit, wait_until


def class_path():
    """The jars, and the programs compiled against them."""
    directory = os.environ["MKSTORE_KAFKA_CLIENTS"]
    libraries = sorted(glob.glob(f"{directory}/*.jar"))
    clients = glob.glob(f"{directory}/kafka-clients-*.jar")
    check(len(clients) == 1, f"one kafka-clients in {directory}: {clients}")
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "java")
    sources = {}
    for path in sorted(glob.glob(f"{here}/*.java")):
        with open(path) as file:
            sources[os.path.basename(path)] = file.read()
    with zipfile.ZipFile(clients[0]) as jar:
        if "org/apache/kafka/common/record/internal/FileRecords.class" in jar.namelist():
            # Kafka 4 moved the record classes.
            for name, text in sources.items():
                sources[name] = text.replace(
                    "org.apache.kafka.common.record.", "org.apache.kafka.common.record.internal.")
    mark = hashlib.sha256(repr((libraries, sources)).encode()).hexdigest()[:16]
    classes = f"{directory}/classes-{mark}"
    if not os.path.isdir(classes):
        with tempfile.TemporaryDirectory(dir=directory) as work:
            for name, text in sources.items():
                with open(f"{work}/{name}", "w") as file:
                    file.write(text)
            run = subprocess.run(
                ["javac", "-nowarn", "-d", f"{work}/classes", "-cp", ":".join(libraries)]
                + [f"{work}/{name}" for name in sources], capture_output=True, text=True)
            check(run.returncode == 0, f"javac: {run.stderr}")
            for old in glob.glob(f"{directory}/classes-*"):
                shutil.rmtree(old)
            os.rename(f"{work}/classes", classes)
    return ":".join([classes] + libraries)


def command(program, *arguments):
    # Short runs: no second compiler, no threads for collecting garbage.
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-cp", class_path(),
            program, *arguments]


def java(program, *arguments, data=""):
    """Runs a Java program to its end and gives what it printed."""
    run = subprocess.run(
        command(program, *arguments), input=data, capture_output=True, text=True, timeout=180)
    check(run.returncode == 0, f"{program} {arguments[1:]}: {run.stdout[-500:]}{run.stderr}")
    return run.stdout


def check_files(server):
    """Kafka's own classes find nothing wrong in any segment."""
    found = java("SegmentFiles", *sorted(glob.glob(f"{server.data}/*/*.log")))
    print(found.strip())
    return found


def round_trips(server):
    for name in ["admin", "round-trips", "positions", "unsupported"]:
        began = time.monotonic()
        java("JavaClient", server.address, name)
        print(f"{name}: {time.monotonic() - began:.1f} s")
    for _ in range(2):
        found = check_files(server)
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
            check(f"{codec}=" in found, f"{codec} is stored: {found}")
        server.verify()
        if server.process.poll() is None:
            server.stop()


def restarts(server):
    """An idempotent producer goes on through stops and kills: each record once, in order."""
    process = subprocess.Popen(
        command("JavaClient", server.address, "write", "2000"), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(process.stdout.readline() == "writing\n", "the producer starts")
    log = f"{server.data}/restarts-0/{0:020}.log"
    for number in range(6):
        before = os.path.getsize(log) if os.path.exists(log) else 0
        wait_until(
            lambda: process.poll() is not None
            or os.path.exists(log) and os.path.getsize(log) > before, "records come")
        time.sleep(random.uniform(0.1, 0.4))
        if number % 2:
            server.stop()
        else:
            server.kill()
        server.start()
    said, errors = process.communicate("stop\n", timeout=120)
    check(process.returncode == 0, f"write: {said}{errors}")
    print(said.strip())
    server.stop()
    server.verify()
    check_files(server)


def rot(server):
    """The client gets an error where a batch is rotten, never its bytes, and all around it."""
    lines = [f"record {number:03} {os.urandom(300).hex()}" for number in range(60)]
    java("JavaClient", server.address, "produce", "t", data="\n".join(lines) + "\n")
    server.stop()
    path = f"{server.data}/t-0/{0:020}.log"
    rot_a_bit(path, b"record 030 ", 100)
    server.start()
    for checks in ["true", "false"]:
        found = java("JavaClient", server.address, "read", "t", checks).splitlines()
        failed = [line for line in found if " failed: " in line]
        check(len(failed) == 1 and failed[0].startswith("30 ") and "orrupt" in failed[0],
              f"check.crcs={checks}: {failed}")
        found = [line for line in found if line not in failed]
        rest = [f"{number} {line}" for number, line in enumerate(lines) if number != 30]
        check(found == rest + ["done"], f"check.crcs={checks}: {len(found)} lines")


SCENARIOS = {"java": round_trips, "java-restarts": restarts, "java-rot": rot}
