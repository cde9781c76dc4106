//===- Progress.h - a line for those who wait ---------------------------===//

#ifndef SPACER_RUNTIME_PROGRESS_H
#define SPACER_RUNTIME_PROGRESS_H

#include "Interrupt.h"
#include "PagePool.h"
#include <string>

namespace spacer {

/// A Progress that rewrites one line of standard error if that is a terminal
/// and the work lasts longer than a second, and stops the work when
/// interrupted(). finishProgress() clears the line.
Progress showProgress(std::string what);
void finishProgress();

} // namespace spacer

#endif
