#!/usr/bin/env python3
"""Makes the seed corpus of FuzzLogDirectory from directories that Kafka wrote (Tests/Fixtures).

Layout of an input: see Sources/StoreTesting/Fuzzing/LogDirectoryInput.swift. Run in Fuzz/.
"""
import pathlib
import re
import struct

KINDS = {".log": 0, ".index": 1, ".timeindex": 2, ".txnindex": 3, ".snapshot": 4}
NAMES = {"mkstore.mark": 5, "leader-epoch-checkpoint": 6, "partition.metadata": 14}
BYTES_MAX = 24 << 10

fixtures = pathlib.Path("../Tests/Fixtures")
corpus = pathlib.Path("corpus/log-directory")


def entry(kind, base, content):
    return struct.pack(">BIB", kind, base, len(content) >> 16) + struct.pack(
        ">H", len(content) & 0xFFFF
    ) + content


def files(directory):
    for path in sorted(directory.iterdir()):
        match = re.fullmatch(r"(\d{20})(\.\w+)", path.name)
        if match and match[2] in KINDS:
            content = path.read_bytes()
            if match[2] in (".index", ".timeindex"):
                content = content[:512]
            yield KINDS[match[2]], int(match[1]), content
        elif path.name in NAMES:
            yield NAMES[path.name], 0, path.read_bytes()


def main():
    corpus.mkdir(parents=True, exist_ok=True)
    logs = {p.parent for p in fixtures.glob("**/*.log") if "recovered" not in p.parts}
    for number, directory in enumerate(sorted(logs)):
        content = b"".join(entry(*file) for file in files(directory))
        if len(content) > BYTES_MAX:
            # The small files, and the front of the first segment.
            parts = sorted(files(directory), key=lambda f: (f[0] in (1, 2), f[1]))
            content = b""
            for kind, base, data in parts:
                content += entry(kind, base, data[: max(0, BYTES_MAX - len(content))])
                if len(content) >= BYTES_MAX:
                    break
        for flags in (number % 2 * 1 | 4, 0x10 | number % 4 << 4 | 2):
            name = f"{directory.parent.name}-{directory.name}-{flags:02x}"
            (corpus / name).write_bytes(bytes([flags]) + content)
    # A log in a few words: one batch by a builder, a mark with no sound slot, text files.
    checkpoint = entry(7, 0, b"0\n1\nt 0 5\n") + entry(8, 0, b"0\n1\nt 0 2\n")
    batch = bytes.fromhex(
        "0000000000000000" "0000003c" "00000000" "02" "00000000" "0000" "00000000"
        "0000018bcfe56800" "0000018bcfe56800" "ffffffffffffffff" "ffff" "ffffffff" "00000001"
        "14000000" "01" "08" "61626364" "00"
    )
    mark = bytes.fromhex(
        "6d6b6d61726b3031" "0000000000000007" "0000000000000000" "0000000000000001"
        "0000000000000000" "0000000000000000" "0000018bcfe56800" "0000000000000000"
        "00000000" "00000000"
    ) + bytes(440)
    for flags in (0, 1, 0x20, 0x36):
        whole = bytes([flags]) + entry(0x10, 0, batch * 2) + entry(0x15, 0, mark * 3) + checkpoint
        (corpus / f"small-{flags:02x}").write_bytes(whole)


main()
