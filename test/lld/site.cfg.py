"""What CMake would have written for lld's own tests, from an installed LLVM. run.sh copies it
into its work folder; under its final name lit would take it for a configuration here."""

import os

import lit.llvm

source = os.environ["SPACER_LLD_TEST_SOURCE"]
llvm = "/usr/lib/llvm-19"
here = os.path.dirname(os.path.abspath(__file__))

config.have_dia_sdk = False
config.llvm_src_root = llvm
config.llvm_obj_root = llvm
config.llvm_tools_dir = llvm + "/bin"
config.llvm_libs_dir = llvm + "/lib"
config.llvm_shlib_dir = llvm + "/lib"
config.llvm_shlib_ext = ".so"
config.lit_tools_dir = ""
config.enable_backtrace = True
config.errc_messages = ""
config.lld_obj_root = here
config.lld_libs_dir = llvm + "/lib"
config.lld_tools_dir = os.environ["SPACER_LLD_TEST_TOOLS"]
config.host_triple = "x86_64-pc-linux-gnu"
config.target_triple = "x86_64-pc-linux-gnu"
config.python_executable = "/usr/bin/python3"
config.have_zlib = True
config.have_zstd = True
config.have_libxml2 = True
config.sizeof_void_p = 8
config.ld_lld_default_mingw = False
config.build_examples = False
config.has_plugins = True
config.linked_bye_extension = False

lit.llvm.initialize(lit_config, config)
lit_config.load_config(config, os.path.join(source, "test", "lit.cfg.py"))

# The tools must be the ones of our choice, whatever PATH says.
config.environment["PATH"] = os.pathsep.join(
    [config.lld_tools_dir, config.llvm_tools_dir, config.environment["PATH"]])
config.excludes = list(config.excludes) + ["COFF", "MachO", "MinGW", "wasm", "Unit"]
if os.environ.get("SPACER_LLD_TEST_TARGETS") == "x86":
    others = "aarch64 amdgpu arm avr hexagon loongarch mips msp430 ppc riscv sparc systemz wasm"
    config.available_features -= set(others.split())
