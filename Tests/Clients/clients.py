#!/usr/bin/env python3
"""Drives `mkstore serve` with clients that are not ours.

    clients.py MKSTORE SCENARIO [DATA]

Exits with 0 where everything was as it must be. Scenarios: see the end of this file.
"""

import ctypes
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request

import java_client
from server import Failure, Server, check, fetch_request, raw_fetch, rot_a_bit, take, wait_until

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def expected(index):
    """Key, value and headers of the record number `index`: nulls among them."""
    key = None if index % 3 == 0 else b"key %d" % index
    value = None if index % 5 == 0 and key else b"value %d" % index
    headers = [("name", b"%d" % index), ("name", b"again"), ("null", None)]
    return key, value, headers


def text_headers(index):
    """The same without the null header, which the pure Python clients do not send."""
    key, value, headers = expected(index)
    return key, value, headers[:2]


# --- confluent-kafka ---------------------------------------------------------------------------

def confluent(server):
    from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
    from confluent_kafka import OFFSET_BEGINNING, OFFSET_END
    from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, TopicPartition
    from confluent_kafka.admin import (
        AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic)

    admin = AdminClient({"bootstrap.servers": server.address})
    topic = NewTopic("t", 3, 1, config={"max.message.bytes": "100000"})
    admin.create_topics([topic])["t"].result(20)
    check(len(admin.list_topics(timeout=20).topics["t"].partitions) == 3, "three partitions")

    def produce(settings, count, size=0):
        errors = []
        producer = Producer({"bootstrap.servers": server.address, "linger.ms": 2, **settings})
        for index in range(count):
            key, value, headers = expected(index)
            producer.produce(
                "t", key=key, value=b"x" * size if size else value, headers=headers,
                partition=index % 3, timestamp=1_700_000_000_000 + index,
                on_delivery=lambda error, _: errors.append(error) if error else None)
        check(producer.flush(30) == 0, f"all delivered with {settings}")
        return errors

    def ends():
        consumer = Consumer({"bootstrap.servers": server.address, "group.id": "unused"})
        marks = [consumer.get_watermark_offsets(TopicPartition("t", p)) for p in range(3)]
        consumer.close()
        return marks

    rounds = 0
    for codec in CODECS:
        for acks, idempotent in [("0", False), ("1", False), ("all", False), ("all", True)]:
            errors = produce(
                {"compression.type": codec, "acks": acks, "enable.idempotence": idempotent}, 90)
            check(not errors, f"{codec} {acks} {idempotent}: {errors[:1]}")
            rounds += 1
            # Nobody is told when acks 0 is there, and the next producer has another connection.
            if acks == "0":
                wait_until(lambda: ends() == [(0, 30 * rounds)] * 3, "everything is there")

    def consume(places, count=None):
        consumer = Consumer({
            "bootstrap.servers": server.address, "group.id": "unused", "check.crcs": True,
            "enable.auto.commit": False, "enable.partition.eof": True,
            "auto.offset.reset": "earliest"})
        consumer.assign(places)
        found, ended, deadline = [], 0, time.monotonic() + 30
        while ended < len(places) and (count is None or len(found) < count):
            check(time.monotonic() < deadline, f"consumed {len(found)} in time")
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                check(message.error().code() == KafkaError._PARTITION_EOF, f"{message.error()}")
                ended += 1
            else:
                found.append(message)
        consumer.close()
        return found

    found = consume([TopicPartition("t", p, OFFSET_BEGINNING) for p in range(3)])
    check(len(found) == 90 * rounds, f"{len(found)} of {90 * rounds} records")
    for message in found:
        index = message.partition() + 3 * (message.offset() % 30)
        key, value, headers = expected(index)
        check(message.key() == key and message.value() == value, f"record {index}")
        check(message.headers() == headers, f"headers {message.headers()}")
        check(message.timestamp()[1] == 1_700_000_000_000 + index, "timestamp")
    check(consume([TopicPartition("t", 0, OFFSET_END)]) == [], "nothing behind the end")
    tail = consume([TopicPartition("t", 1, 30 * rounds - 7)])
    check(len(tail) == 7, f"{len(tail)} from an offset")
    transactional = Producer({"bootstrap.servers": server.address, "transactional.id": "x"})
    try:
        transactional.init_transactions(20)
        check(False, "there are no transactions")
    except KafkaException as error:
        check(error.args[0].name() == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", f"{error}")

    consumer = Consumer({"bootstrap.servers": server.address, "group.id": "unused"})
    by_time = consumer.offsets_for_times([TopicPartition("t", 0, 1_700_000_000_000 + 33)])
    check(by_time[0].offset == 11, f"by time: {by_time}")
    by_time = consumer.offsets_for_times([TopicPartition("t", 0, 1_800_000_000_000)])
    check(by_time[0].offset == -1, f"after all: {by_time}")
    consumer.close()

    errors = produce({"acks": "all", "message.max.bytes": 1_000_000}, 1, size=200_000)
    check([error.name() for error in errors] == ["MSG_SIZE_TOO_LARGE"], f"too large: {errors}")
    check(not produce({"acks": "all"}, 3), "and it goes on")

    stamped = NewTopic("stamped", 3, 1, config={"message.timestamp.type": "LogAppendTime"})
    admin.create_topics([stamped])["stamped"].result(20)
    began = int(time.time() * 1000)
    producer = Producer({"bootstrap.servers": server.address, "compression.type": "lz4"})
    for number in range(5):
        producer.produce("stamped", b"%d" % number, partition=0, timestamp=1000)
    check(producer.flush(30) == 0, "delivered")
    stamps = [m.timestamp() for m in consume([TopicPartition("stamped", 0, OFFSET_BEGINNING)])]
    check(len(stamps) == 5, f"{len(stamps)} of 5")
    for kind, stamp in stamps:
        check(kind == TIMESTAMP_LOG_APPEND_TIME and abs(stamp - began) < 60_000, f"{kind} {stamp}")

    for offset, low in [(3, 3), (1, 3), (OFFSET_END, 5)]:
        place = TopicPartition("stamped", 0, offset)
        deleted = admin.delete_records([place])[place].result(20)
        check(deleted.low_watermark == low, f"low watermark {deleted.low_watermark}")
        left = consume([TopicPartition("stamped", 0, OFFSET_BEGINNING)])
        check([m.offset() for m in left] == list(range(low, 5)), "what was deleted is gone")
    try:
        place = TopicPartition("stamped", 0, 6)
        admin.delete_records([place])[place].result(20)
        check(False, "records beyond the end were deleted")
    except KafkaException as error:
        check(error.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE, f"{error}")
    admin.create_partitions([NewPartitions("t", 5)])["t"].result(20)
    check(len(admin.list_topics(timeout=20).topics["t"].partitions) == 5, "five partitions")
    resource = ConfigResource(ConfigResource.Type.TOPIC, "t")
    config = admin.describe_configs([resource])[resource].result(20)
    check(config["max.message.bytes"].value == "100000", "described")

    def alter(name, value, operation):
        change = ConfigEntry(name, value, incremental_operation=operation)
        asked = ConfigResource(ConfigResource.Type.TOPIC, "t", incremental_configs=[change])
        admin.incremental_alter_configs([asked])[asked].result(20)
        return admin.describe_configs([resource])[resource].result(20)[name]
    entry = alter("retention.ms", "100000000", AlterConfigOpType.SET)
    check((entry.value, entry.source, entry.is_read_only) == ("100000000", 1, False), f"{entry}")
    entry = alter("retention.ms", None, AlterConfigOpType.DELETE)
    check(entry.source != 1, f"{entry}")
    entry = alter("cleanup.policy", "compact", AlterConfigOpType.APPEND)
    check(entry.value == "compact,delete", f"{entry}")
    entry = alter("cleanup.policy", "compact", AlterConfigOpType.SUBTRACT)
    check(entry.value == "delete", f"{entry}")
    try:
        alter("min.insync.replicas", "2", AlterConfigOpType.SET)
        check(False, "a setting without effect was taken")
    except KafkaException as error:
        check(error.args[0].code() == KafkaError.INVALID_CONFIG, f"{error}")
        check("min.insync.replicas" in error.args[0].str(), f"{error}")
    check(admin.describe_cluster().result(20).cluster_id, "cluster id")
    admin.delete_topics(["t"])["t"].result(20)
    check("t" not in admin.list_topics(timeout=20).topics, "deleted")


# --- kafka-python ------------------------------------------------------------------------------

def kafka_python(server):
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
    from kafka.errors import MessageSizeTooLargeError

    admin = KafkaAdminClient(bootstrap_servers=server.address)
    admin.create_topics([NewTopic("t", 2, 1)])
    places = [TopicPartition("t", 0), TopicPartition("t", 1)]
    consumer = KafkaConsumer(
        bootstrap_servers=server.address, enable_auto_commit=False, check_crcs=True,
        consumer_timeout_ms=3000)
    rounds = 0
    for codec in CODECS:
        for acks, idempotent in [(0, False), (1, False), ("all", False), ("all", True)]:
            producer = KafkaProducer(
                bootstrap_servers=server.address, acks=acks, enable_idempotence=idempotent,
                compression_type=None if codec == "none" else codec)
            sent = []
            for index in range(60):
                key, value, headers = text_headers(index)
                sent.append(producer.send(
                    "t", key=key, value=value, headers=headers, partition=index % 2))
            producer.flush(30)
            for future in sent:
                future.get(30)
            producer.close()
            rounds += 1
            # Nobody is told when acks 0 is there, and the next producer has another connection.
            end = {place: 30 * rounds for place in places}
            wait_until(lambda: consumer.end_offsets(places) == end, "everything is there")
    consumer.assign(places)
    consumer.seek_to_beginning()
    found = list(consumer)
    check(len(found) == 60 * rounds, f"{len(found)} of {60 * rounds} records")
    for record in found:
        key, value, headers = text_headers(record.partition + 2 * (record.offset % 30))
        check(record.key == key and record.value == value, f"record at {record.offset}")
        check(list(record.headers) == headers, f"headers {record.headers}")
    check(consumer.beginning_offsets(places) == {place: 0 for place in places}, "beginning")
    consumer.seek(places[0], 30 * rounds - 4)
    consumer.seek_to_end(places[1])
    check(len(list(consumer)) == 4, "from an offset and from the end")
    times = consumer.offsets_for_times({places[0]: found[0].timestamp})
    check(times[places[0]].offset == 0, f"by time: {times}")
    admin.delete_records({places[0]: 7})
    begins = consumer.beginning_offsets(places)
    check(begins == {places[0]: 7, places[1]: 0}, f"after a deletion: {begins}")
    for value, incremental in [("100000000", True), ("200000000", False)]:
        asked = ConfigResource(ConfigResourceType.TOPIC, "t", {"retention.ms": value})
        answer = admin.alter_configs([asked], incremental=incremental)
        check(answer == {"topic": {"t": "OK"}}, f"altered: {answer}")
        resource = ConfigResource(ConfigResourceType.TOPIC, "t")
        found = admin.describe_configs([resource])["topic"]["t"]
        check(found["retention.ms"]["value"] == value, f"described: {found}")
    consumer.close()
    producer = KafkaProducer(bootstrap_servers=server.address, max_request_size=10_000_000)
    try:
        producer.send("t", b"x" * 2_000_000).get(30)
        check(False, "too large was taken")
    except MessageSizeTooLargeError:
        pass
    producer.close()
    producer = KafkaProducer(bootstrap_servers=server.address)
    producer.send("t", b"small").get(30)
    producer.close()
    admin.delete_topics(["t"])
    check("t" not in admin.list_topics(), "deleted")
    admin.close()


# --- aiokafka ----------------------------------------------------------------------------------

def aiokafka(server):
    import asyncio
    asyncio.run(aiokafka_run(server))


async def aiokafka_run(server):
    import asyncio
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
    from aiokafka.errors import MessageSizeTooLargeError

    admin = AIOKafkaAdminClient(bootstrap_servers=server.address)
    await admin.start()
    await admin.create_topics([NewTopic("t", 1, 1)])
    consumer = AIOKafkaConsumer(
        bootstrap_servers=server.address, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    place = TopicPartition("t", 0)
    consumer.assign([place])
    deadline = time.monotonic() + 60
    rounds = 0
    for codec in CODECS:
        for acks, idempotent in [(0, False), (1, False), ("all", False), ("all", True)]:
            producer = AIOKafkaProducer(
                bootstrap_servers=server.address, acks=acks, enable_idempotence=idempotent,
                compression_type=None if codec == "none" else codec)
            await producer.start()
            for index in range(60):
                key, value, headers = text_headers(index)
                await producer.send("t", key=key, value=value, headers=headers)
            await producer.flush()
            await producer.stop()
            rounds += 1
            # Nobody is told when acks 0 is there, and the next producer has another connection.
            while (await consumer.end_offsets([place]))[place] != 60 * rounds:
                check(time.monotonic() < deadline, "everything is there")
                await asyncio.sleep(0.02)
    await consumer.seek_to_beginning(place)
    found = []
    while len(found) < 60 * rounds:
        check(time.monotonic() < deadline, f"{len(found)} of {60 * rounds} records")
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += records
    for record in found:
        key, value, headers = text_headers(record.offset % 60)
        check(record.key == key and record.value == value, f"record at {record.offset}")
        check(list(record.headers) == headers, f"headers {record.headers}")
    end = 60 * rounds
    consumer.seek(place, end - 7)
    tail = (await consumer.getmany(timeout_ms=5000)).get(place, [])
    check([record.offset for record in tail] == list(range(end - 7, end)), "from an offset")
    await consumer.seek_to_end(place)
    check(await consumer.getmany(timeout_ms=300) == {}, "nothing behind the end")
    times = await consumer.offsets_for_times({place: found[0].timestamp})
    check(times[place].offset == 0, f"by time: {times}")
    await consumer.stop()
    producer = AIOKafkaProducer(bootstrap_servers=server.address, max_request_size=10_000_000)
    await producer.start()
    try:
        await producer.send_and_wait("t", b"x" * 2_000_000)
        check(False, "too large was taken")
    except MessageSizeTooLargeError:
        pass
    await producer.send_and_wait("t", b"small")
    await producer.stop()
    asked = ConfigResource(ConfigResourceType.TOPIC, "t", {"retention.ms": "100000000"})
    (altered,) = await admin.alter_configs([asked])
    check([answer[:2] for answer in altered.resources] == [(0, None)], f"altered: {altered}")
    await admin.delete_topics(["t"])
    check("t" not in await admin.list_topics(), "deleted")
    await admin.close()


# --- kcat --------------------------------------------------------------------------------------

def kcat(server, *arguments, data=b"", seconds=60):
    """Runs kcat and gives what it wrote."""
    outcome = subprocess.run(
        ["kcat", "-b", server.address, *arguments], input=data, capture_output=True,
        timeout=seconds)
    check(outcome.returncode == 0, f"kcat {arguments}: {outcome.stderr.decode()}")
    return outcome.stdout


def kcat_round_trips(server):
    lines = b"".join(b"line %d\n" % number for number in range(1000))
    for codec in CODECS:
        for acks in ["0", "1", "-1"]:
            for idempotent in ["false", "true"] if acks == "-1" else ["false"]:
                topic = f"{codec}.{acks}.{idempotent}"
                kcat(server, "-P", "-t", topic, "-z", codec, "-X", f"acks={acks}",
                     "-X", f"enable.idempotence={idempotent}",
                     # Batches of many lines however slow the machine is; the end of input sends.
                     "-X", "linger.ms=1000", data=lines)
                wait_until(
                    lambda: kcat(server, "-C", "-t", topic, "-e", "-q") == lines, f"{topic}")
                if codec != "none":
                    stored = os.path.getsize(f"{server.data}/{topic}-0/{0:020}.log")
                    check(stored < len(lines), f"{topic} is stored compressed: {stored} bytes")
    topic = "none.-1.false"
    check(kcat(server, "-C", "-t", topic, "-o", "-2", "-e", "-q") == b"line 998\nline 999\n", "-2")
    check(kcat(server, "-C", "-t", topic, "-o", "998", "-e", "-q").count(b"\n") == 2, "offset")
    check(kcat(server, "-C", "-t", topic, "-o", "end", "-e", "-q") == b"", "end")
    now = int(time.time() * 1000) + 60_000
    check(kcat(server, "-C", "-t", topic, "-o", "s@1000", "-c", "1", "-q") == b"line 0\n", "time")
    check(kcat(server, "-C", "-t", topic, "-o", f"s@{now}", "-e", "-q") == b"", "future")
    kcat(server, "-P", "-t", "headers", "-k", "the key", "-H", "a=1", "-H", "b=2", data=b"v\n")
    found = kcat(server, "-C", "-t", "headers", "-e", "-q", "-f", "%k|%s|%h|%p|%o\n")
    check(found == b"the key|v|a=1,b=2|0|0\n", f"headers: {found}")
    kcat(server, "-P", "-t", "nulls", "-Z", "-K", ":", data=b"key:\n:value\n")
    found = kcat(server, "-C", "-t", "nulls", "-e", "-q", "-f", "%K %S\n")
    check(found == b"3 -1\n-1 5\n", f"nulls: {found}")
    outcome = subprocess.run(
        ["kcat", "-b", server.address, "-P", "-t", "nulls", "-X", "message.max.bytes=9000000"],
        input=b"x" * 2_000_000 + b"\n", capture_output=True, timeout=60)
    check(outcome.returncode != 0 and b"too large" in outcome.stderr,
          f"too large: {outcome.returncode} {outcome.stderr}")
    kcat(server, "-P", "-t", "nulls", data=b"small\n")
    check(b"broker" in kcat(server, "-L"), "listing")
    server.verify()


def flights(server, data):
    """Real data goes through in every codec and comes out as it was."""
    with open(data, "rb") as file:
        content = file.read()
    for codec in ["none", "zstd", "lz4"]:
        kcat(server, "-P", "-t", f"flights-{codec}", "-z", codec, "-l", data)
        found = kcat(server, "-C", "-t", f"flights-{codec}", "-e", "-q")
        check(found == content, f"{codec}: {len(found)} of {len(content)} bytes, or others")
    # The directory is a Kafka directory, while it is served and after.
    for _ in range(2):
        server.verify()
        outcome = server.command("fetch", f"{server.data}/flights-zstd-0")
        check(outcome.stdout.encode() == content, f"mkstore fetch: {outcome.stderr}")
        dump = server.command("dump", f"{server.data}/flights-none-0/{0:020}.log")
        check(dump.returncode == 0 and dump.stdout, f"mkstore dump: {dump.stderr}")
        if server.process.poll() is None:
            server.stop()


# --- restarts and kills ------------------------------------------------------------------------

class Writer(threading.Thread):
    """One idempotent producer that numbers its records and notes which were acknowledged."""

    def __init__(self, server, name, partitions, stop):
        super().__init__(daemon=True)
        from confluent_kafka import Producer
        self.name = name
        self.partitions = partitions
        self.stopping = stop
        self.acknowledged = [[] for _ in range(partitions)]
        self.errors = []
        self.producer = Producer({
            "bootstrap.servers": server.address, "enable.idempotence": True, "linger.ms": 1,
            "batch.num.messages": 20, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100,
            "retry.backoff.ms": 20, "retry.backoff.max.ms": 100, "log_level": 0,
            "error_cb": self.failed})

    def failed(self, error):
        if error.fatal():
            self.errors.append(error)

    def run(self):
        numbers = [0] * self.partitions
        while not self.stopping.is_set():
            partition = random.randrange(self.partitions)
            number = numbers[partition]
            try:
                self.producer.produce(
                    "t", b"%s:%d" % (self.name.encode(), number), partition=partition,
                    on_delivery=lambda error, message, p=partition, n=number:
                        self.errors.append(error) if error else self.acknowledged[p].append(n))
                numbers[partition] = number + 1
            except BufferError:
                self.producer.poll(0.05)
            self.producer.poll(0)
            time.sleep(0.0005)
        if self.producer.flush(60) != 0:
            self.errors.append("not everything was delivered")


class Reader(threading.Thread):
    """A consumer that must see every offset once, in order, whatever happens to the server."""

    def __init__(self, server, partitions, stop):
        super().__init__(daemon=True)
        from confluent_kafka import Consumer, TopicPartition
        self.stopping = stop
        self.errors = []
        self.found = [[] for _ in range(partitions)]
        self.consumer = Consumer({
            "bootstrap.servers": server.address, "group.id": "unused",
            "enable.auto.commit": False, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100, "log_level": 0, "fetch.wait.max.ms": 100})
        self.consumer.assign([TopicPartition("t", p, 0) for p in range(partitions)])

    def run(self):
        while not self.stopping.is_set():
            for message in self.consumer.consume(500, 0.1):
                if message.error():
                    continue
                found = self.found[message.partition()]
                if message.offset() != len(found):
                    self.errors.append(
                        f"partition {message.partition()}: offset {message.offset()} after "
                        f"{len(found) - 1}")
                found.append(message.value())
        self.consumer.close()


def through(server, rounds, interrupt):
    """Three producers write and two consumers read through `rounds` interruptions."""
    from confluent_kafka.admin import AdminClient, NewTopic
    partitions = 2
    admin = AdminClient({"bootstrap.servers": server.address})
    admin.create_topics([NewTopic("t", partitions, 1)])["t"].result(20)
    written, read = threading.Event(), threading.Event()
    writers = [Writer(server, f"w{index}", partitions, written) for index in range(3)]
    readers = [Reader(server, partitions, read) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for number in range(rounds):
        time.sleep(random.uniform(0.1, 0.6))
        interrupt(number)
    time.sleep(0.3)
    written.set()
    for writer in writers:
        writer.join(90)
        check(not writer.is_alive() and not writer.errors, f"{writer.name}: {writer.errors[:3]}")
    from confluent_kafka import Consumer, TopicPartition
    asker = Consumer({"bootstrap.servers": server.address, "group.id": "unused"})
    ends = [asker.get_watermark_offsets(TopicPartition("t", p))[1] for p in range(partitions)]
    asker.close()
    for reader in readers:
        wait_until(
            lambda: reader.errors or [len(found) for found in reader.found] == ends,
            f"the consumer has everything: {[len(found) for found in reader.found]} of {ends}")
    read.set()
    for reader in readers:
        reader.join(30)
        check(not reader.errors, f"consumer: {reader.errors[:3]}")
    total = 0
    for partition in range(partitions):
        check(readers[0].found[partition] == readers[1].found[partition], "consumers agree")
        for writer in writers:
            prefix = writer.name.encode() + b":"
            numbers = [
                int(value[len(prefix):]) for value in readers[0].found[partition]
                if value.startswith(prefix)]
            check(numbers == sorted(set(numbers)),
                  f"{writer.name} in partition {partition}: out of order or twice")
            acknowledged = writer.acknowledged[partition]
            missing = set(acknowledged) - set(numbers)
            check(not missing, f"{writer.name} lost {sorted(missing)[:10]} in {partition}")
            total += len(acknowledged)
    check(total > 100 * rounds, f"only {total} records in {rounds} rounds")
    server.stop()
    server.verify()
    print(f"{total} acknowledged records, {rounds} interruptions: each there once, in order")


def go_on(server):
    """kafka-python, aiokafka and kcat: produce, restart of the server in mid-flight, go on."""
    import asyncio
    from aiokafka import AIOKafkaProducer
    from kafka import KafkaProducer

    def restart(number):
        if number % 2:
            server.kill()
        else:
            server.stop()
        server.start()

    values = [b"%d" % number for number in range(300)]

    def everything(topic):
        wait_until(lambda: kcat(server, "-C", "-t", topic, "-e", "-q").split() == values,
                   f"{topic}: each record once, in order")

    producer = KafkaProducer(
        bootstrap_servers=server.address, enable_idempotence=True, linger_ms=1,
        reconnect_backoff_ms=20, reconnect_backoff_max_ms=100, retry_backoff_ms=20)
    sent = []
    for number, value in enumerate(values):
        sent.append(producer.send("kafka-python", value, partition=0))
        if number % 100 == 50:
            restart(number // 100)
    for future in sent:
        future.get(60)
    producer.close()
    everything("kafka-python")

    async def run():
        producer = AIOKafkaProducer(
            bootstrap_servers=server.address, enable_idempotence=True, linger_ms=1,
            retry_backoff_ms=20)
        await producer.start()
        sent = []
        for number, value in enumerate(values):
            sent.append(await producer.send("aiokafka", value, partition=0))
            if number % 100 == 50:
                await asyncio.get_running_loop().run_in_executor(None, restart, number // 100)
        await asyncio.wait_for(asyncio.gather(*sent), 60)
        await producer.stop()
    asyncio.run(run())
    everything("aiokafka")

    process = subprocess.Popen(
        ["kcat", "-b", server.address, "-P", "-E", "-t", "kcat", "-X", "enable.idempotence=true",
         "-X", "reconnect.backoff.ms=20", "-X", "reconnect.backoff.max.ms=100"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for number, value in enumerate(values):
        process.stdin.write(value + b"\n")
        process.stdin.flush()
        if number % 100 == 50:
            restart(number // 100)
    _, said = process.communicate(timeout=60)
    check(process.returncode == 0, f"kcat: {said.decode()}")
    everything("kcat")
    server.stop()
    server.verify()


def kills(server):
    def interrupt(_):
        server.kill()
        server.start()
    through(server, int(os.environ.get("SERVE_KILLS", "20")), interrupt)


def restarts(server):
    def interrupt(number):
        server.stop([signal.SIGTERM, signal.SIGINT][number % 2])
        check(os.path.exists(f"{server.data}/.kafka_cleanshutdown"), "clean marker")
        server.start()
    through(server, 4, interrupt)


def pauses(server):
    """SIGSTOP for seconds is survived."""
    def interrupt(_):
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        server.process.send_signal(signal.SIGCONT)
    through(server, 2, interrupt)


def second_signal(server):
    """A second signal stops at once, and nothing acknowledged is lost."""
    lines = b"".join(b"%d %s\n" % (number, b"x" * 1000) for number in range(20_000))
    kcat(server, "-P", "-t", "t", data=lines)
    host, port = server.address.split(":")
    stuck = socket.create_connection((host, int(port)))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.sendall(fetch_request("t", 0, 15 << 20))
    take(stuck, 100)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: any("stopping" in line for line in server.messages), "stopping")
    check(server.process.poll() is None, "waits for the answer under way")
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    check(server.process.wait(20) == 1, f"exit status {server.process.returncode}")
    check(time.monotonic() - began < 3, "at once")
    server.start()
    check(kcat(server, "-C", "-t", "t", "-e", "-q") == lines, "everything is there")
    server.stop()


# --- hostile bytes, rot, metrics, system calls -------------------------------------------------

def hostile(server):
    host, port = server.address.split(":")
    kcat(server, "-P", "-t", "t", data=b"before\n")
    for data, word in [(b"GET / HTTP/1.1\r\n\r\n", "HTTP"), (b"\x16\x03\x01\x02\x00\x01", "TLS"),
                       (b"\x7f\xff\xff\xff", "2147483647"), (b"\xff\xff\xff\xff", "-1")]:
        before = len(server.messages)
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(data)
            check(connection.recv(1) == b"", f"{word}: closed")
        wait_until(lambda: len(server.messages) > before, f"{word}: said")
        said = server.messages[before:]
        check(len(said) == 1 and word in said[0], f"{word}: one line, not {said}")
    half = [socket.create_connection((host, int(port))) for _ in range(50)]
    for connection in half:
        # A request of 50 MB of which only the start comes.
        connection.sendall(b"\x03\x00\x00\x00\x00\x00\x00\x09" + b"\x00" * 1000)
    with open(f"/proc/{server.process.pid}/status") as file:
        peak = [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]
    check(peak < 200_000, f"{peak} kB for half requests")
    check(kcat(server, "-C", "-t", "t", "-e", "-q") == b"before\n", "others go on")
    for connection in half:
        connection.close()
    balloons(server, (host, int(port)))


def balloons(server, address):
    """Requests of a few megabytes that ask for very much, or claim to."""
    def ask(key, version, body):
        head = struct.pack(">hhih", key, version, 7, 4) + b"test"
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
            try:
                return take(connection, struct.unpack(">i", take(connection, 4))[0])
            except (Failure, ConnectionResetError):
                return None

    def metadata(names, count=None):
        texts = b"".join(struct.pack(">h", len(name)) + name for name in names)
        return ask(3, 4, struct.pack(">i", count or len(names)) + texts + b"\0")

    def fetch(partitions, count=None):
        places = b"".join(struct.pack(">iqi", 0, 0, 1) for _ in range(partitions))
        return ask(1, 4, struct.pack(">iiiib", -1, 0, 1, 50 << 20, 0) + struct.pack(">ih", 1, 1)
                   + b"t" + struct.pack(">i", count or partitions) + places)
    # Answered, in proportion.
    check(len(metadata([b"n%06d" % number for number in range(150_000)])) < 4_000_000, "names")
    check(len(metadata([b"t"] * 150_000)) < 1000, "one name often")
    check(fetch(150_000) is not None, "one partition often")
    # Claims that the bytes do not hold, and more than any client asks for.
    for count in [-2, 2, 1 << 30, (1 << 31) - 1]:
        check(metadata([b"t"], count) is None, f"{count} names")
        check(fetch(1, count) is None, f"{count} partitions")
    check(metadata([b"t"] * 300_000) is None, "too many names")
    with open(f"/proc/{server.process.pid}/status") as file:
        peak = [int(line.split()[1]) for line in file if line.startswith("VmHWM")][0]
    check(peak < 400_000, f"{peak} kB at the most")
    check(kcat(server, "-C", "-t", "t", "-e", "-q") == b"before\n", "others go on")
    server.verify()


def descriptors(server):
    """Without a descriptor for one more connection, new ones wait, and the processor rests."""
    host, port = server.address.split(":")
    pid = server.process.pid
    kcat(server, "-P", "-t", "t", data=b"before\n")
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, limits[1]))
    waiting = [socket.create_connection((host, int(port)), timeout=20) for _ in range(20)]

    def told():
        return [line for line in server.messages if "connections wait" in line]
    wait_until(told, "said")

    def spent():
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    start, before = time.monotonic(), spent()
    wait_until(lambda: time.monotonic() - start > 2, "two seconds")
    # Asking the kernel again and again takes all of a processor; a noisy machine takes none away.
    share = (spent() - before) / (time.monotonic() - start)
    check(share < 0.5, f"{share:.2f} of a processor while connections wait")
    check(len(told()) == 1, f"one line, not {told()}")
    for connection in waiting:
        connection.close()
    check(kcat(server, "-C", "-t", "t", "-e", "-q") == b"before\n", "taken again")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    server.stop()
    server.verify()


def rot(server):
    """Rotten bytes are never served; everything around them is."""
    values = [b"record %03d %s" % (number, os.urandom(600).hex().encode()) for number in range(60)]
    for value in values:
        kcat(server, "-P", "-t", "t", data=value + b"\n")
    server.stop()
    path = f"{server.data}/t-0/{0:020}.log"
    rot_a_bit(path, b"record 030 ", 100)
    server.start()
    offset, served, corrupt = 0, b"", []
    while offset < 60:
        error, records = raw_fetch(server.address, "t", offset)
        if error == 2:
            check(records == b"", "no bytes with CORRUPT_MESSAGE")
            corrupt.append(offset)
            offset += 1
            continue
        check(error == 0 and records, f"error {error} at {offset}")
        served += records
        offset += records.count(b"record 0")
    check(corrupt == [30], f"corrupt at {corrupt}")
    check([value for value in values if value not in served] == [values[30]], "all others served")
    found = kcat(server, "-C", "-t", "t", "-o", "31", "-e", "-q", "-X", "check.crcs=false")
    check(found == b"".join(value + b"\n" for value in values[31:]), "kcat behind the damage")
    found = kcat(server, "-C", "-t", "t", "-c", "30", "-q", "-X", "check.crcs=false")
    check(found == b"".join(value + b"\n" for value in values[:30]), "kcat before the damage")


def damaged_files(server):
    """Files of the store are cut, emptied and taken away under the server: it lives (P4)."""
    server.stop()
    server.arguments += ["--set", "segment.bytes=40000", "--set", "index.interval.bytes=100"]
    server.start()
    values = [b"record %03d %s" % (number, os.urandom(300).hex().encode()) for number in range(180)]
    kcat(server, "-P", "-t", "t", "-X", "batch.num.messages=1",
         data=b"".join(value + b"\n" for value in values))
    directory = f"{server.data}/t-0"

    def look(missing=()):
        for offset in range(len(values) - 1, -1, -7):
            if offset not in missing:
                error, records = raw_fetch(server.address, "t", offset)
                check(error == 0 and values[offset] in records, f"error {error} at {offset}")
        check(server.process.poll() is None, f"the server ended: {server.process.returncode}")

    look()
    harms = [lambda path: os.truncate(path, 0),
             lambda path: os.truncate(path, os.path.getsize(path) // 2), os.remove]
    sides = [f"{directory}/{name}" for name in sorted(os.listdir(directory))
             if not name.endswith(".log")]
    sides += [f"{server.data}/{name}" for name in sorted(os.listdir(server.data))
              if os.path.isfile(f"{server.data}/{name}")]
    check(len([path for path in sides if path.endswith("index")]) >= 6, f"indexes: {sides}")
    for path in sides:
        for harm in harms:
            if not os.path.exists(path):
                continue
            harm(path)
            look()
            values.append(b"record %03d" % len(values))
            kcat(server, "-P", "-t", "t", data=values[-1] + b"\n")
    look()
    wait_until(lambda: any("made from its log" in line for line in server.messages), "said so")
    # A sealed segment loses its end: what is before and behind it is served.
    logs = sorted(name for name in os.listdir(directory) if name.endswith(".log"))
    cut, behind = int(logs[1][:20]), int(logs[2][:20])
    os.truncate(f"{directory}/{logs[1]}", 0)
    look(range(cut, behind))
    error, records = raw_fetch(server.address, "t", cut)
    check(error != 0 and not records, f"error {error} in the segment that was cut")
    look(range(cut, behind))


def rotten_bits(server):
    """A bit flipped on disk before its first read: what is served is what was written, and the
    rest is answered with an error.

    Any bit, but for the two fields that Kafka's CRC leaves out and nothing else tells: leader
    epochs, and the base offset of the last batch (docs/durability.md, known limits)."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 32)
    print(f"SEED={seed}")
    chance = random.Random(seed)
    for number in range(12):
        kcat(server, "-P", "-t", "t", "-z", CODECS[number % 4],
             data=b"".join(b"%d %d\n" % (number, line) for line in range(20)))
    server.stop()
    path = f"{server.data}/t-0/{0:020}.log"
    saved = f"{server.work}/saved"
    shutil.copytree(server.data, saved)
    with open(path, "rb") as file:
        original = file.read()
    starts, position = [], 0
    while position < len(original):
        starts.append(position)
        position += 12 + struct.unpack_from(">i", original, position + 8)[0]
    untold = {start + byte for start in starts for byte in range(12, 16)}
    untold |= set(range(starts[-1], starts[-1] + 8))
    told = [byte for byte in range(len(original)) if byte not in untold]
    refused = 0
    for _ in range(40):
        bit = 8 * chance.choice(told) + chance.randrange(8)
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        with open(path, "wb") as file:
            file.write(flipped)
        server.start()
        errors, served = 0, 0
        for offset in range(240):
            error, records = raw_fetch(server.address, "t", offset)
            check(records in original, f"bit {bit}, SEED={seed}: other bytes at {offset}")
            errors += error != 0
            served += len(records) > 0
            check(error == 0 or not records, f"bit {bit}, SEED={seed}: error {error} and bytes")
        # One batch of the twelve is touched, 20 offsets; a length or an offset may hide one more.
        check(served >= 200, f"bit {bit}, SEED={seed}: only {served} of 240 offsets served")
        check(served < 240, f"bit {bit}, SEED={seed}: a rotten batch was served")
        refused += errors
        server.kill()
        shutil.rmtree(server.data)
        shutil.copytree(saved, server.data)
    check(refused >= 20 * 20, f"only {refused} offsets were refused in 40 rounds")
    server.start()


def cached_pages(descriptor):
    """Pages of a file that the page cache holds: cachestat(2), which libc does not wrap yet."""
    libc = ctypes.CDLL(None, use_errno=True)
    whole = (ctypes.c_uint64 * 2)(0, 0)
    found = (ctypes.c_uint64 * 5)()
    result = libc.syscall(451, descriptor, ctypes.byref(whole), ctypes.byref(found), 0)
    check(result == 0, f"cachestat: {os.strerror(ctypes.get_errno())} (Linux 6.5 or later)")
    return found[0]


def evicted(server):
    """Rot below a page that left the page cache after it was served: checked again, not served."""
    lines = b"".join(b"%06d %s\n" % (number, b"x" * 100) for number in range(2_000))
    kcat(server, "-P", "-t", "t", "-X", "batch.num.messages=100", data=lines)
    check(kcat(server, "-C", "-t", "t", "-e", "-q", "-X", "check.crcs=false") == lines, "served")
    path = f"{server.data}/t-0/{0:020}.log"

    def stir():
        """Packets that were sent from pages hold them until their processor meets the next one."""
        host, port = server.address.split(":")
        allowed = os.sched_getaffinity(0)
        for processor in allowed:
            os.sched_setaffinity(0, {processor})
            socket.create_connection((host, int(port)), timeout=60).close()
        os.sched_setaffinity(0, allowed)

    def drop(file):
        def is_dropped():
            stir()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return cached_pages(file.fileno()) == 0
        # A page that the kernel is busy with stays for a moment.
        wait_until(is_dropped, "the pages are dropped")

    with open(path, "r+b") as file:
        content = file.read()
        position = content.find(b"001234 x")
        check(position > 0, "found on disk")
        file.seek(position + 50)
        file.write(b"y")
        file.flush()
        drop(file)
    offset, served, corrupt = 0, b"", []
    while offset < 2_000:
        error, records = raw_fetch(server.address, "t", offset)
        if error == 2:
            corrupt.append(offset)
            offset += 1
            continue
        check(error == 0 and records, f"error {error} at {offset}")
        served += records
        offset += records.count(b"xxx\x00")
    check(b"xyx" not in served, "the rotten byte was served")
    check(1234 in corrupt and len(corrupt) <= 100, f"corrupt at {corrupt}")
    check(served.count(b"xxx\x00") == 2_000 - len(corrupt), "everything around it is served")
    found = kcat(server, "-C", "-t", "t", "-o", str(corrupt[-1] + 1), "-e", "-q",
                 "-X", "check.crcs=false")
    check(found == lines[(corrupt[-1] + 1) * 108:], "kcat behind the damage")


# --- a full disk, a removed directory ----------------------------------------------------------

def full_disk(server, mount):
    """Runs with its store on the small file system at `mount`."""
    from confluent_kafka import Producer
    check(server.data.startswith(mount), f"{server.data} is not on {mount}")
    kcat(server, "-P", "-t", "t", data=b"before\n")
    ballast = f"{mount}/ballast"
    with open(ballast, "wb") as file:
        free = os.statvfs(mount)
        os.posix_fallocate(file.fileno(), 0, (free.f_bavail - 64) * free.f_frsize)
    outcomes = []
    producer = Producer({
        "bootstrap.servers": server.address, "enable.idempotence": True, "linger.ms": 1,
        "message.timeout.ms": 120_000, "retry.backoff.ms": 50, "retry.backoff.max.ms": 200,
        "batch.num.messages": 50, "compression.type": "none", "log_level": 0})

    def note(error, message):
        outcomes.append((error, message.offset()))
    written = 3_000
    for number in range(written):
        producer.produce("t", b"%05d %s" % (number, b"x" * 1000), partition=0, on_delivery=note)
        producer.poll(0)
    wait_until(
        lambda: producer.poll(0.05) or any("space" in line for line in server.messages),
        "the log says that the disk is full", 60)
    before = len(outcomes)
    for _ in range(20):
        producer.poll(0.05)
    check(len(outcomes) < written, "the disk never was full")
    check(server.process.poll() is None, "the process lives")
    found = kcat(server, "-C", "-t", "t", "-o", "0", "-c", "1", "-q")
    check(found == b"before\n", "fetches go on")
    server.verify()
    os.remove(ballast)
    check(producer.flush(120) == 0, "everything was delivered once there was space")
    check(all(error is None for error, _ in outcomes), f"{[e for e, _ in outcomes if e][:3]}")
    check([offset for _, offset in outcomes] == list(range(1, written + 1)), "in order, each once")
    found = kcat(server, "-C", "-t", "t", "-o", "1", "-e", "-q").splitlines()
    check([int(line[:5]) for line in found] == list(range(written)), "all is there")
    server.stop()
    server.verify()
    print(f"{before} of {written} records before the disk was full, the rest after")


def removed(server):
    """The data directory is removed under the running server."""
    kcat(server, "-P", "-t", "t", data=b"before\n")
    shutil.rmtree(server.data)
    outcome = subprocess.run(
        ["kcat", "-b", server.address, "-P", "-t", "t", "-X", "message.timeout.ms=3000"],
        input=b"lost\n", capture_output=True, timeout=60)
    check(outcome.returncode != 0, "a record was acknowledged that nobody will find")
    check(server.process.poll() is None, "the process lives")
    check(any("sync failed" in line and "No such file" in line for line in server.messages),
          f"a clear error: {server.messages}")
    page = urllib.request.Request(f"http://127.0.0.1:{server.admin}/readyz")
    try:
        urllib.request.urlopen(page, timeout=20)
        check(False, "ready without a directory")
    except urllib.error.HTTPError as error:
        check(error.code == 503, f"readyz: {error.code}")
    server.stop(status=1)


# --- settings ----------------------------------------------------------------------------------

def settings(server):
    """The command line comes before the environment, that before the file, that before defaults."""
    from confluent_kafka.admin import AdminClient, ConfigResource
    for word in ["serving Kafka clients on 127.0.0.1:", "data directory " + server.data,
                 "durability flushed", "opened 0 logs in", "ready after"]:
        check(any(word in line for line in server.messages), f"'{word}' in {server.messages}")
    server.stop()
    config = f"{server.work}/mkstore.properties"
    with open(config, "w") as file:
        file.write("# a comment\nnum.partitions=2\nsegment.bytes=1048576\n"
                   "max.message.bytes=200000\nfetch.max.bytes=3000000\n")
    server.environment = {"MKSTORE_NUM_PARTITIONS": "3", "MKSTORE_SEGMENT_BYTES": "2097152"}
    core = str(min(os.sched_getaffinity(0)))
    server.arguments += ["--config", config, "--set", "num.partitions=4", "--cores", core]
    server.start()
    kcat(server, "-P", "-t", "t", data=b"a\n")
    admin = AdminClient({"bootstrap.servers": server.address, "log_level": 0})
    count = len(admin.list_topics(timeout=20).topics["t"].partitions)
    check(count == 4, f"{count} partitions, the command line says 4")

    def value(kind, name, key):
        resource = ConfigResource(kind, name)
        return admin.describe_configs([resource])[resource].result(20)[key].value
    topic, broker = ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER
    check(value(topic, "t", "segment.bytes") == "2097152", "the environment comes before the file")
    check(value(topic, "t", "max.message.bytes") == "200000", "the file")
    node = str(next(iter(admin.list_topics(timeout=20).brokers)))
    check(value(broker, node, "fetch.max.bytes") == "3000000", "the file, of the broker")
    check(value(broker, node, "max.connections") == "4096", "the default")
    server.stop()
    for arguments, word in [
            (["--listen", "0.0.0.0:0"], "--insecure"),
            (["--listen", "0.0.0.0:0", "--insecure"], "--advertise"),
            (["--set", "no.such.setting=1"], "no.such.setting"),
            (["--set", "segment.bytes=1"], "segment.bytes"),
            (["--set", "num.partitions=many"], "num.partitions"),
            (["--cores", "77777"], "77777")]:
        outcome = server.command("serve", "--data", server.data, *arguments)
        check(outcome.returncode == 2 and word in outcome.stderr,
              f"{arguments}: {outcome.returncode} {outcome.stderr}")
    outcome = server.command("serve", "--data", server.data, "--config", f"{server.work}/none")
    check(outcome.returncode != 0 and "none" in outcome.stderr, f"no file: {outcome.stderr}")


def metrics(server):
    # Without a pause to fill it, the client sends two batches on a busy machine.
    kcat(server, "-P", "-t", "t", "-X", "linger.ms=1000", data=b"a\nb\nc\n")
    kcat(server, "-C", "-t", "t", "-e", "-q")

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.admin}{path}", timeout=20) as page:
            return page.read().decode()
    check(get("/healthz") == "ok\n", "healthz")
    check(get("/readyz") == "ready\n", "readyz")
    text = get("/metrics")
    for line in ["mkstore_append_records_total 3", 'mkstore_log_end_offset{topic="t",partition="0"} 3',
                 'mkstore_server_request_seconds_count{api="Produce"} 1',
                 'mkstore_append_batch_bytes_count 1', 'mkstore_flush_seconds_count ',
                 'mkstore_server_fetch_bytes_bucket{le="+Inf"} ',
                 "kafka_server_brokertopicmetrics_messagesin_total 3",
                 'redpanda_kafka_max_offset{redpanda_topic="t",redpanda_partition="0"} 3']:
        check(line in text, f"{line} in\n{text}")
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        check(line.startswith(("# TYPE ", "# HELP ")) or (name and float(value) >= 0), f"metric line {line}")
    heads = [line.split(" ")[:3] for line in text.splitlines() if line.startswith("# ")]
    typed = [name for _, kind, name in heads if kind == "TYPE"]
    check([name for _, kind, name in heads if kind == "HELP"] == typed, "each metric says what it is")
    # OpenMetrics leaves "_total" out of a counter's name.
    families = [name.removesuffix("_total") for name in typed]
    check(len(set(families)) == len(families), f"metrics of one name: {sorted(families)}")


def is_traced(pid):
    """Whether every thread of a process has a tracer."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            if "TracerPid:\t0\n" in file.read():
                return False
    return True


def traced(server, trace, calls):
    """strace of these calls of every thread, running."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-p", str(server.process.pid), "-o", trace, "-e", f"trace={calls}"],
        stderr=subprocess.PIPE,
        # A test runner's children may inherit signals blocked.
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []))
    wait_until(lambda: tracer.poll() is not None or is_traced(server.process.pid), "traced")
    check(tracer.poll() is None, f"strace runs: {tracer.poll()}")
    return tracer


def traced_pass(server):
    """Fetches all of topic t once: bytes received, sent by sendfile, its calls, bytes read."""
    trace = f"{server.work}/trace"
    tracer = traced(server, trace, "pread64,preadv,preadv2,read,readv,sendfile,mmap")
    host, port = server.address.split(":")
    received = 0
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        offset = 0
        while offset < 20_000:
            connection.sendall(fetch_request("t", offset, 1 << 20))
            frame = take(connection, int.from_bytes(take(connection, 4), "big"))
            received += len(frame)
            offset += frame.count(b"xxx\x00")
    tracer.terminate()
    tracer.wait(60)
    read = sent = sends = 0
    with open(trace) as file:
        for line in file:
            call, _, result = line.rpartition(" = ")
            if not result.split()[0].isdigit():
                continue
            # A call that another interrupted is told in two lines; the second has the result.
            if "sendfile" in call:
                sent += int(result.split()[0])
                sends += 1
            elif "pread" in call:
                read += int(result.split()[0])
    return received, sent, sends, read


def system_calls(server):
    """In steady state the payload of a fetch does not enter user space: sendfile alone moves it."""
    lines = b"".join(b"%06d %s\n" % (number, b"x" * 1000) for number in range(20_000))
    kcat(server, "-P", "-t", "t", data=lines)
    # The first pass may check; from then on the bytes are known. Not for ever: what the kernel
    # takes out of its cache meanwhile is checked again, so a pass may be seen that had to.
    check(kcat(server, "-C", "-t", "t", "-e", "-q") == lines, "first pass")
    for _ in range(3):
        received, sent, sends, read = traced_pass(server)
        if read < 0.05 * len(lines):
            break
    check(received > len(lines), f"received {received}")
    check(sent > 0.98 * len(lines), f"sendfile moved {sent} of {len(lines)} bytes")
    check(read < 0.05 * len(lines), f"{read} bytes were read into user space")
    print(f"{received} bytes received; {sent} by {sends} sendfile calls; {read} read")
    host, port = server.address.split(":")
    calls_per_fetch(server, (host, int(port)))


def calls_per_fetch(server, address):
    """How many system calls a fetch of one small batch takes, over all threads."""
    count = 400
    kcat(server, "-P", "-t", "small", "-X", "batch.num.messages=1",
         data=b"".join(b"%d\n" % number for number in range(count)))

    def run(connection):
        for offset in range(count):
            connection.sendall(fetch_request("small", offset, 1))
            take(connection, int.from_bytes(take(connection, 4), "big"))
    with socket.create_connection(address, timeout=60) as connection:
        run(connection)
        trace = f"{server.work}/trace-small"
        tracer = traced(server, trace, "all")
        run(connection)
        tracer.terminate()
        tracer.wait(60)
    calls = {}
    with open(trace) as file:
        for line in file:
            found = re.match(r"\d+ +(\w+)\(", line)
            if found:
                calls[found.group(1)] = calls.get(found.group(1), 0) + 1
    total = sum(calls.values())
    print(f"{total / count:.2f} calls a fetch: {calls}")
    # Poll, read, ask the page cache, two reads of cached bytes, write: 6; a rise is a fault.
    check(total <= 7 * count, f"{total / count:.1f} calls a fetch: {calls}")


SCENARIOS = {
    "confluent": confluent, "kafka-python": kafka_python, "aiokafka": aiokafka,
    "kcat": kcat_round_trips, "flights": flights, "go-on": go_on, "kills": kills, "restarts": restarts,
    "pauses": pauses, "second-signal": second_signal, "hostile": hostile, "rot": rot,
    "metrics": metrics, "system-calls": system_calls, "rotten-bits": rotten_bits,
    "evicted": evicted, "full-disk": full_disk, "removed": removed, "settings": settings,
    "descriptors": descriptors, "damaged-files": damaged_files,
    **java_client.SCENARIOS,
}


def main():
    binary, name, *data = sys.argv[1:]
    store = f"{data[0]}/data" if name == "full-disk" else None
    with Server(binary, "--admin-listen", "127.0.0.1:0", data=store) as server:
        try:
            SCENARIOS[name](server, *data)
        except BaseException as error:
            if not isinstance(error, Failure):
                traceback.print_exc()
            print(f"{name}: {error}", file=sys.stderr)
            print("".join(server.messages[-30:]), file=sys.stderr)
            # Clients' threads must not hold up the end.
            server.__exit__()
            os._exit(1)
    sys.stdout.flush()
    os._exit(0)


main()
