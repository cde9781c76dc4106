//===- LinkerHooks.h - what ld.spacer adds to lld -------------------------===//

#ifndef SPACER_PLUGIN_LINKERHOOKS_H
#define SPACER_PLUGIN_LINKERHOOKS_H

namespace spacer {

/// Installs the hook for the process's next link. Without --spacer-* flags it
/// does nothing at any point.
void installLinkerHooks();

} // namespace spacer

#endif
