"""The extension module, with the library's sources inside: cmake/sources.txt lists them in
an archive of sources, and src/CMakeLists.txt in the tree."""
import os
import re

from setuptools import Extension, setup
from wheel.bdist_wheel import bdist_wheel

HERE = os.path.dirname(os.path.abspath(__file__))
# In the sdist the library lies inside of it; in the tree above it.
ROOT = next(os.path.relpath(root, HERE) for root in
            (os.path.join(HERE, "library"), os.path.join(HERE, "../.."))
            if os.path.exists(os.path.join(root, "src/CMakeLists.txt")))


def library_sources():
    with open(os.path.join(HERE, ROOT, "src/CMakeLists.txt"), encoding="utf-8") as file:
        text = file.read()
    named = re.search(r"set\(MMF_SOURCES(.*?)\)", text, re.S).group(1).split()
    named += re.search(r"set\(MMF_SYS_SOURCE (\S+)\)", text).group(1).split()
    return [os.path.join(ROOT, "src", name) for name in named]


class one_binary_for_all(bdist_wheel):
    def get_tag(self):
        _, _, platform = super().get_tag()
        return "cp311", "abi3", platform


with open(os.path.join(HERE, ROOT, "include/mmf/version.h"), encoding="utf-8") as file:
    version = re.search(r'MMF_VERSION_STRING "(.*)"', file.read()).group(1)
own = ["arguments", "channel", "errors", "list", "map", "module", "object", "sync", "wait"]
setup(
    version=version,
    cmdclass={"bdist_wheel": one_binary_for_all},
    ext_modules=[Extension(
        "mmf._mmf",
        sources=[f"src/{name}.c" for name in own] + library_sources(),
        include_dirs=[os.path.join(ROOT, "include"), os.path.join(ROOT, "src")],
        define_macros=[("MMF_BUILDING", None), ("_GNU_SOURCE", None),
                       ("_FILE_OFFSET_BITS", "64")],
        extra_compile_args=["-std=gnu11", "-O2", "-fvisibility=hidden",
                            "-Wno-missing-field-initializers"],
        # A thread's exit hook lives in the library's code.
        extra_link_args=["-Wl,-z,nodelete"],
        py_limited_api=True,
    )],
)
