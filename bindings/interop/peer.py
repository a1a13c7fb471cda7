"""peer.py - peer.c in Python."""
import os
import struct
import sys

import mmf

objects, kept = {}, []


def create(kind, name, *rest):
    if kind == "mutex":
        made = mmf.Mutex(name, owned=rest[0] == "owned")
    elif kind == "event":
        made = mmf.Event(name, manual_reset=rest[0] == "manual")
    elif kind == "semaphore":
        made = mmf.Semaphore(name, *map(int, rest))
    elif kind == "latest":
        made = mmf.Latest(name, 64)
    elif kind == "service":
        made = mmf.Service(name, 64, 64, 8)
    else:
        overflow = mmf.Overflow.BLOCK if kind == "queue" else mmf.Overflow.DROP_OLDEST
        made = {"queue": mmf.Queue, "topic": mmf.Topic}[kind](name, 64, 8, overflow)
    objects[kind] = made
    return "created" if made.created else "opened"


def wait(kind, ms):
    one = objects[kind]
    if not (one.wait if kind == "event" else one.acquire)(int(ms) / 1000):
        return "timed-out"
    return "abandoned" if kind == "mutex" and one.abandoned else "ok"


def release(kind):
    (objects[kind].set if kind == "event" else objects[kind].release)()
    return "ok"


def receive(kind, ms):
    one, seconds = objects[kind], int(ms) / 1000
    if kind == "latest":
        data = one.receive() if one.wait(0, seconds) else None
    else:
        data = one.receive(seconds)
    if data is None:
        return "timed-out"
    return f"{'again' if one.redelivered else 'ok'} {data.decode()}"


def take(kind, ms):
    message = objects[kind].take(int(ms) / 1000)
    if message is None:
        return "timed-out"
    kept.append(message)
    return f"{'again' if message.redelivered else 'ok'} {bytes(message).decode()}"


def answer(ms):
    got = objects["service"].take_answer(timeout=int(ms) / 1000)
    if got is None:
        return "timed-out"
    with got:
        return f"{'last' if got.last else 'more'} {bytes(got).decode()}"


def serve(ms):
    request = objects["service"].take(int(ms) / 1000)
    if request is None:
        return "timed-out"
    told, text = "again" if request.redelivered else "ok", bytes(request)
    for at in range(len(text)):
        try:
            request.answer(text[at:at + 1], more=at + 1 < len(text))
        except mmf.PeerClosedError:
            pass
    return f"{told} {text.decode()}"


def do_command(command, *words):
    if command in ("map-new", "map-open"):
        objects["map"] = (mmf.Map.create_new(words[0], int(words[1]))
                          if command == "map-new" else mmf.Map.open_existing(words[0]))
    elif command == "write":
        struct.pack_into("=i", objects["map"], int(words[0]), int(words[1]))
    elif command == "read":
        return f"ok {struct.unpack_from('=i', objects['map'], int(words[0]))[0]}"
    elif command == "map-close":
        objects.pop("map").close()
    elif command == "send":
        objects[words[0]].send(words[1].encode())
    elif command == "ask":
        objects["service"].send(words[0].encode())
    elif command == "gc":
        mmf.gc()
    elif command == "close":
        objects.pop(words[0]).close()
    else:
        return {"wait": wait, "release": release, "receive": receive, "take": take,
                "answer": answer, "serve": serve,
                "hold": lambda ms: take("service", ms)}.get(
            command, lambda *rest: create(command, *rest))(*words)
    return "ok"


print("ready", flush=True)
for line in sys.stdin:
    try:
        print(do_command(*line.split()), flush=True)
    except mmf.Error as why:
        print("failed", why.status, flush=True)
os._exit(0)  # what was taken is not released
