//===- LinkerHooks.h - what ld.spacer adds to lld -------------------------===//

#ifndef SPACER_PLUGIN_LINKERHOOKS_H
#define SPACER_PLUGIN_LINKERHOOKS_H

namespace spacer {

/// Installs the hook for the process's next link. Without --spacer-* flags it
/// does nothing at any point. \p inputsRead, if given, is called once lld has
/// read all of its inputs, if it comes so far.
void installLinkerHooks(void (*inputsRead)() = nullptr);

} // namespace spacer

#endif
