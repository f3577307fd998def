#!/usr/bin/env python3
"""Soaks `mkstore serve`: produce, consume, retention, topic churn, kill -9 and full disks.

    soak.py MKSTORE [--minutes N] [--seed N]

Values are numbered for each partition. An acknowledged record that is not there must be old enough
for retention to have deleted it; what is there is in order and once. Between two kills descriptors,
mappings, threads and memory of the server must not grow after its first moments (files of the store
that are still there do not count: their number is that of the segments, up to a bound), and no
deleted file stays open. Exit status: 0, 1.
"""

import argparse
import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from server import Failure, Server, check, wait_until

PARTITIONS = 3
RETENTION_MS = 10_000
RETENTION_BYTES = 4 << 20
SEGMENT_BYTES = 128 << 10
DELETE_DELAY_MS = 500
CHECK_MS = 1_000
# The server keeps 128 sealed segments open, and the active ones; topics come and go meanwhile.
SEGMENTS_OPEN_MAX = 250
# The housekeeper may be late on a busy machine.
DELETED_SLACK_S = 5
VALUE_BYTES = 400
# Of the small file system: retention keeps the partitions well below it.
DISK_BYTES = 96 << 20
# A segment is at most so old when it is deleted too early by nobody: its last record's age counts,
# and only that of the whole segment.
CLOCK_SLACK_MS = 200


class Disk:
    """A small file system, where this user may mount one."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="mkstore-soak-")
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "mkstore-soak", self.path],
            capture_output=True, text=True)
        self.is_mounted = mounted.returncode == 0
        self.ballast = os.path.join(self.path, "ballast")
        if not self.is_mounted:
            print(f"no full disks: a tmpfs cannot be mounted here ({mounted.stderr.strip()})")

    def fill(self):
        """Leaves no space."""
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError as error:
                check(error.errno == errno.ENOSPC, f"filling the disk: {error}")

    def empty(self):
        if os.path.exists(self.ballast):
            os.remove(self.ballast)

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.path], check=False)
        shutil.rmtree(self.path, ignore_errors=True)


class Sample:
    """What the server's process holds at a moment."""

    NAMES = ("descriptors", "mappings", "threads", "memory")

    def __init__(self, pid, directory):
        self.time = time.monotonic()
        self.descriptors = self.segments = 0
        self.deleted = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
            except FileNotFoundError:
                continue
            if not target.startswith(directory):
                self.descriptors += 1
            elif target.endswith(" (deleted)"):
                self.deleted.add(target)
            else:
                self.segments += 1
        self.mappings = 0
        with open(f"/proc/{pid}/maps") as maps:
            for line in maps:
                _, found, rest = line.partition(directory)
                if not found:
                    self.mappings += 1
                elif rest.endswith(" (deleted)\n"):
                    self.deleted.add(directory + rest.strip())
        status = {}
        with open(f"/proc/{pid}/status") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                status[name] = value.split()
        self.threads = int(status["Threads"][0])
        self.memory = int(status["VmRSS"][0]) << 10


class Life(threading.Thread):
    """Watches one life of the server, from its start to its kill."""

    # What may come and go without being a slope: connections, arenas of the allocator.
    SLACK = {"descriptors": 20, "mappings": 40, "threads": 4, "memory": 24 << 20}

    def __init__(self, pid, directory):
        super().__init__(daemon=True)
        self.pid = pid
        self.directory = directory
        self.samples = []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.2):
            try:
                self.samples.append(Sample(self.pid, self.directory))
            except (FileNotFoundError, ProcessLookupError, KeyError):
                return

    def end(self):
        self.ended.set()
        self.join()

    def check(self):
        """Medians of the second and the last quarter: what leaks with the work done has risen."""
        self.check_deleted()
        quarter = len(self.samples) // 4
        if quarter < 10:
            return False
        most = max(sample.segments for sample in self.samples)
        check(most <= SEGMENTS_OPEN_MAX, f"{most} files of the store are open")
        for name in Sample.NAMES:
            def median(part):
                return sorted(getattr(sample, name) for sample in part)[len(part) // 2]
            early = median(self.samples[quarter:2 * quarter])
            late = median(self.samples[-quarter:])
            allowed = early + max(self.SLACK[name], early // 4)
            check(late <= allowed, f"{name} rose from {early} to {late} in one life of the server")
        return True

    def check_deleted(self):
        """A deleted file is let go of a delay after it was unlinked, whoever read it."""
        since = {}
        for sample in self.samples:
            since = {target: since.get(target, sample.time) for target in sample.deleted}
            for target, start in since.items():
                seconds = sample.time - start
                check(seconds <= DELETE_DELAY_MS / 1000 + DELETED_SLACK_S,
                      f"{target} has been open for {seconds:.1f} s")


class Producer(threading.Thread):
    """An idempotent producer that numbers its records and notes which were acknowledged, when."""

    def __init__(self, server, topic, seed, stop):
        super().__init__(daemon=True)
        from confluent_kafka import Producer as Client
        self.topic = topic
        self.stopping = stop
        self.random = random.Random(seed)
        self.errors = []
        # By partition: offset -> (number, record time in milliseconds).
        self.acknowledged = [{} for _ in range(PARTITIONS)]
        self.client = Client({
            "bootstrap.servers": server.address, "enable.idempotence": True, "acks": "all",
            "linger.ms": 2, "batch.num.messages": 50, "message.timeout.ms": 300_000,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20,
            "retry.backoff.max.ms": 100, "log_level": 0,
            "error_cb": lambda error: self.errors.append(error) if error.fatal() else None})

    def run(self):
        numbers = [0] * PARTITIONS
        while not self.stopping.is_set():
            partition = self.random.randrange(PARTITIONS)
            number = numbers[partition]
            now = int(time.time() * 1000)

            def note(error, message, p=partition, n=number, at=now):
                if error:
                    self.errors.append(error)
                else:
                    self.acknowledged[p][message.offset()] = (n, at)
            try:
                self.client.produce(
                    self.topic, b"%d " % number + b"x" * VALUE_BYTES, partition=partition,
                    timestamp=now, on_delivery=note)
                numbers[partition] += 1
            except BufferError:
                self.client.poll(0.05)
            self.client.poll(0)
            time.sleep(0.0003)
        if self.client.flush(120) != 0:
            self.errors.append("not everything was delivered")


class Consumer(threading.Thread):
    """Reads from the tail; each offset once and rising, whatever is deleted behind it."""

    def __init__(self, server, topic, stop):
        super().__init__(daemon=True)
        from confluent_kafka import Consumer as Client, TopicPartition
        self.stopping = stop
        self.errors = []
        self.count = 0
        self.client = Client({
            "bootstrap.servers": server.address, "group.id": "unused", "log_level": 0,
            "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100})
        self.client.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        self.last = [(-1, -1)] * PARTITIONS

    def run(self):
        while not self.stopping.is_set():
            for message in self.client.consume(500, 0.1):
                if message.error():
                    continue
                place = (message.offset(), int(message.value().split()[0]))
                last = self.last[message.partition()]
                if not (place[0] > last[0] and place[1] > last[1]):
                    self.errors.append(f"offset and number {place} after {last}")
                self.last[message.partition()] = place
                self.count += 1
        self.client.close()


class Churn(threading.Thread):
    """Makes topics, writes to them, reads what was acknowledged and deletes them."""

    def __init__(self, server, stop):
        super().__init__(daemon=True)
        self.server = server
        self.stopping = stop
        self.count = 0
        self.failed = 0

    def run(self):
        from confluent_kafka import KafkaException, Producer as Client
        from confluent_kafka.admin import AdminClient, NewTopic
        admin = AdminClient({"bootstrap.servers": self.server.address, "log_level": 0})
        client = Client({"bootstrap.servers": self.server.address, "log_level": 0})
        while not self.stopping.is_set():
            name = f"churn-{self.count + self.failed}"
            try:
                admin.create_topics([NewTopic(name, 2, 1)])[name].result(20)
                for number in range(20):
                    client.produce(name, b"%d" % number)
                client.flush(10)
                admin.delete_topics([name])[name].result(20)
                self.count += 1
            except KafkaException:
                # The server was killed, or the disk is full.
                self.failed += 1
            time.sleep(0.1)


def content(server, topic):
    """Of each partition: its first offset, and offset -> number of all records."""
    from confluent_kafka import Consumer as Client, TopicPartition
    client = Client({
        "bootstrap.servers": server.address, "group.id": "unused", "log_level": 0,
        "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    result = []
    for partition in range(PARTITIONS):
        place = TopicPartition(topic, partition)
        low, high = client.get_watermark_offsets(place, timeout=20)
        found = {}
        client.assign([TopicPartition(topic, partition, low)])
        end = time.monotonic() + 60
        while low < high and max(found, default=-1) < high - 1:
            # Retention goes on meanwhile.
            low, _ = client.get_watermark_offsets(place, timeout=20)
            check(time.monotonic() < end, f"{topic} {partition}: {len(found)} of {low}..{high}")
            for message in client.consume(1000, 0.2):
                if not message.error():
                    number = int(message.value().split()[0])
                    check(message.offset() not in found, f"offset {message.offset()} twice")
                    found[message.offset()] = number
        low, _ = client.get_watermark_offsets(place, timeout=20)
        result.append((low, high, found))
    client.close()
    return result


def judge(server, topic, producer, bytes_max):
    """Nothing acknowledged is missing but what retention may have deleted; how many are there."""
    there = deleted = 0
    for partition, (low, _, found) in enumerate(content(server, topic)):
        now = int(time.time() * 1000)
        acknowledged = producer.acknowledged[partition]
        numbers = [found[offset] for offset in sorted(found)]
        check(numbers == sorted(set(numbers)), f"{topic} {partition}: out of order or twice")
        after = 0
        for offset in sorted(acknowledged, reverse=True):
            number, at = acknowledged[offset]
            if offset >= low:
                check(found.get(offset) == number,
                      f"{topic} {partition}: acknowledged record {number} at {offset} is "
                      f"{found.get(offset)}; the log begins at {low}")
                there += 1
                after += 1
            else:
                old = now - at > RETENTION_MS - CLOCK_SLACK_MS
                large = after * VALUE_BYTES >= bytes_max
                check(old or large,
                      f"{topic} {partition}: record {number} at {offset} was deleted after "
                      f"{now - at} ms with {after} records behind it")
                deleted += 1
    return there, deleted


def soak(binary, minutes, seed):
    """Runs it; what it did as text."""
    chosen = random.Random(seed)
    disk = Disk()
    server = Server(
        binary, "--set", f"segment.bytes={SEGMENT_BYTES}",
        "--set", f"retention.bytes={RETENTION_BYTES}", "--set", f"retention.ms={RETENTION_MS}",
        "--set", f"file.delete.delay.ms={DELETE_DELAY_MS}",
        "--set", f"log.retention.check.interval.ms={CHECK_MS}",
        data=os.path.join(disk.path, "data"))
    kills = fills = judged = 0
    try:
        server.start()
        from confluent_kafka.admin import AdminClient, NewTopic
        admin = AdminClient({"bootstrap.servers": server.address, "log_level": 0})
        for topic in ("time", "size"):
            admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={
                "retention.bytes": str(RETENTION_BYTES if topic == "size" else -1)})]
            )[topic].result(20)
        stop = threading.Event()
        producers = {t: Producer(server, t, seed, stop) for t in ("time", "size")}
        consumers = [Consumer(server, topic, stop) for topic in producers]
        churn = Churn(server, stop)
        threads = [*producers.values(), *consumers, churn]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + minutes * 60
        while time.monotonic() < ends:
            life = Life(server.process.pid, disk.path)
            life.start()
            # The last of three lives is a long one, whose slopes are judged.
            left = ends - time.monotonic()
            seconds = min(left, chosen.uniform(2, 8) if kills % 3 else max(20, minutes * 60 / 20))
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                time.sleep(min(chosen.uniform(1, 5), max(0, until - time.monotonic())))
                if disk.is_mounted and chosen.random() < 0.3:
                    disk.fill()
                    time.sleep(chosen.uniform(0.2, 1.5))
                    disk.empty()
                    fills += 1
                check(server.process.poll() is None,
                      "server ended: " + "".join(server.messages[-20:]))
            life.end()
            judged += life.check()
            server.kill()
            kills += 1
            disk.empty()
            server.start()
        stop.set()
        for thread in threads:
            thread.join(150)
            check(not thread.is_alive(), f"{thread} does not end")
            check(not getattr(thread, "errors", None), f"{thread}: {thread.errors[:3]}" if
                  getattr(thread, "errors", None) else "")
        there = deleted = 0
        for topic, producer in producers.items():
            found = judge(server, topic, producer,
                          RETENTION_BYTES if topic == "size" else 1 << 62)
            there, deleted = there + found[0], deleted + found[1]
        check(deleted > 0, "retention deleted nothing")
        check(there > 0, "nothing is left to be looked at")
        check(kills > 0 and judged > 0, f"{kills} kills, {judged} lives judged")
        check(fills > 0 or not disk.is_mounted, "the disk was never full")
        check(churn.count > 0, "no topic was made and deleted")
        server.stop()
        server.verify()
        return (f"{there + deleted} acknowledged records, {deleted} of them deleted by retention, "
                f"{sum(c.count for c in consumers)} read; {kills} kills, {fills} full disks, "
                f"{churn.count} topics made and deleted; {judged} lives without a slope")
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        disk.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--seed", type=int,
        default=int(os.environ.get("SEED") or time.time_ns() % 1_000_000))
    arguments = parser.parse_args()
    print(f"SEED={arguments.seed}, {arguments.minutes:g} minutes", flush=True)
    try:
        print("ok: " + soak(arguments.binary, arguments.minutes, arguments.seed))
        return 0
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
    except Exception:
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    sys.exit(main())
