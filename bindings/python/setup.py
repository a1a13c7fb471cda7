"""The extension module, with the library's sources inside; src/CMakeLists.txt has the list.

An archive of sources has the library in its folder library; in the tree it is above.
"""
import glob
import os
import re

from setuptools import Extension, setup

try:
    from wheel.bdist_wheel import bdist_wheel
except ImportError:  # a distribution's package needs no wheel
    bdist_wheel = object

HERE = os.path.dirname(os.path.abspath(__file__))
# An absolute path in the tree: objects of ../.. would lie outside of the build's folder.
ROOT = "library" if os.path.isdir(os.path.join(HERE, "library")) else \
    os.path.normpath(os.path.join(HERE, "../.."))


def library_sources():
    with open(os.path.join(HERE, ROOT, "src/CMakeLists.txt"), encoding="utf-8") as file:
        text = file.read()
    named = re.search(r"set\(MMF_SOURCES(.*?)\)", text, re.S).group(1).split()
    named += re.search(r"set\(MMF_SYS_SOURCE (\S+)\)", text).group(1).split()
    return [os.path.join(ROOT, "src", name) for name in named]


def headers():
    """A change of one of them is a reason to compile again."""
    folders = ["src"] + [os.path.join(ROOT, name) for name in ("src", "include")]
    return [path for folder in folders
            for path in glob.glob(os.path.join(folder, "**/*.h"), recursive=True)]


class OneForAllPythons(bdist_wheel):
    """The tag says the oldest glibc that has the symbols which the module asks for."""

    def get_tag(self):
        platform = super().get_tag()[2]
        module = os.path.join(self.bdist_dir, "mmf/_mmf.abi3.so")
        if platform.startswith("linux_") and os.path.exists(module):
            with open(module, "rb") as file:
                found = re.findall(rb"GLIBC_2\.(\d+)", file.read())
            newest = max(map(int, found))
            platform = platform.replace("linux_", f"manylinux_2_{newest}_")
        return "cp311", "abi3", platform


with open(os.path.join(HERE, ROOT, "include/mmf/version.h"), encoding="utf-8") as file:
    version = re.search(r'MMF_VERSION_STRING "(.*)"', file.read()).group(1)
own = ["arguments", "channel", "errors", "lent", "list", "map", "module", "object", "poller",
       "service", "sync", "wait"]
setup(
    version=version,
    cmdclass={} if bdist_wheel is object else {"bdist_wheel": OneForAllPythons},
    ext_modules=[Extension(
        "mmf._mmf",
        sources=[f"src/{name}.c" for name in own] + library_sources(),
        depends=headers(),
        include_dirs=[os.path.join(ROOT, "include"), os.path.join(ROOT, "src")],
        define_macros=[("MMF_BUILDING", None), ("_GNU_SOURCE", None),
                       ("_FILE_OFFSET_BITS", "64")],
        extra_compile_args=["-std=gnu11", "-O3", "-fvisibility=hidden",
                            "-Wno-missing-field-initializers"],
        # A thread's exit hook lives in the library's code.
        extra_link_args=["-Wl,-z,nodelete"],
        py_limited_api=True,
    )],
)
