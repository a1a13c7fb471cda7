#!/usr/bin/env python3
"""make_corpus.py DIRECTORY [rings] - the fuzz targets' first inputs: sound pages of each
kind, or channels.

The two bytes at the end choose the data's size in units of 64 KiB (page_fuzz.c); in a
sound page they belong to its unused rest.
"""
import struct
import sys
from pathlib import Path

MAGIC = b"mmf\x1a\r\n\xff\x01"


def page(kind, capacity, name, flags=0, protection=0, scope=0, units=1):
    head = struct.pack("<8sIIIIqIIqII16sIIQ", MAGIC, 2, kind, 0, 0, capacity, protection,
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



def ring(kind, overflow, slots, size, words, tail, cursor=1):
    """A channel's memory as ring_fuzz.c takes it: choices, slots, words, header, tables."""
    strides = (64, 64, 128, 384)
    head = bytes([kind + 4 * (overflow - 1), slots.bit_length() - 1 + 8 * size, 1, 1, cursor,
                  7, tail, 2])
    packed = b"".join(bytes([index & 0xFF, who, state, 8, 0, 0, 0, 0])
                      for index, who, state in words)
    shared = struct.pack("<Q", tail).ljust(640, b"\0")
    # Source 2 is that of a dead sender, which had decided to commit index 2.
    source = struct.pack("<7Q", 2, 9 << 20, 1, 0, 0, 5, 2 << 16 | 1 << 5 | 1).ljust(1024, b"\0")
    entry = struct.pack("<QQQ", 9 << 20, 0, 1).ljust(128, b"\0")
    return head + bytes(slots * strides[size]) + packed + shared + source + entry * 6


RINGS = {
    "queue": ring(0, 1, 4, 0, [(4, 1, 2), (1, 4, 3), (2, 1, 1), (3, 4, 4)], 5),
    "queue_dropping": ring(0, 3, 2, 1, [(4, 1, 2), (3, 5, 5)], 5),
    "single": ring(1, 1, 4, 2, [(4, 0, 2), (1, 0, 2), (2, 0, 2), (3, 0, 2)], 5),
    "topic": ring(2, 1, 4, 3, [(4, 1, 2), (5, 1, 2), (2, 1, 1), (3, 1, 0)], 6, 2),
    "topic_dropping": ring(2, 3, 8, 0, [(8, 1, 2), (1, 1, 1)] + [(9 + i, 1, 2) for i in range(6)], 16),
    "latest": ring(3, 3, 8, 1, [(8, 1, 2), (9, 1, 1), (2, 0, 0), (3, 1, 2)], 10),
    "empty": ring(2, 3, 1, 0, [], 1),
    "far": bytes([2, 2, 1, 0, 0, 0, 0, 0]) + bytes(4 * 64) + struct.pack("<Q", 1 << 46),
}

directory = Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
for name, content in (RINGS if sys.argv[2:] == ["rings"] else CORPUS).items():
    (directory / name).write_bytes(content)
