"""doctor_test.py - mmf doctor in odd environments: each has the findings that it must have,
none that it must not have, no remedy that does harm, and one that works if it has any."""
import ctypes
import json
import os
import re
import resource
import shlex
import signal
import struct
import subprocess
import tempfile

from support import *

OTHER_USER = 65534
HARMFUL = re.compile(r"mount -t tmpfs|chown|rm -|size=1G|sudo|/etc/passwd")


def diagnose(prepare="", tool=None, user=None, before=None, shell="bash", unshare="-m"):
    """Run the shell's lines and then the doctor, in a mount namespace; its findings by
    check, the status, and a function that runs more lines there."""
    if os.geteuid() != 0:
        raise Skip("an environment of its own is needed: run as root")
    tool = tool or MMF
    run = "setpriv --reuid %d --regid %d --clear-groups" % (user, user) if user else ""

    def ask(more=""):
        script = "set -e\n%s\n%s\nset +e\n%s %s doctor --json --all" % (
            prepare, more, run, shlex.quote(tool))
        done = subprocess.run(["unshare", *unshare.split(), shell, "-c", script],
                              capture_output=True, text=True, timeout=DEADLINE,
                              preexec_fn=before, env={**os.environ, **tool_for_others()[1]})
        if not done.stdout:
            raise Skip("the environment cannot be made here: " + done.stderr.strip())
        return json.loads(done.stdout)["findings"], done.returncode

    findings, status = ask()
    return findings, status, ask


def at(level, findings):
    return {one["check"] for one in findings if one["level"] == level}


def check(environment, problems, warnings=(), never=(), is_fixed=True, may_warn=(), **more):
    """The problems and warnings that must be there, and no others; and what no text says.
    The remedy of the first problem is carried out, and then there is none."""
    findings, status, ask = diagnose(environment, **more)
    shown = json.dumps(findings, indent=1)
    assert at("problem", findings) == set(problems), shown
    # What this machine is short of is its own affair.
    found = at("warning", findings) - {"memory", "cgroup", "RemoveIPC"} - set(may_warn)
    assert found == set(warnings), shown
    assert status == (FAILED if problems else DONE), shown
    for one in findings:
        assert not HARMFUL.search(one["fix"] or ""), one
        for word in never:
            assert word not in json.dumps(one), (word, one)
    if problems and is_fixed:
        fix = [one["fix"] for one in findings if one["level"] == "problem"][0]
        assert fix, shown
        again, status = ask(fix)
        assert at("problem", again) == set() and status == DONE, (fix, again)
    return {one["check"]: one for one in findings}


TMPFS = "mount -t tmpfs -o %s tmpfs /dev/shm; unset MMF_DIR"


def test_a_good_directory():
    found = check(TMPFS % "mode=1777", [])
    assert found["trial"]["what"] == \
        "an object of each kind was created, opened, used and closed", found["trial"]


def test_read_only():
    found = check(TMPFS % "mode=1777,ro", ["read-only"])
    assert found["read-only"]["what"] == "/dev/shm is mounted read-only"
    assert found["read-only"]["fix"] == "mount -o remount,rw /dev/shm"
    assert "trial" not in found and "locks" not in found, "later checks mean nothing"
    assert found["ended"]["level"] == "note"


def test_read_only_for_a_user_who_may_not_mount():
    tool, _ = tool_for_others()
    found = check(TMPFS % "mode=1777,ro", ["read-only"], tool=tool, user=OTHER_USER)
    assert re.fullmatch(r"export MMF_DIR=/\S+ # in every program that shares names",
                        found["read-only"]["fix"]), found["read-only"]


def test_full():
    fill = TMPFS % "mode=1777,size=1M" + "; head -c 2M /dev/zero > /dev/shm/stuff || true"
    found = check(fill, ["trial"], ["space"])
    assert "0 KiB free" in found["space"]["what"], found["space"]
    assert found["trial"]["fix"] == found["space"]["fix"] == "mount -o remount,size=3M /dev/shm"
    assert "cannot create a map" in found["trial"]["what"], found["trial"]
    assert "MMF_E_NO_SPACE" in found["trial"]["why"]
    assert found["users"]["what"].startswith("the largest users: root 1M (0 objects 0)"), found


def test_a_large_one_that_is_full_is_never_made_smaller():
    big = TMPFS % "mode=1777,size=90M" + "; fallocate -l 89M /dev/shm/stuff"
    found = check(big, [], ["space"], may_warn=["memory"])
    size = int(re.search(r"size=(\d+)M", found["space"]["fix"])[1])
    assert size > 90, found["space"]


def test_no_files_left():
    found = check(TMPFS % "mode=1777,nr_inodes=2" + "; touch /dev/shm/one", ["files", "trial"],
                  may_warn=["files"])
    assert "remount,nr_inodes=" in found["files"]["fix"], found["files"]


def test_noexec():
    found = check(TMPFS % "mode=1777,noexec", [])
    assert found["noexec"]["level"] == "note" and found["noexec"]["fix"] is None


def test_wrong_modes():
    tool, _ = tool_for_others()
    found = check(TMPFS % "mode=777", ["directory"])
    assert found["directory"]["fix"] == "chmod +t /dev/shm"
    found = check(TMPFS % "mode=755", [], ["mode"])
    assert found["mode"]["fix"] == "chmod 1777 /dev/shm"
    found = check(TMPFS % "mode=755", ["directory"], tool=tool, user=OTHER_USER)
    assert "this process may not create files in /dev/shm (mode 0755)" in \
        found["directory"]["what"], found


def test_mmf_dir_is_no_directory():
    before = open("/etc/passwd").read()
    for place, part in (("/etc/passwd", "is not a directory"),
                        ("/etc/passwd/x", "Not a directory"),
                        ("/no/such/place", "No such file"), ("relative", "not an absolute path")):
        found = check("export MMF_DIR=" + place, ["directory"])
        assert part in found["directory"]["what"], found["directory"]
        assert found["directory"]["fix"].startswith("unset MMF_DIR"), found["directory"]
        assert "trial" not in found
    assert open("/etc/passwd").read() == before


def limit(**limits):
    """What sets these limits of a process, the lower and the upper ones."""
    def install():
        for name, both in limits.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), both)
    return install


def test_limits_at_their_hard_limit():
    found = check(TMPFS % "mode=1777", [], ["descriptors", "file size"],
                  before=limit(NOFILE=(128, 128), FSIZE=(1 << 20, 1 << 20)),
                  never=["ulimit -n 128", "ulimit -f unlimited"])
    assert "hard limit has to be raised" in found["descriptors"]["fix"]
    found = check(TMPFS % "mode=1777", ["trial"], ["file size"],
                  before=limit(FSIZE=(1024, 1 << 30)))
    assert found["trial"]["fix"] == found["file size"]["fix"] == "ulimit -f hard"


def test_limits_that_may_be_raised():
    found = check(TMPFS % "mode=1777", [], ["descriptors"], before=limit(NOFILE=(128, 4096)))
    assert found["descriptors"]["fix"].startswith("ulimit -n 4096 "), found["descriptors"]


def test_a_user_namespace():
    tool, _ = tool_for_others()
    found = check("unset MMF_DIR", [], tool=tool, unshare="--user --map-root-user --mount")
    assert any("user namespace" in one["what"] for one in diagnose(
        "unset MMF_DIR", tool=tool, unshare="--user --map-root-user --mount")[0])
    assert found["trial"]["level"] == "good"
    # One without a map: all users there seem to be one.
    found = check("unset MMF_DIR", [], tool=tool, unshare="--user --mount")
    assert found["trial"]["level"] == "good"


def test_a_foreign_directory():
    foreign = TMPFS % "mode=1777" + "; mkdir /dev/shm/its; chown %d /dev/shm/its; export " \
        "MMF_DIR=/dev/shm/its" % OTHER_USER
    found = check(foreign, ["directory"])
    assert found["directory"]["fix"].startswith("unset MMF_DIR"), found["directory"]
    planted = TMPFS % "mode=1777" + "; mkdir -m 700 /dev/shm/mmf-0; chown %d /dev/shm/mmf-0" \
        % OTHER_USER
    found = check(planted, ["local"])
    assert found["local"]["fix"] == "mv /dev/shm/mmf-0 /dev/shm/mmf-0.planted", found["local"]


def test_no_proc():
    if "libasan" in subprocess.run(["ldd", MMF], capture_output=True, text=True).stdout:
        raise Skip("a sanitizer needs /proc itself")
    found = check(TMPFS % "mode=1777" + "; umount -l /proc", [])
    assert found["proc"]["level"] == "note"
    assert found["proc"]["fix"] == "mount -t proc proc /proc"


def forbid(*numbers):
    """A seccomp filter that answers EPERM to these system calls."""
    def install():
        code = [(0x20, 0, 0, 0)] # load the call's number
        for number in numbers:
            code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 1)]
        code.append((0x06, 0, 0, 0x7fff0000))
        program = b"".join(struct.pack("HBBI", *one) for one in code)
        memory = ctypes.create_string_buffer(program)
        filter_ = struct.pack("HxxxxxxP", len(code), ctypes.addressof(memory))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0 # no new privileges
        assert libc.prctl(22, 2, filter_, 0, 0) == 0, ctypes.get_errno()
    return install


def test_seccomp():
    if os.uname().machine != "x86_64":
        raise Skip("the numbers of system calls are those of x86_64")
    fallocate, memfd_create, futex_waitv = 285, 319, 449
    found = check("true", [], ["memfd"], before=forbid(memfd_create, futex_waitv))
    assert found["futex_waitv"]["level"] == "note" and found["seccomp"]["level"] == "note"
    found = check("true", ["trial"], before=forbid(fallocate), is_fixed=False)
    assert "cannot create a map" in found["trial"]["what"], found["trial"]


def in_shell(line, **more):
    """Run a remedy, with the tool in the path."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(MMF, os.path.join(folder, "mmf"))
        subprocess.run(["bash", "-c", line], check=True, timeout=DEADLINE, env={
            **os.environ, "PATH": folder + ":" + os.environ["PATH"]}, **more)


ODD = ("with blanks", "x; touch harm; #", "it's", "$(touch harm)", "line\nend '\t", "\x1b[2J", "-n")


def test_names_in_remedies_are_quoted():
    place = os.environ["MMF_DIR"]
    for odd in ODD:
        directory = os.path.join(place, odd)
        env = {"MMF_DIR": directory}
        found = json.loads(mmf("doctor", "--json", env=env, status=FAILED).out)["findings"]
        in_shell(found[0]["fix"], cwd=place)
        assert os.listdir(place) == [odd], os.listdir(place)
        assert "problem" not in mmf("doctor", "--all", env=env).out.replace("0 problems", "")
        subprocess.run(["rm", "-rf", directory], check=True)
    for odd in ODD:
        held.append(int(mmf("create", "--kind", "mutex", "--background", "--", odd).out))
        mmf("lock", "--", odd, "sh", "-c", "kill -9 $$", status=128 + 9)
        out = mmf("doctor").out
        fix, = re.findall("fix: (.*)", out)
        assert "\x1b" not in out and fix.startswith("mmf lock "), out
        in_shell(fix, cwd=place)
        assert "abandoned" not in mmf("doctor").out
        assert "harm" not in os.listdir(place)
        kill(held.pop(), signal.SIGTERM)
        mmf("gc")


def test_what_is_wrong_with_objects_is_named_without_being_asked():
    create("Cat", "8")
    create("Gate", "--kind", "mutex")
    mmf("lock", "Gate", "--", "sh", "-c", "kill -9 $$", status=128 + 9)
    pid = create("Dog", "8")
    os.kill(pid, signal.SIGSTOP)
    found = {}

    def is_seen():
        findings = json.loads(mmf("doctor", "--json").out)["findings"]
        found.update({one["check"]: one for one in findings})
        return "stopped" in found

    wait_until(is_seen, "the stopped process")
    assert "%d (mmf) is stopped and has \"Dog\" open" % pid == found["stopped"]["what"], found
    assert "the mutex \"Gate\" is abandoned" in found["abandoned"]["what"]
    os.kill(pid, signal.SIGCONT)
    mmf("lock", "Gate", "true")
    checks = [one["check"] for one in json.loads(mmf("doctor", "--json").out)["findings"]]
    assert "abandoned" not in checks


main("tool_doctor", globals())
