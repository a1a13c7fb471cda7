"""sync_test.py - lock, signal, wait: for shell scripts."""
import os
import signal
import subprocess
import time

from support import *


def test_an_event_wakes_one_for_each_set():
    create("Door", "--kind", "event")
    fails(TIMED_OUT, "timed out", "wait", "Door", "--timeout", "50ms")
    waiter = start("wait", "Door")
    mmf("signal", "Door")
    finish(waiter)
    assert mmf("wait", "Door", "-t", "0", "--quiet", status=TIMED_OUT).err == ""
    mmf("signal", "Door")
    mmf("signal", "Door", "--reset")
    mmf("wait", "Door", "-q", "-t", "0", status=TIMED_OUT)


def test_a_manual_event_wakes_all():
    create("Door", "--kind", "event", "--manual")
    waiters = [start("wait", "Door", "-t", "30s") for _ in range(3)]
    mmf("signal", "Door")
    for waiter in waiters:
        finish(waiter)
    mmf("wait", "Door", "-t", "0")


def test_a_semaphore_counts():
    create("Slots", "--kind", "semaphore", "--maximum", "3")
    mmf("signal", "Slots", "--count", "2")
    assert ls()[0]["count"] == 2
    mmf("wait", "Slots", "-t", "0")
    mmf("wait", "Slots", "-t", "0")
    mmf("wait", "Slots", "-q", "-t", "0", status=TIMED_OUT)
    fails(FAILED, "", "signal", "Slots", "-c", "4")
    assert ls()[0]["count"] == 0


def test_of_several_the_first_is_named():
    create("Door", "--kind", "event")
    create("Slots", "--kind", "semaphore", "--initial", "1")
    create("Gate", "--kind", "mutex")
    assert mmf("wait", "Door", "Slots", "-t", "0").out == "Slots\n"
    assert mmf("wait", "Door", "Gate", "-t", "0").out == "Gate\n"
    assert not ls()[1]["owned"]
    mmf("signal", "Slots")
    mmf("wait", "--all", "Door", "Slots", "-q", "-t", "50ms", status=TIMED_OUT)
    assert ls()[2]["count"] == 1
    waiter = start("wait", "--all", "Door", "Slots", "Gate")
    mmf("signal", "Door")
    assert finish(waiter).out == ""
    assert ls()[2]["count"] == 0 and not ls()[1]["owned"]


def test_a_name_is_waited_for():
    create("Cat", "8")
    mmf("wait", "--exists", "Cat", "-t", "0")
    fails(TIMED_OUT, "timed out: there is no \"Dog\"", "wait", "-e", "Cat", "Dog", "-t", "50ms")
    assert mmf("wait", "-e", "Dog", "-t", "0", "-q", status=TIMED_OUT).err == ""
    fails(USAGE, "give no --all with it", "wait", "-e", "-a", "Cat")
    waiter = start("wait", "--exists", "Dog", "Gate", "Jobs")
    create("Gate", "--kind", "mutex")
    create("Jobs", "--kind", "queue")
    assert waiter.poll() is None
    create("Dog", "8")
    finish(waiter)


@not_on_windows("there are no such signals")
def test_a_wait_for_a_name_ends_with_ctrl_c():
    waiter = start("wait", "--exists", "Dog")
    wait_until(lambda: b"wait" in open("/proc/%d/cmdline" % waiter.pid, "rb").read())
    waiter.send_signal(signal.SIGINT)
    waiter.communicate(timeout=DEADLINE)
    assert waiter.returncode == -signal.SIGINT, waiter.returncode


def test_what_cannot_be_signalled():
    create("Cat", "8")
    create("Gate", "--kind", "mutex")
    create("Door", "--kind", "event")
    create("Slots", "--kind", "semaphore")
    fails(WRONG_KIND, "which only its owner can release", "signal", "Gate")
    fails(WRONG_KIND, "is neither a mutex nor an event nor a semaphore", "signal", "Cat")
    fails(WRONG_KIND, "is neither a mutex nor an event nor a semaphore", "wait", "Cat")
    fails(USAGE, "--count is for semaphores", "signal", "Door", "--count", "2")
    fails(USAGE, "--reset is for events", "signal", "Slots", "--reset")
    fails(USAGE, "use a number from 1", "signal", "Slots", "--count", "0")
    fails(USAGE, "", "wait", "--all", "Door", "Door", "-t", "0")


@not_on_windows("there is another shell: windows_test.py")
def test_lock_runs_one_at_a_time():
    create("Cat", "8")
    script = ("n=$('%s' peek Cat); '%s' poke Cat $((n + 1))" % (MMF, MMF))
    runners = [start("lock", "Gate", "--", "sh", "-c",
                     "for i in 1 2 3 4 5; do %s; done" % script) for _ in range(4)]
    for runner in runners:
        finish(runner)
    assert mmf("peek", "Cat").out == "20\n"
    assert names() == ["Cat"]


@not_on_windows("there is another shell: windows_test.py")
def test_lock_passes_the_status_on():
    mmf("lock", "Gate", "--", "sh", "-c", "exit 9", status=9)
    fails(127, "cannot run \"/no/such\": No such file", "lock", "Gate", "--", "/no/such")
    fails(126, "cannot run \"/dev\"", "lock", "Gate", "--", "/dev")
    result = mmf("lock", "Gate", "--", "sh", "-c", "kill -9 $$", status=128 + 9)
    assert "was killed by signal 9" in result.err, result
    assert ls("--orphaned") == []
    fails(NO_OBJECT, "Gate", "lock", "Gate", "--existing", "--", "true")
    create("Gate", "--kind", "mutex")
    owner = start("lock", "Gate", "cat")
    wait_until(lambda: ls()[0]["owned"])
    fails(99, "timed out: \"Gate\" is still owned", "lock", "-t", "0", "-E", "99", "Gate", "true")
    fails(0, "timed out", "lock", "-t", "0", "--timeout-status", "0", "Gate", "true")
    fails(USAGE, "use a number from 0 to 255", "lock", "-E", "256", "Gate", "true")
    owner.kill()
    owner.wait()


@not_on_windows("there is another shell: windows_test.py")
def test_lock_says_when_it_was_abandoned():
    create("Gate", "--kind", "mutex")
    script = 'echo "abandoned: ${MMF_LOCK_ABANDONED:-no}"'
    assert mmf("lock", "Gate", "--", "sh", "-c", script).out == "abandoned: no\n"
    mmf("lock", "Gate", "--", "sh", "-c", "kill -9 $$", status=128 + 9)
    result = mmf("lock", "Gate", "--", "sh", "-c", script)
    assert result.out == "abandoned: 1\n" and "was abandoned" in result.err, result
    assert mmf("lock", "Gate", "--", "sh", "-c", script).out == "abandoned: no\n"


def owner_of(name):
    return [entry for entry in ls("--orphaned") if entry["name"] == name][0]["owner_pid"]


@not_on_windows("there is another shell: windows_test.py")
def test_a_killed_locker_is_noticed_and_its_command_ended():
    create("Gate", "--kind", "mutex")
    locker = start("lock", "Gate", "--", "sh", "-c",
                   "trap 'echo ended; exit' TERM; echo ready; while :; do sleep 0.05; done")
    assert locker.stdout.readline() == b"ready\n"
    assert owner_of("Gate") == locker.pid
    assert "owned by %d (mmf)" % locker.pid in mmf("ls").out
    fails(TIMED_OUT, "is still owned", "lock", "Gate", "-t", "50ms", "--",
          "true")
    waiter = start("wait", "Gate")
    locker.kill()
    assert locker.stdout.read() == b"ended\n"
    assert "was abandoned" in finish(waiter).err


@not_on_windows("there are no such signals")
def test_ctrl_c_leaves_nothing_behind():
    for arguments in (["wait", "Door"], ["lock", "Gate", "--", "true"]):
        door = create("Door", "--kind", "event")
        holder = start("lock", "Gate", "--", "sh", "-c", "echo ready; cat")
        assert holder.stdout.readline() == b"ready\n"
        waiter = start(*arguments)
        wait_until(lambda: any(holder["pid"] == waiter.pid for entry in ls()
                               for holder in entry["holders"]))
        waiter.send_signal(signal.SIGINT)
        waiter.communicate(timeout=DEADLINE)
        assert waiter.returncode == -signal.SIGINT, waiter.returncode
        kill(held.pop(), signal.SIGTERM)
        finish(holder)
        assert ls("--orphaned") == []


@not_on_windows("there are no such signals")
def test_signals_to_lock_reach_the_command():
    locker = start("lock", "Gate", "--", "sh", "-c",
                   "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    assert locker.stdout.readline() == b"ready\n"
    locker.send_signal(signal.SIGTERM)
    finish(locker, 5)
    assert ls("--orphaned") == []


main("tool_sync", globals())
