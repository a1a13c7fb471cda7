"""actor.py - an actor for the files of tests/scenarios, in Python; docs/internals/
conformance.md describes the lines that it hears and says. It has what the package has:
mutexes, events, semaphores, maps and waits; an accessor of a whole map is its buffer.
"""
import os
import queue
import re
import struct
import sys
import threading
import time

import mmf
from mmf import _mmf

import actor_channels

TYPES = {"map": mmf.Map, "mutex": mmf.Mutex, "event": mmf.Event, "semaphore": mmf.Semaphore}
CREATE_NEW, CREATE_OR_OPEN, OPEN_EXISTING = range(3)
ACCESSES = ["read_write", "read", "write", "copy_on_write", "read_execute",
            "read_write_execute"]
FORMATS = {"byte": "B", "int32": "<i", "int64": "<q"}
OPTIONS = {"access", "exact_capacity", "all_users", "this_user_only", "mode", "wait_ms"}
objects, threads = {}, {}


def decode(word):
    if word == "NULL":
        return None
    if word == "''":
        return ""
    return re.sub("%(..)", lambda m: chr(int(m.group(1), 16)), word).encode(
        "latin-1").decode("utf-8", "surrogateescape")


def encode(text):
    return "".join(c if c.isprintable() and c.isascii() and c not in " %'" else
                   "".join(f"%{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
                   for c in text) or "''"


Cannot = actor_channels.Cannot


def access_of(word):
    return ACCESSES.index(word) if word in ACCESSES else int(word)


def seconds(ms):
    return None if ms == "-1" else int(ms) / 1000


def seconds_from_minus_1(ms):
    """A call of a channel with less does not wait."""
    if int(ms) < -1:
        raise Cannot
    return seconds(ms)


def make(how, kind, name, *rest):
    """By the types of the extension module: a scenario may ask for what has no name here."""
    words = [word for word in rest if "=" not in word]
    options = dict(word.split("=") for word in rest if "=" in word)
    if options.get("access") == "write":
        raise Cannot
    number = {key: int(value, 8 if key == "mode" else 10) for key, value in options.items()
              if key != "access"}
    shared = (number.get("all_users", 0), number.get("this_user_only", 0),
              number.get("mode", 0), number.get("wait_ms", 0))
    if kind == "map":
        access = options.get("access", "read_write")
        try:
            made = mmf.Map._open(how, name, int(words[0]) if words else 0, None, 0,
                                 access_of(access), shared[0], shared[2],
                                 number.get("exact_capacity", 0), shared[3])
            made.access = access
        except mmf.Error as why:
            if "did not grant access" in str(why):  # to its view, which it has at once
                raise Cannot from None
            raise
    elif kind == "event" and how != OPEN_EXISTING:
        mode = {"auto": 0, "manual": 1}.get(words[0], None)
        made = mmf.Event._open(how, name, int(words[1]),
                               int(words[0]) if mode is None else mode, *shared)
    else:
        made = TYPES[kind]._open(how, name, *[int(word) for word in words],
                                 *[0] * (2 - len(words)), *shared)
    outputs = {"out": "made"}
    if how == CREATE_OR_OPEN:
        outputs["created"] = str(int(made.created))
    return made, outputs


def waited(answer, one):
    if not answer:
        return "MMF_TIMED_OUT"
    abandoned = isinstance(one, mmf.Mutex) and one.abandoned
    return "MMF_ABANDONED" if abandoned else "MMF_OK"


def wait(one, ms):
    return waited((one.wait if isinstance(one, mmf.Event) else one.acquire)(seconds(ms)), one)


def wait_any(*words):
    several = [objects.get(word) for word in words[:-1]]
    index = mmf.wait_any(several, seconds(words[-1]))
    if index is None:
        return "MMF_TIMED_OUT", {}
    return waited(True, several[index]), {"index": str(index)}


def wait_all(*words):
    several = [objects.get(word) for word in words[:-1]]
    if not mmf.wait_all(several, seconds(words[-1])):
        return "MMF_TIMED_OUT"
    mutexes = [one for one in several if isinstance(one, mmf.Mutex)]
    return waited(True, mutexes[0] if mutexes else None)


def release(one, count=None):
    if isinstance(one, mmf.Semaphore):
        return "MMF_OK", {"previous": str(one.release(int(count or 1)))}
    one.release()
    return "MMF_OK"


def signal(one):
    (one.set if isinstance(one, mmf.Event) else one.release)()
    return "MMF_OK"


def view(one, offset, size, access):
    """A memoryview that keeps the map's memory, as an accessor does."""
    memory = memoryview(one)
    if (offset, size) != ("0", "0") or access not in ("read", one.access) \
            or access == "copy_on_write":  # the map has one copy for all of its buffers
        raise Cannot
    return "MMF_OK", {"out": "made"}, memory.toreadonly() if access == "read" else memory


def read_or_write(memory, kind, position, *value):
    if kind not in FORMATS:
        raise Cannot
    if value:
        struct.pack_into(FORMATS[kind], memory, int(position), int(*value))
        return "MMF_OK"
    return "MMF_OK", {"value": str(*struct.unpack_from(FORMATS[kind], memory, int(position)))}


def call_channel(verb, words, handle):
    one = objects[words[0]]
    rest = [word if "=" in word else decode(word) for word in words[1:]]
    status, outputs = actor_channels.call(verb, words[0], one, handle, rest,
                                          seconds_from_minus_1)
    return status, {key: encode(str(value)) if value != "?" else "?"
                    for key, value in outputs.items()}


def use_bytes(verb, memory, *numbers):
    with memory:
        if verb == "put":
            memory[numbers[0]] = numbers[1]
        elif verb == "fill":
            memory[:] = bytes(numbers) * len(memory)
        elif verb == "get":
            return "MMF_OK", {"value": str(memory[numbers[0]])}
        else:
            values = set(memory)
            return "MMF_OK", {"value": str(*values) if len(values) == 1 else "mixed"}
    return "MMF_OK"


def call(verb, words, handle):
    """The status, or it and the outputs, or also the new handle."""
    one = objects.get(words[0]) if words else None
    if isinstance(one, tuple(actor_channels.KINDS.values())):
        if verb == "wait_one":
            verb = "wait_any"
        if verb not in ("close", "wait_any", "wait_all", "signal_and_wait"):
            return call_channel(verb, words, handle)
    elif not {verb, *words[:1]} & set(actor_channels.KINDS) and \
            any("=" in word and word.split("=")[0] not in OPTIONS for word in words):
        raise Cannot  # null pointers, counts, structures of other versions, limits are C's
    if verb in ("wait", "wait_one"):
        return wait(one, words[1])
    if verb in ("set", "reset", "close"):
        if verb == "close":
            del objects[words[0]]
        (one.release if isinstance(one, memoryview) else getattr(one, verb))()
        return "MMF_OK"
    if verb == "accessor":
        return view(one, *words[1:])
    if verb in ("read", "write"):
        return read_or_write(one, *words[1:])
    if verb == "release":
        return release(one, *words[1:])
    if verb == "signal":
        return signal(one)
    if verb == "signal_and_wait":
        other = objects.get(words[1])
        return waited(mmf.signal_and_wait(one, other, seconds(words[2])), other)
    if verb in ("wait_any", "wait_all"):
        return (wait_any if verb == "wait_any" else wait_all)(*words)
    if verb in ("get", "put", "all", "fill"):
        return use_bytes(verb, memoryview(one), *map(int, words[1:]))
    if verb == "inherits":
        return "MMF_OK", {"value": "?"}
    if verb == "views":  # there is only the one of the map's access
        return "MMF_OK", {"ok": "?", "access": "?", "io": "?"}
    if verb == "capacity":
        return "MMF_OK", {"value": str(len(one))}
    if verb == "gc":
        mmf.gc()
        return "MMF_OK", dict.fromkeys(("removed", "refused", "in_use", "invalid", "released"), "?")
    how = {"new": CREATE_NEW, "open": OPEN_EXISTING}.get(verb, CREATE_OR_OPEN)
    if how == CREATE_OR_OPEN:
        words = [verb, *words]
    kind, name, *rest = words
    if kind in actor_channels.KINDS:
        made, outputs = actor_channels.make(how, kind, decode(name), *rest)
        return "MMF_OK", outputs, made
    if kind not in TYPES:
        raise Cannot
    made, outputs = make(how, kind, decode(name), *rest)
    return "MMF_OK", outputs, made


def answer(thread, words):
    handle = None
    if words[1:2] == ["="]:
        handle, words = words[0], words[2:]
    try:
        said = call(words[0], words[1:], handle)
        status, outputs, made = (said, {}, None) if isinstance(said, str) else \
            (*said, None)[:3]
        if made is not None:
            objects[handle] = made
    except mmf.Error as why:
        status = why.status
        outputs = {"param": encode(why.parameter), "says": encode(str(why))}
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError, struct.error, Cannot):
        return say(f"{thread} cannot")
    return say(" ".join([thread, status, *(f"{key}={value}" for key, value in outputs.items())]))


def say(line):
    os.write(1, line.encode() + b"\n")


def work(name, jobs):
    while (words := jobs.get()) != ["end"]:
        if words[0] == "begin":
            say(f"{name} begun tid={threading.get_native_id()}")
            words = words[1:]
        answer(name, words)


def end(name, thread):
    """Python's join comes back before the system's thread, and what it has, is gone."""
    thread.join()
    while os.path.exists(f"/proc/self/task/{thread.native_id}"):
        time.sleep(0.001)
    say(f"{name} MMF_OK")


threading.excepthook = lambda raised: (sys.__excepthook__(*raised[:3]), os._exit(1))
say("ready files")
for line in sys.stdin:
    name, *words = line.split()
    if name not in threads:
        jobs = queue.SimpleQueue()
        threads[name] = threading.Thread(target=work, args=(name, jobs), daemon=True), jobs
        threads[name][0].start()
    thread, jobs = threads[name]
    jobs.put(words)
    if words == ["end"]:
        del threads[name]
        end(name, thread)
os._exit(0)
