"""The server under test, as a process of its own."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time


class Failure(Exception):
    """Something is not as it must be."""


def check(condition, text):
    """Fails with `text` unless `condition` holds."""
    if not condition:
        raise Failure(text)


def rot_a_bit(path, text, distance):
    """Turns one bit of the byte that stands `distance` bytes behind the start of `text`."""
    with open(path, "r+b") as file:
        position = file.read().find(text)
        check(position > 0, "found on disk")
        file.seek(position + distance)
        byte = file.read(1)[0]
        file.seek(position + distance)
        file.write(bytes([byte ^ 0x10]))


def wait_until(condition, text, seconds=30):
    """Waits until `condition()` holds; fails with `text` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"timed out: {text}")
        time.sleep(0.02)


class Server:
    """`mkstore serve` over a directory that goes with this object."""

    def __init__(self, binary, *arguments, data=None):
        self.binary = binary
        self.arguments = list(arguments)
        self.environment = {}
        self.work = tempfile.mkdtemp(prefix="mkstore-clients-")
        self.data = data or os.path.join(self.work, "data")
        self.port = 0
        self.admin = 0
        self.process = None
        self.messages = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self):
        """Starts and waits until it is ready; the port stays the same over restarts."""
        self.process = subprocess.Popen(
            # Tests produce records of old, which retention would delete.
            [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}",
             "--set", "retention.ms=-1"] + self.arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment})
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self.process, ready), daemon=True).start()
        wait_until(
            lambda: ready.is_set() or self.process.poll() is not None, "server is ready", 60)
        check(self.process.poll() is None, "server ended: " + "".join(self.messages[-20:]))

    def _read(self, process, ready):
        for line in process.stderr:
            self.messages.append(line)
            found = re.search(r"serving Kafka clients on [^ ]*:(\d+),", line)
            if found:
                self.port = int(found.group(1))
            found = re.search(r"metrics and health on http://[^ ]*:(\d+)/", line)
            if found:
                self.admin = int(found.group(1))
            if "ready after" in line:
                ready.set()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGTERM, status=0):
        """Stops in order and checks the exit status."""
        self.process.send_signal(number)
        check(self.process.wait(60) == status, f"exit status {self.process.returncode}: "
              + "".join(self.messages[-20:]))

    def command(self, *arguments):
        """Runs another command of the same binary and gives its outcome."""
        return subprocess.run(
            [self.binary, *arguments], capture_output=True, text=True, timeout=120)

    def verify(self):
        """`mkstore verify` finds nothing wrong, whether the server runs or not."""
        outcome = self.command("verify", self.data)
        check(outcome.returncode == 0, f"verify: {outcome.stdout}{outcome.stderr}")


def fetch_request(topic, offset, max_bytes=10 << 20, correlation=1):
    """A Fetch v4 request of partition 0, as bytes."""
    name = topic.encode()
    body = struct.pack(">iiiib", -1, 100, 1, max_bytes, 0)
    body += struct.pack(">ih", 1, len(name)) + name
    body += struct.pack(">iiqi", 1, 0, offset, max_bytes)
    head = struct.pack(">hhih", 1, 4, correlation, 4) + b"test"
    return struct.pack(">i", len(head) + len(body)) + head + body


def take(connection, count):
    """Exactly `count` bytes."""
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        check(part, "connection closed")
        data += part
    return data


def raw_fetch(address, topic, offset):
    """(error code, records) of partition 0 by a raw frame."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(fetch_request(topic, offset))
        size = struct.unpack(">i", take(connection, 4))[0]
        frame = take(connection, size)
    # Correlation id, throttle time, one topic with its name, one partition.
    position = 4 + 4 + 4 + 2 + len(topic.encode()) + 4
    _, error, _, _ = struct.unpack_from(">ihqq", frame, position)
    position += 4 + 2 + 8 + 8
    aborted = struct.unpack_from(">i", frame, position)[0]
    position += 4 + 16 * max(0, aborted)
    length = struct.unpack_from(">i", frame, position)[0]
    position += 4
    return error, frame[position:position + max(0, length)]
