"""process_b.py - open the map "Cat" and print the message that process_a wrote."""
import sys

import mmf

try:
    with mmf.Map.open_existing("Cat", access=mmf.Access.READ) as cat:
        message = bytes(cat.buf).partition(b"\0")[0]
        print("Message read from shared memory:", message.decode())
except mmf.Error as why:
    sys.exit(f"process_b: {why}")
