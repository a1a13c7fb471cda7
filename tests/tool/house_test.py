"""house_test.py - gc, run, doctor: orphaned objects, and what prevents names."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

from support import *


def findings(*arguments, status=DONE, **more):
    result = mmf("doctor", "--json", *arguments, status=status, **more)
    return json.loads(result.out)["findings"]


def find(check, *arguments, **more):
    return [one for one in findings(*arguments, **more) if one["check"] == check]


def test_gc_removes_orphaned_objects_and_nothing_else():
    create("Cat", "1MiB")
    kill(create("Dog", "2MiB"))
    kill(create("Global\\Cow", "4K"))
    out = mmf("gc", "--dry-run").out
    assert "Dog" in out and "2 orphaned to remove, 2M to free; 1 in use" in out, out
    done = json.loads(mmf("gc", "-n", "--json").out)
    assert done["removed"] == 2 and done["dry_run"] and done["in_use"] == 1
    assert [entry["name"] for entry in done["orphaned"]] == ["Dog", "Global\\Cow"]
    assert len(ls("--orphaned")) == 3
    out = mmf("gc").out
    assert "2 orphaned removed, 2M freed; 1 in use" in out, out
    assert len(ls("--orphaned")) == 1
    assert mmf("gc").out == "0 orphaned removed, 0 freed; 1 in use\n"


def test_gc_leaves_invalid_files_alone():
    create("Cat", "8")
    path = os.path.join(os.path.dirname(ls()[0]["path"]), "stone")
    with open(path, "w") as file:
        file.write("no object")
    assert "1 invalid, left alone" in mmf("gc").out
    os.unlink(path)


def root_entries():
    return [entry for entry in os.listdir(os.environ["MMF_DIR"]) if "run" in entry]


def test_run_has_a_private_namespace():
    create("Cat", "8")
    out = mmf("run", "sh", "-c",
              "'%s' create Cat 8 -b > /dev/null; '%s' write Cat inside; '%s' read Cat --string;"
              "'%s' ls -n; kill -9 $('%s' ls --json | grep -o '\"pid\": [0-9]*' | cut -d' ' -f2);"
              "while test -n \"$('%s' ls -n)\"; do sleep 0.01; done; exit 3" % ((MMF,) * 6),
              status=3).out
    assert out == "insideCat\n", out
    assert mmf("read", "Cat", raw=True).out == bytes(8)
    assert root_entries() == []


def test_run_passes_on_how_the_command_ends():
    mmf("run", "--", "true")
    mmf("run", "false", status=1)
    mmf("run", "sh", "-c", "kill -9 $$", status=128 + 9)
    fails(127, "cannot run \"/no/such\"", "run", "/no/such")
    assert mmf("run", "--", "sh", "-c", "echo \"$@\"", "x", "--json", "-h").out == "--json -h\n"
    runner = start("run", "sh", "-c", "trap 'exit 4' TERM INT; echo ready; while :; do sleep 0.05; done")
    assert runner.stdout.readline() == b"ready\n"
    assert len(root_entries()) == 1
    runner.send_signal(signal.SIGTERM)
    finish(runner, 4)
    assert root_entries() == []


def test_a_killed_run_is_cleaned_up_by_the_next():
    for cleaning in (["gc"], ["run", "true"]):
        runner = start("run", "sh", "-c", "'%s' create Cat 8 -b; read x" % MMF)
        holder = int(runner.stdout.readline())
        runner.kill()
        runner.wait()
        mmf(*cleaning)
        assert len(root_entries()) == 1, "a process still uses it"
        runner.stdin.close()
        kill(holder)
        wait_until(lambda: (mmf(*cleaning), root_entries() == [])[1])


def test_run_says_what_goes_on():
    result = mmf("run", "sh", "-c", "'%s' create Cat 8 -b" % MMF)
    assert "still uses" in result.err, result
    assert len(root_entries()) == 1
    kill(int(result.out))
    mmf("gc")
    assert root_entries() == []


def test_doctor_is_content_with_a_good_directory():
    result = mmf("doctor")
    assert re.search(r"\d+ good, \d+ notes, \d+ warnings, 0 problems", result.out), result
    out = mmf("doctor", "--all").out
    for part in ("names are in %s, which MMF_DIR names" % os.environ["MMF_DIR"],
                 "is on tmpfs", "open file description locks work", "memfd_create",
                 "descriptors open", "fs.protected_regular", "futex_waitv"):
        assert part in out, (part, out)
    for one in findings():
        assert set(one) == {"check", "level", "what", "why", "fix"}
        if one["level"] in ("warning", "problem") and one["check"] not in ("memory", "cgroup"):
            assert one["why"] and one["fix"], one


def test_doctor_finds_what_is_wrong_with_the_directory():
    place = os.environ["MMF_DIR"]
    os.chmod(place, 0o777)
    one, = find("directory", status=FAILED)
    assert one["level"] == "problem" and one["fix"] == "chmod +t " + place
    subprocess.run(one["fix"], shell=True, check=True)
    assert find("directory")[0]["level"] == "good"
    os.chmod(place, 0o700)
    missing = {"MMF_DIR": place + "/missing"}
    one, = find("directory", status=FAILED, env=missing)
    assert one["fix"] == "mkdir -m 700 %s/missing" % place, one
    subprocess.run(one["fix"], shell=True, check=True)
    assert find("directory", env=missing)[0]["level"] == "good"
    shutil.rmtree(place + "/missing")
    one, = find("directory", status=FAILED, env={"MMF_DIR": "relative"})
    assert "not an absolute path" in one["what"], one
    local = os.path.join(place, "mmf-%d" % os.geteuid())
    os.makedirs(local, exist_ok=True)
    os.chmod(local, 0o755)
    one, = find("local", status=FAILED)
    assert "is open to other users" in one["what"] and "chmod 700" in one["fix"], one
    subprocess.run(one["fix"], shell=True, check=True, stdout=subprocess.DEVNULL)
    assert find("local")[0]["level"] == "good"


def test_doctor_counts_orphaned_objects():
    kill(create("Cat", "1MiB"))
    one, = find("orphaned")
    assert one["fix"] == ("mmf gc --all-users" if os.geteuid() == 0 else "mmf gc"), one
    assert "1 orphaned objects take 1" in one["what"], one
    mmf("gc")
    assert find("orphaned") == []


def test_doctor_says_why_a_name_can_be_opened_or_not():
    pid = create("Cat", "8")
    out = mmf("doctor", "Cat").out
    assert "is a map in use" in out and "this process can open \"Cat\"" in out
    assert "holders: %d" % pid in out, out
    out = mmf("doctor", "cat", status=NO_OBJECT).out
    assert "no such object: \"cat\"" in out and "there is \"Cat\"" in out, out
    out = mmf("doctor", "Global\\Cat", status=NO_OBJECT).out
    assert "there is \"Cat\"" in out, out
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: "is stopped" in mmf("doctor", "Cat").out)
    os.kill(pid, signal.SIGCONT)
    kill(pid)
    out = mmf("doctor", "Cat", status=NO_OBJECT).out
    assert "is orphaned" in out and "fix: mmf gc" in out, out
    mmf("gc")
    create("Gate", "--kind", "mutex")
    assert "is a mutex in use: free" in mmf("doctor", "Gate").out


def test_doctor_knows_an_invalid_file():
    create("Cat", "8")
    path = os.path.join(os.path.dirname(ls()[0]["path"]), "stone")
    with open(path, "w") as file:
        file.write("no object")
    assert find("invalid")[0]["level"] == "warning"
    out = mmf("doctor", "stone", status=DAMAGED).out
    assert "is not a valid mmf object" in out, out
    assert "invalid" in mmf("stat", "stone").out
    fails(DAMAGED, "it is not an mmf object and left alone", "read", "stone")
    os.unlink(path)


SMALL = """
set -e
mount -t tmpfs -o size=1M,mode=1777 tmpfs /dev/shm
unset MMF_DIR
"%(mmf)s" doctor
echo "--- create"
set +e
"%(mmf)s" create Cat 8MiB
echo "--- status $?"
"%(mmf)s" create Cat 512K -b > /tmp/pid.$$
"%(mmf)s" write Cat full
"%(mmf)s" read Cat -l 4
kill $(cat /tmp/pid.$$)
rm /tmp/pid.$$
"""


def test_a_small_tmpfs_is_named_with_its_remedy():
    done = subprocess.run(["unshare", "-m", "bash", "-c", SMALL % {"mmf": MMF}],
                          capture_output=True, text=True, timeout=DEADLINE)
    if "Operation not permitted" in done.stderr or "permission denied" in done.stderr:
        raise Skip("mounting is needed: run as root")
    doctor, created = done.stdout.split("--- create\n")
    words = "mount it larger (containers: --shm-size), or set MMF_DIR"
    assert "/dev/shm has 1024 KiB, 1024 KiB free" in doctor, done
    assert words in doctor and "mount -o remount,size=3M /dev/shm" in doctor, done
    assert "--- status %d\nfull" % NO_SPACE in created, done
    assert re.search(r"holds 1024 KiB, \d+ KiB free; needs \d+ KiB: " + re.escape(words),
                     done.stderr), done


def test_limits_are_seen():
    def limit():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    done = subprocess.run([MMF, "doctor", "--json"], preexec_fn=limit, capture_output=True,
                          timeout=DEADLINE)
    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["descriptors"]["level"] == "warning"
    assert "64 descriptors" in found["descriptors"]["what"]
    assert "1M" in found["file size"]["what"] and found["file size"]["level"] == "warning"


def test_bench_compares_and_leaves_nothing():
    found = json.loads(mmf("bench", "--time", "300ms", "--json").out)["benchmarks"]
    assert len(found) == 10
    for one in found:
        assert one["mmf_ns"] > 0 and one["raw_ns"] > 0, one
        assert abs(one["times"] - one["mmf_ns"] / one["raw_ns"]) < 0.01 * one["times"], one
    assert ls("--orphaned") == []
    bench = start("bench")
    wait_until(lambda: len(ls()) >= 5, "its objects")
    bench.send_signal(signal.SIGINT)
    bench.communicate(timeout=DEADLINE)
    assert bench.returncode == -signal.SIGINT
    assert ls("--orphaned") == []


main("tool_house", globals())
