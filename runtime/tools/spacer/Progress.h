//===- Progress.h - a line for those who wait, and ctrl-C -----------------===//

#ifndef SPACER_RUNTIME_PROGRESS_H
#define SPACER_RUNTIME_PROGRESS_H

#include "PagePool.h"
#include <string>

namespace spacer {

/// From here on SIGINT, SIGTERM and SIGHUP only set a flag, which
/// showProgress() turns into a cancellation; a second one ends the program at
/// once. A file size limit becomes an error and no signal.
void catchInterrupts();
bool interrupted();

/// A Progress that rewrites one line of standard error if that is a terminal
/// and the work lasts longer than a second, and stops the work when
/// interrupted(). finishProgress() clears the line.
Progress showProgress(std::string what);
void finishProgress();

} // namespace spacer

#endif
