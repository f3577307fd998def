#!/usr/bin/env python3
"""Makes corpus/request from Tests/Fixtures/frames: a request of every API and version.

    Fuzz/make-request-corpus.py

Seeds are requests without their size: one of each version from the schema set, and those that real
clients sent. Inputs that a fuzzer found (`crash-…`) stay.
"""

import base64
import json
import pathlib

root = pathlib.Path(__file__).resolve().parent.parent
frames = root / "Tests/Fixtures/frames"
corpus = root / "Fuzz/corpus/request"
corpus.mkdir(parents=True, exist_ok=True)
count = 0
for line in (frames / "schema-frames.jsonl").read_text().splitlines():
    entry = json.loads(line)
    if entry["kind"] == "request":
        count += 1
        name = f"{entry['api']}-v{entry['version']}-schema-{count:03}"
        (corpus / name).write_bytes(base64.b64decode(entry["frame"]))
for path in sorted(frames.glob("*.req.bin")):
    content = path.read_bytes()
    if len(content) <= 4096:
        count += 1
        (corpus / path.name.removesuffix(".req.bin")).write_bytes(content)
print(f"{count} seeds in {corpus}")
