"""camera.py - a camera pipeline: frames go by shared memory, without a copy.

    python3 camera.py capture 100     # writes frames into the latest value "Camera"
    python3 camera.py watch           # and in other terminals: the brightness of the newest

The camera never waits for those that watch, and they always see the newest whole frame: it
is pinned while they work on it.
"""
import sys
from typing import cast

import numpy

import mmf

HEIGHT, WIDTH = 480, 640


def capture(frames: int) -> None:
    camera = mmf.Latest("Camera", HEIGHT * WIDTH, role=mmf.Role.SEND)
    print("Capturing.", flush=True)
    for number in range(1, frames + 1):
        slot = cast(mmf.Slot, camera.reserve())
        with slot, slot.data as memory:
            frame = numpy.frombuffer(memory, dtype=numpy.uint8).reshape(HEIGHT, WIDTH)
            frame[:] = number % 256  # what a camera's driver writes in place
            del frame  # a slot is sent when no array is left on it
    print(f"Captured {frames} frames.", flush=True)
    sys.stdin.readline()


def watch() -> None:
    camera = mmf.Latest.open_existing("Camera", role=mmf.Role.RECEIVE, peer_closed=True,
                                      wait=10)
    seen = 0
    try:
        while camera.wait():
            message = cast(mmf.Message, camera.take())
            with message, message.data as memory:
                seen += 1
                frame = numpy.frombuffer(memory, dtype=numpy.uint8).reshape(HEIGHT, WIDTH)
                print(f"Frame {message.sequence}: brightness {frame.mean():.0f}, "
                      f"{'whole' if frame.min() == frame.max() else 'torn'}", flush=True)
                del frame  # a message is released when no array is left on it
    except mmf.PeerClosedError:
        print(f"The camera has closed; {'some' if seen else 'no'} frames seen.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["capture"]:
        capture(int(sys.argv[2]))
    else:
        watch()
