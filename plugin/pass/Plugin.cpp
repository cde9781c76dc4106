//===- Plugin.cpp - how the pass is loaded --------------------------------===//
//
// One file serves clang (-fplugin=, -fpass-plugin=), opt and ld.spacer. It
// links against nothing of LLVM: the process that loads it has it. Its symbols
// are weak, so that a process of another LLVM can load it far enough to be told
// so; calling into an LLVM of another layout would crash.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Passes/PassPlugin.h"
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace {

/// The host's LLVM: 0 if there is none, 1 if it is too old to tell (before 16).
unsigned hostMajorVersion() {
  using GetVersion = void(unsigned *, unsigned *, unsigned *);
  unsigned major = 0, minor = 0, patch = 0;
  if (auto *f = reinterpret_cast<GetVersion *>(
          dlsym(RTLD_DEFAULT, "LLVMGetVersion"))) {
    f(&major, &minor, &patch);
    return major;
  }
  return dlsym(RTLD_DEFAULT, "LLVMContextCreate") ? 1 : 0;
}

// In clang only: where plugins of the frontend register themselves.
bool hostIsClang() {
  return dlsym(RTLD_DEFAULT,
               "_ZN4llvm8RegistryIN5clang15PluginASTActionEE8add_node"
               "EPNS3_4nodeE") != nullptr;
}

[[gnu::constructor]] void onLoad() {
  unsigned major = hostMajorVersion();
  if (major == LLVM_VERSION_MAJOR) {
    if (hostIsClang())
      spacer::registerFrontendPlugin();
    return;
  }
  if (!major)
    return; // not a compiler: somebody looks at the file
  // Going on without would compile code that shares worse, silently.
  if (major == 1)
    fprintf(stderr,
            "libSpacerPass.so: made for LLVM %d, loaded by LLVM 15 or older; "
            "use clang-%d\n",
            LLVM_VERSION_MAJOR, LLVM_VERSION_MAJOR);
  else
    fprintf(stderr,
            "libSpacerPass.so: made for LLVM %d, loaded by LLVM %u; use "
            "clang-%d\n",
            LLVM_VERSION_MAJOR, major, LLVM_VERSION_MAJOR);
  _Exit(1);
}

} // namespace

extern "C" __attribute__((visibility("default"))) llvm::PassPluginLibraryInfo
llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "spacer", SPACER_VERSION,
          [](llvm::PassBuilder &builder) {
            if (!spacer::isInFrontend)
              spacer::registerPasses(builder, {},
                                     std::make_shared<spacer::SourceLines>());
          }};
}
