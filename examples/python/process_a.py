"""process_a.py - create the map "Cat" and write a message into it."""
import sys

import mmf

try:
    with mmf.Map.create_new("Cat", 10000) as cat:
        message = b"HI Night Mo."
        cat.buf[:len(message)] = message
        print("Message written to shared memory!", flush=True)
        sys.stdin.readline()
except mmf.Error as why:
    sys.exit(f"process_a: {why}")
