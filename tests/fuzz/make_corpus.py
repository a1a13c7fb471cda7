#!/usr/bin/env python3
"""make_corpus.py DIRECTORY - the fuzz targets' first inputs: sound pages of each kind.

The two bytes at the end choose the data's size in units of 64 KiB (page_fuzz.c); in a
sound page they belong to its unused rest.
"""
import struct
import sys
from pathlib import Path

MAGIC = b"mmf\x1a\r\n\xff\x01"


def page(kind, capacity, name, flags=0, protection=0, scope=0, units=1):
    head = struct.pack("<8sIIIIqIIqII16sIIQ", MAGIC, 1, kind, 0, 0, capacity, protection,
                       flags, 1700000000000000000, 1000, 4711, b"writer", scope, len(name), 1)
    assert len(head) == 88
    body = head.ljust(576, b"\0") + name
    return body.ljust(4094, b"\0") + struct.pack(">H", units)


def reference(path):
    return struct.pack("<QQqII", 42, 4711, 1700000000, 5, len(path)) + path + b"\0"


CORPUS = {
    "map": page(1, 10000, b"Cat"),
    "map_global": page(1, 1, b"Global cat", scope=1),
    "map_of_file": page(1, 10000, b"File", flags=1),
    "map_long_name": page(1, 65536, b"x" * 3500),
    "mutex": page(2, 0, b"Mutex", units=0),
    "event": page(3, 0, b"Event", units=0),
    "semaphore": page(4, 0, b"Semaphore", units=0),
    "reference": reference(b"/home/alice/data.bin"),
    "zeros": bytes(4096),
}

directory = Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
for name, content in CORPUS.items():
    (directory / name).write_bytes(content)
