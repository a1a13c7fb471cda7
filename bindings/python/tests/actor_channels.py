"""actor_channels.py - what actor.py can do with queues, topics, latest values and services."""
import itertools

import mmf

KINDS = {"queue": mmf.Queue, "topic": mmf.Topic, "latest": mmf.Latest, "service": mmf.Service}
NUMBERS = {"send": 1, "receive": 2, "both": 3, "client": 1, "server": 2, "spin_then_wait": 0,
           "spin": 1, "wait": 2, "block": 1, "fail": 2, "drop_oldest": 3}
# In the order that the extension module has.
CHANNEL = ["max_senders", "max_receivers", "replay", "max_pins"]
SERVICE = ["max_clients", "max_servers", "max_calls", "max_answers"]
NOT_HERE = {"null", "size", "more", "reserved", "again"}
slots, messages, unnamed = {}, {}, itertools.count()


class Cannot(Exception):
    """The call is not one that Python has."""


def split(rest):
    """The words, and the options as numbers."""
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    if NOT_HERE & set(options) or options.pop("wraps", "0") != "0":
        raise Cannot
    return [word for word in rest if "=" not in word], {
        key: NUMBERS[value] if value in NUMBERS else
        int(value, 8 if key == "mode" else 0) for key, value in options.items()}


def make(how, kind, name, *rest):
    words, options = split(rest)
    get = lambda key: options.get(key, 0)
    flags = get("flags") | get("spsc") | get("peer_closed") * 2 | get("single") * 4
    words = [] if how == 2 else words[:1] if kind == "latest" else words[:3]
    sizes = [NUMBERS[word] if word in NUMBERS else int(word) for word in words]
    if any(size < 0 for size in sizes):  # that says no parameter
        raise Cannot
    shape = {"latest": 1}.get(kind, 3)
    made = KINDS[kind]._open(
        how, name, *sizes, *[0] * (shape - len(sizes)), get("role"), get("strategy"), flags,
        *map(get, SERVICE if kind == "service" else CHANNEL), get("all_users"), get("mode"),
        get("wait_ms"))
    outputs = {"out": "made"}
    if how == 1:
        outputs["created"] = str(int(made.created))
    return made, outputs


def filled(text, most):
    return f"{text[0]}*{len(text)}" if len(text) > most and len(set(text)) == 1 else text


def content(data):
    text = bytes(data).decode("latin-1")
    return {"bytes": filled(text, 64), "filled": filled(text, 0), "length": len(text),
            "sequence": "?", "lost": "?", "deliveries": "?", "redelivered": "?", "last": "?",
            "sent_as": "?"}


def keep(handle, one):
    messages[handle or next(unnamed)] = one


def said(one, handle, what):
    """A message that was taken, or nothing in time."""
    if one is None:
        return "MMF_TIMED_OUT", {}
    keep(handle, one)
    outputs = content(one.data)
    for key in what:
        outputs[key] = int(getattr(one, key))
    return "MMF_OK", outputs


def payload(text, options):
    if "length" not in options:
        return text.encode("latin-1")
    length = options["length"]
    if not 0 <= length <= 1 << 20:
        raise Cannot
    return ((text or "x").encode("latin-1") * (length + 1))[:length]


def no_space(seconds_left):
    """Python does not say why; without an end of the time it was full."""
    if seconds_left is None:
        raise Cannot
    return "MMF_TIMED_OUT", {}


def sent(one, handle, words, options, seconds):
    data = payload(words[0], options)
    if isinstance(one, mmf.Service):
        call = one.send(data, seconds(words[1]))
        keep(handle, call)
        return ("MMF_TIMED_OUT", {}) if call is None else ("MMF_OK", {"sequence": call})
    is_sent = one.send(data) if isinstance(one, mmf.Latest) else one.send(data, seconds(words[1]))
    if not is_sent:
        return no_space(seconds(words[1]))
    keep(handle, one.sequence)
    return "MMF_OK", {"sequence": one.sequence}


def reserve(one, key, words, seconds):
    slot = one.reserve(int(words[0]), seconds(words[1]))
    if slot is None:
        return no_space(seconds(words[1]))
    slots[key] = slot
    return "MMF_OK", {}


def commit(key, handle, words, options, source=()):
    if key not in slots:
        raise Cannot
    slot, data = slots[key], payload(words[0], options)
    room = slot.data
    room[:min(len(data), len(room))] = data[:len(room)]
    room.release()
    number = slot.commit_from(*source, len(data)) if source else slot.commit(len(data))
    del slots[key]
    keep(handle, number)
    return "MMF_OK", {"sequence": number}


def received(one, handle, words, seconds):
    if int(words[0]) < one.message_size:  # a copy has the size that it needs
        raise Cannot
    is_latest = isinstance(one, mmf.Latest)
    got = one.receive() if is_latest else one.receive(seconds(words[1]))
    if got is None and not is_latest:
        return "MMF_TIMED_OUT", {}
    outputs = content(got or b"")
    for key in ("sequence", "lost", "deliveries", "redelivered"):
        outputs[key] = int(getattr(one, key)) if got is not None else 0
    if is_latest:
        keep(handle, outputs["sequence"])
    return "MMF_OK", outputs


def message(word, kind):
    if not isinstance(messages.get(word), kind):
        raise Cannot
    return messages[word]


def answered(verb, words, options, seconds):
    request = message(words[0], mmf._mmf.Request)
    if verb == "is_wanted":
        return "MMF_OK", {"value": int(request.wanted)}
    if verb == "return":
        request.return_()
        return "MMF_OK", {}
    if verb != "answer" or words[2] not in ("last", "more"):
        raise Cannot
    done = request.answer(payload(words[1], options), words[2] == "more", seconds(words[3]))
    return ("MMF_OK" if done else "MMF_TIMED_OUT"), {}


def release(one, key, words):
    is_queue = isinstance(one, mmf.Queue)
    name = words[0] if is_queue else "*" + key
    whole = message(name, mmf._mmf.Message).release()
    del messages[name]  # a second release is no error
    return "MMF_OK" if is_queue or whole else "MMF_OVERWRITTEN", {}


def take(one, key, handle, seconds, timeout):
    what = ("sequence", "deliveries", "redelivered")
    if not isinstance(one, mmf.Service):
        what += ("lost",)
    taken = one.take(seconds(timeout))
    if taken is not None and not isinstance(one, (mmf.Queue, mmf.Service)):
        messages["*" + key] = taken
    return said(taken, handle, what)


def stat(one):
    numbers = {key: value for key, value in one.stat().items() if key != "identity"}
    for key in ("overflow", "flags", "pins", "max_pins", "max_calls", "max_answers",
                "answer_size"):
        numbers.setdefault(key, "?")
    return "MMF_OK", numbers


def call(verb, key, one, handle, rest, seconds):
    """The status and the outputs; `key` is the channel's name."""
    words, options = split(rest)
    if verb == "receive_many":
        several = [one.receive(seconds(words[1])) for _ in range(int(words[0]))]
        return "MMF_OK", {"bytes": ",".join(sorted(data.decode() for data in several))}
    if verb == "send":
        return sent(one, handle, words, options, seconds)
    if verb == "send_many":
        parts = [word.encode("latin-1") for word in words[:-1]]
        if len(parts) > 1 and max(map(len, parts)) > one.message_size:
            raise Cannot  # those before are sent
        count = one.send_many(parts, seconds(words[-1]))
        return no_space(seconds(words[-1])) if parts and count == 0 else ("MMF_OK", {"sent": count})
    if verb == "reserve":
        return reserve(one, key, words, seconds)
    if verb in ("commit", "commit_from"):
        return commit(key, handle, words, options, [int(word) for word in words[1:]])
    if verb == "abandon":
        if key not in slots:
            raise Cannot
        slots.pop(key).abandon()
        return "MMF_OK", {}
    if verb == "take":
        return take(one, key, handle, seconds, words[0])
    if verb == "receive":
        return received(one, handle, words, seconds)
    if verb == "release":
        return release(one, key, words)
    if verb == "return" and isinstance(one, mmf.Queue):
        message(words[0], mmf._mmf.Message).return_()
        del messages[words[0]]
        return "MMF_OK", {}
    if verb == "drain":
        return ("MMF_OK" if one.drain(seconds(words[0])) else "MMF_TIMED_OUT"), {}
    if verb == "applied":
        return "MMF_OK", {"position": one.applied(int(words[0]))}
    if verb == "wait_newer":
        version = 0 if words[0] == "0" else message(words[0], int)
        return ("MMF_OK" if one.wait(version, seconds(words[1])) else "MMF_TIMED_OUT"), {}
    if verb == "call":
        if int(words[1]) < one.answer_size:
            raise Cannot
        got = one.call(payload(words[0], options), seconds(words[2]))
        return ("MMF_TIMED_OUT", {}) if got is None else ("MMF_OK", content(got))
    if verb == "take_answer":
        number = 0 if words[0] == "0" else message(words[0], int)
        return said(one.take_answer(number, seconds(words[1])), handle,
                    ("sequence", "deliveries", "redelivered", "last"))
    if verb == "release_answer":
        message(words[0], mmf._mmf.Message).release()
        del messages[words[0]]
        return "MMF_OK", {}
    if verb == "cancel":
        one.cancel(message(words[0], int))
        return "MMF_OK", {}
    if verb == "stat":
        return stat(one)
    if isinstance(one, mmf.Service):
        return answered(verb, words, options, seconds)
    raise Cannot
