"""links_test.py - what goes across, nobody killed."""
from support import *


def sections(server, origin, channels):
    return "[bridge]\norigin = %s\n[server]\nserver = %s\n%s\n" % (origin, server.url, channels)


def report(world, account, count):
    path = os.path.join(world.directory, account)
    done = subprocess.run([PEER, "report", path, str(count)], check=True, text=True,
                          capture_output=True, timeout=DEADLINE)
    return json.loads(done.stdout)


def wait_for_all(world, account, count, deadline=DEADLINE):
    wait_until(lambda: report(world, account, count)["missing"] == 0, "the last message",
               deadline)
    return report(world, account, count)


CLEAN = {"missing": 0, "twice": 0, "disordered": 0, "damaged": 0, "redelivered": 0}


def test_a_queue_goes_across(world):
    server = Server(world, "one").start()
    count = 20000
    world.peer("a", "hold", "queue", "Jobs", 4096, 256)
    world.peer("b", "hold", "queue", "Jobs", 4096, 256)
    world.bridge("a", sections(server, "a", "[queue Jobs]\ndirection = out"))
    world.bridge("b", sections(server, "b", "[queue Jobs]\ndirection = in"))
    world.peer("b", "take", "Jobs", count, os.path.join(world.directory, "account"))
    world.peer("a", "send", "Jobs", count, 64)
    assert wait_for_all(world, "account", count) == CLEAN


if __name__ == "__main__":
    main("bridge_links", globals())
