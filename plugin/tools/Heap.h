//===- Heap.h - a heap of huge pages --------------------------------------===//

#ifndef SPACER_PLUGIN_TOOLS_HEAP_H
#define SPACER_PLUGIN_TOOLS_HEAP_H

namespace spacer {

/// Makes malloc's main heap of this process grow in large steps and asks the
/// kernel for huge pages there. To be called first in main(). Does nothing
/// where the C library or the kernel cannot do that.
void useHugePagesForHeap();

} // namespace spacer

#endif
