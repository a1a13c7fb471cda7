"""metrics_test.py - what mmf metrics prints, read by a real parser."""
import json
import os
import subprocess
from types import SimpleNamespace

from support import *

# Debian's, which has Debian's modules.
PYTHON = "/usr/bin/python3"
PARSER = """
import json, sys
if sys.argv[1] == "--prometheus":
    from prometheus_client.parser import text_string_to_metric_families
else:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(json.dumps([{"name": family.name, "type": family.type, "unit": family.unit,
                   "documentation": family.documentation,
                   "samples": [{"name": sample.name, "labels": sample.labels,
                                "value": sample.value} for sample in family.samples]}
                  for family in text_string_to_metric_families(sys.stdin.read())]))
"""


def parse(text, form):
    done = subprocess.run([PYTHON, "-c", PARSER, form], input=text, capture_output=True, text=True,
                          timeout=DEADLINE)
    if "No module named" in done.stderr:
        raise Skip("python3-prometheus-client is needed")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=lambda members: (
        members if "name" not in members or "kind" in members else SimpleNamespace(**members)))


def families_of(form, *arguments):
    out = mmf("metrics", *arguments, *([form] if form else [])).out
    assert out.endswith("# EOF\n") == (not form), out
    families = {family.name: family for family in parse(out, form)}
    for family in families.values():
        assert family.documentation and family.type in ("gauge", "counter"), family
        assert not family.unit or family.name.endswith(family.unit), family
        assert family.unit or form or not family.name.endswith("_bytes"), family
    return families


def metrics(*arguments):
    """The families by name, from both formats, which say the same; the samples of each by
    what its labels say."""
    families, older = families_of("", *arguments), families_of("--prometheus", *arguments)
    for name, family in families.items():
        if not name.startswith("mmf_space_") and family.samples:
            assert older[name].type == family.type, (older[name], family)
            assert older[name].samples == family.samples, (older[name], family)
    return families


def value(families, family, /, **labels):
    found = [sample.value for sample in families[family].samples
             if labels.items() <= sample.labels.items()]
    assert len(found) == 1, (family, labels, families[family].samples)
    return found[0]


def test_an_empty_namespace():
    families = metrics()
    assert families["mmf_objects"].samples == []
    assert families["mmf_space_bytes"].samples[0].value > 0


def test_everything_is_counted():
    create("Cat", "10K")
    create("Cat", "10K", "--or-open")
    create("Gate", "--kind", "mutex")
    create("Jobs", "--kind", "queue", "--messages", "16")
    create("Sums", "--kind", "service")
    mmf("send", "Jobs", "--lines", stdin=b"a\nb\nc\n")
    mmf("recv", "Jobs")
    families = metrics()
    assert value(families, "mmf_objects", kind="map", status="in use") == 1
    assert value(families, "mmf_objects", kind="queue") == 1
    assert value(families, "mmf_object_size_bytes", name="Cat") == 10240
    assert value(families, "mmf_object_resident_bytes", name="Cat") >= 10240
    assert value(families, "mmf_object_holders", name="Cat", kind="map") == 2
    for name, wanted in (("depth", 2), ("capacity", 16), ("in_flight", 0)):
        assert value(families, "mmf_channel_" + name, name="Jobs") == wanted, name
    for name, wanted in (("sent", 3), ("received", 1), ("dropped", 0), ("lost", 0),
                         ("redelivered", 0)):
        family = families["mmf_channel_" + name]
        assert family.type == "counter" and len(family.samples) == 2, family
        assert {sample.name for sample in family.samples} == {"mmf_channel_%s_total" % name}
        assert value(families, "mmf_channel_" + name, name="Jobs") == wanted, family
    assert value(families, "mmf_objects", kind="service", status="in use") == 1
    assert value(families, "mmf_channel_in_flight", name="Sums", kind="service") == 0


def test_names_are_escaped():
    for name in ('quo"te', "li\nne", "ünï"):
        create(name, "1")
    names = {sample.labels["name"] for sample in metrics()["mmf_object_size_bytes"].samples}
    assert names == {'quo"te', "li\nne", "ünï"}, names
    create(os.fsdecode(b"wrong \xff utf-8"), "1")
    assert value(metrics(), "mmf_object_size_bytes", name="wrong \ufffd utf-8") == 1


def test_orphaned_ones_stay():
    kill(create("Cat", "8"))
    for _ in range(2):
        assert value(metrics(), "mmf_objects", kind="map", status="orphaned") == 1


def test_all_users():
    if os.geteuid() != 0:
        raise Skip("another user is needed: run as root")
    os.chmod(os.environ["MMF_DIR"], 0o1777)
    create("Cat", "8")
    held.append(int(mmf("create", "Cat", "16", "-b", user=65534).out))
    held.append(int(mmf("create", "Jobs", "-k", "queue", "-b", user=65534).out))
    families = metrics("--all-users")
    assert value(families, "mmf_object_size_bytes", name="Cat", user="root") == 8
    assert value(families, "mmf_object_size_bytes", name="Cat", user="nobody") == 16
    assert value(families, "mmf_channel_depth", name="Jobs", user="nobody") == 0
    assert len(metrics()["mmf_object_size_bytes"].samples) == 1


def test_pipes():
    create("Cat", "8")
    for command, wanted in (("ls | head -n 1", "NAME KIND SIZE HOLDERS"),
                            ("ls -j | python3 -m json.tool", '"name": "Cat"'),
                            ("ls -n | cat", "Cat"), ("metrics | head -n 1", "# HELP")):
        done = subprocess.run(["bash", "-c", "set -o pipefail; '%s' %s" % (MMF, command)],
                              capture_output=True, text=True, timeout=DEADLINE)
        assert wanted in done.stdout and done.stderr == "", (command, done)
        assert done.returncode == 0, (command, done)


main("tool_metrics", globals())
