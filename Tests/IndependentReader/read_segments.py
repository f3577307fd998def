#!/usr/bin/env python3
"""Reads segments with the record parsers of two Kafka clients that share no code with mkstore.

    read_segments.py kafka-python|aiokafka SEGMENT.log...

Prints one JSON array a record: offset, timestamp, timestamp type, key, value, headers; bytes in
hex, null as null. Checks each batch's CRC. Exits with 1 where a parser finds anything wrong.
"""
import json
import struct
import sys


def text(data):
    return None if data is None else bytes(data).hex()


def read(library, path):
    if library == "kafka-python":
        from kafka.record.memory_records import MemoryRecords
    else:
        from aiokafka.record.memory_records import MemoryRecords
    with open(path, "rb") as file:
        data = file.read()
    records = MemoryRecords(data)
    batches = 0
    while records.has_next():
        batch = records.next_batch()
        batches += 1
        if not batch.validate_crc():
            sys.exit(f"{path}: wrong CRC in the batch at offset {batch.base_offset}")
        for record in batch:
            headers = [[name.encode().hex(), text(value)] for name, value in record.headers]
            line = [record.offset, record.timestamp, record.timestamp_type]
            print(json.dumps(line + [text(record.key), text(record.value), headers]))
    if batches != count_batches(data):
        sys.exit(f"{path}: {batches} batches read, {count_batches(data)} there")


def count_batches(data):
    """Batches by their length fields alone, which must use up the file exactly."""
    position = count = 0
    while position < len(data):
        (length,) = struct.unpack_from(">i", data, position + 8)
        position += 12 + length
        count += 1
    return count if position == len(data) else -1


def main():
    library, paths = sys.argv[1], sys.argv[2:]
    for path in paths:
        read(library, path)


main()
