#!/usr/bin/env python3
"""Writes schema-frames.jsonl: one frame per API, version, direction and filling.

The bytes come from kafka-python's codec (pip install kafka-python==3.0.12), which is driven by
Kafka's own message definitions, so they are an opinion independent of this package. `full` fills
every field, tagged ones too; `least` leaves everything empty, null or at its default.
"""
import base64
import importlib
import json
import pkgutil
import sys

import kafka.protocol
from kafka.protocol.api_header import RequestHeader, ResponseHeader
from kafka.protocol.api_message import ApiMessage

RANGES = {
    "Produce": (0, 9), "Fetch": (4, 12), "ListOffsets": (1, 7), "Metadata": (0, 12),
    "FindCoordinator": (0, 4), "ApiVersions": (0, 4), "CreateTopics": (2, 7),
    "DeleteTopics": (1, 6), "DeleteRecords": (0, 2), "InitProducerId": (0, 4),
    "OffsetForLeaderEpoch": (2, 4),
    "DescribeConfigs": (1, 4), "AlterConfigs": (0, 2), "DescribeLogDirs": (1, 4),
    "CreatePartitions": (0, 3), "IncrementalAlterConfigs": (0, 1), "DescribeCluster": (0, 1),
}
BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


class Filler:
    def __init__(self, full, version):
        self.full, self.version, self.count, self.depth = full, version, 0, 0

    def struct(self, fields):
        """Returns the value for the codec and the same for people, by Kafka's names."""
        value, shown = {}, {}
        for field in fields or ():
            if not field.for_version_q(self.version):
                continue
            tagged = field.tagged_field_q(self.version)
            if tagged and not self.full:
                continue
            name = field._json["name"]
            if name == "authorized_operations":  # kafka-python's name for two fields
                name = "TopicAuthorizedOperations" if self.depth else "ClusterAuthorizedOperations"
            value[field.name], shown[name] = self.field(field)
        return value, shown

    def field(self, field):
        self.count += 1
        kind = field._json["type"]
        nullable = field.nullable_for_version_q(self.version)
        if kind.startswith("[]"):
            return self.array(field, kind[2:], nullable)
        if field._fields:
            return self.struct(field._fields)
        if nullable and (not self.full or (field.tag is None and self.count % 3 == 0)):
            return None, None
        return self.scalar(kind, field._json["name"])

    def array(self, field, kind, nullable):
        if not self.full:
            return (None, None) if nullable else ([], [])
        if field._fields:
            self.depth += 1
            pairs = [self.struct(field._fields) for _ in range(2)]
            self.depth -= 1
        else:
            pairs = [self.scalar(kind, "") for _ in range(2)]
        return [p[0] for p in pairs], [p[1] for p in pairs]

    def scalar(self, kind, name):
        self.count += 1
        if kind == "string":
            text = f"té-{self.count}" if self.full else ""
            return text, text
        if kind == "bool":
            return self.full, self.full
        if kind == "bitfield":  # kafka-python's name for the int32 of allowed operations
            return ({3, 8}, 0x108) if self.full else (None, -(1 << 31))
        if kind == "uuid":
            number = bytes((self.count + i) & 255 for i in range(16)) if self.full else bytes(16)
            text = number.hex()
            dashed = "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])
            import uuid
            return uuid.UUID(bytes=number), dashed
        if kind == "records":
            data = bytes(range(self.count, self.count + 7)) if self.full else b""
            return data, {"base64": base64.b64encode(data).decode()}
        if "ErrorCode" in name:
            number = self.count % 120 if self.full else 0
        else:
            number = (-1) ** self.count * (self.count << (BITS[kind] - 8)) if self.full else 0
        limit = 1 << (BITS[kind] - 1)
        number = (number + limit) % (2 * limit) - limit
        return number, number


def classes():
    found = {}
    for module in pkgutil.walk_packages(kafka.protocol.__path__, "kafka.protocol."):
        if ".old" not in module.name and "generate" not in module.name:
            importlib.import_module(module.name)
    todo = [ApiMessage]
    while todo:
        for cls in todo.pop().__subclasses__():
            todo.append(cls)
            if getattr(cls, "_json", None):
                found.setdefault(cls._json["name"], cls)
    return found


def main():
    known = classes()
    out = open(sys.argv[1] if len(sys.argv) > 1 else "schema-frames.jsonl", "w")
    for api, (first, last) in RANGES.items():
        for version in range(first, last + 1):
            for kind in ("request", "response"):
                cls = known[api + kind.capitalize()]
                flexible = cls.flexible_version_q(version)
                for filling in ("full", "least"):
                    value, shown = Filler(filling == "full", version).struct(cls._struct._fields)
                    body = cls._struct.encode(
                        value, version=version, compact=flexible, tagged=flexible)
                    if kind == "request":
                        header = RequestHeader(
                            request_api_key=cls.API_KEY, request_api_version=version,
                            correlation_id=version + 77, client_id="schema")
                        head = header.encode(flexible=flexible)
                    else:
                        header = ResponseHeader(correlation_id=version + 77)
                        head = header.encode(flexible=flexible and api != "ApiVersions")
                    line = {
                        "api": api, "apiKey": cls.API_KEY, "version": version, "kind": kind,
                        "filling": filling, "correlationId": version + 77,
                        "clientId": "schema" if kind == "request" else None,
                        "frame": base64.b64encode(head + body).decode(), "body": shown,
                    }
                    out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
