"""lit configuration: one suite, test/lit/<feature>/, where each file is one claim about ld.spacer.

Through CMake (lit.site.cfg.py) or alone: `lit.py test/lit`, which takes build/ beside test/ and finds LLVM's tools. Without a
built linker only the tests that need none run. Values may be given by hand: `lit.py -Dspacer_build_dir=DIR -Dspacer_ld=FILE`.
"""

import os
import shutil

import lit.formats

here = os.path.dirname(os.path.abspath(__file__))


def setting(name, default):
    return lit_config.params.get(name.lower()) or getattr(config, name, None) or default


source = setting("SPACER_SOURCE_DIR", os.path.dirname(here))
build = setting("SPACER_BUILD_DIR", os.path.join(source, "build"))
llvmTools = setting("LLVM_TOOLS_DIR", "/usr/lib/llvm-19/bin")

config.name = "spacer"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".s", ".test", ".c", ".cpp", ".ll"]
config.excludes = ["Inputs", "pairs", "unit", "bed", "bench", "e2e", "fixtures", "fuzz", "programs"]  # only test/lit/ is ours
config.test_source_root = here
config.test_exec_root = os.path.join(build, "test")

config.environment["PATH"] = os.pathsep.join([llvmTools, config.environment["PATH"]])
config.environment["LC_ALL"] = "C"


def tool(name, *candidates):
    """The first of the candidates that exists; a feature of that name if there is one."""
    for candidate in candidates:
        found = shutil.which(candidate, path=config.environment["PATH"])
        if found:
            config.available_features.add(name)
            return found
    return candidates[0]


spacerLd = tool("ld.spacer", lit_config.params.get("spacer_ld") or os.path.join(build, "bin", "ld.spacer"))
spacerPass = os.path.join(build, "lib/spacer/libSpacerPass.so")
if os.path.exists(spacerPass) and shutil.which("clang-19", path=config.environment["PATH"]):
    config.available_features.add("pass")
spacer = tool("spacer", lit_config.params.get("spacer") or os.path.join(build, "bin", "spacer"))

# Long names first: lit replaces them as text.
config.substitutions += [
    ("%spacer_ld", spacerLd),
    ("%spacer", spacer),
    ("%pass", spacerPass),
    ("%stock_ld", tool("stock-ld", os.path.join(llvmTools, "ld.lld"), "ld.lld-19")),
    ("%gnu_ld", tool("gnu-ld", "ld.bfd")),
    ("%clangxx", tool("clang++", "clang++-19", "clang++")),
    ("%clang14", tool("clang-14", "clang-14")),
    ("%clang", tool("clang", "clang-19", "clang")),
    ("%opt14", tool("opt-14", "opt-14")),
    ("%opt", tool("opt", os.path.join(llvmTools, "opt"), "opt-19")),
    ("%llc", tool("llc", os.path.join(llvmTools, "llc"), "llc-19")),
    ("%gcc", tool("gcc", "gcc-12", "gcc")),
    ("%as", "llvm-mc -filetype=obj -triple=x86_64"),
    ("%python", tool("python3", "/usr/bin/python3", "python3")),
]
# Unikernels as Unikraft links them: test/lit/unikraft/Inputs.
inputs = os.path.join(here, "lit/unikraft/Inputs")
config.substitutions += [
    ("%unikraft_build", f"{tool('make', 'make')} -s -f {inputs}/build.mk "
     f"LIBRARY={source}/plugin/unikraft CONFIG_LIBSPACER_ATLAS=one.atlas "
     "CONFIG_LIBSPACER_WINDOW=0x400000:16M CONFIG_LIBSPACER_CLOSE_GAPS=4M CONFIG_LIBSPACER_TRAMPOLINES_DOOR=y "
     "CONFIG_LIBSPACER_PASS=y CONFIG_LIBSPACER_PRIVATE=libother CONFIG_LIBSPACER_REPORT=n"),
    ("%unikernel", f"/usr/bin/python3 {inputs}/unikernel.py --objects {config.test_exec_root}/unikernel-objects"),
    ("%look", f"/usr/bin/python3 {inputs}/look.py"),
    ("%postprocess", f"/usr/bin/python3 {inputs}/postprocess.py"),
]
for name in ("ld.bfd", "strip", "objcopy", "qemu-system-x86_64"):
    tool(name, name)
if shutil.which("sqlite3"):
    config.available_features.add("sqlite3")
if os.getuid() != 0:
    config.available_features.add("not-root")
