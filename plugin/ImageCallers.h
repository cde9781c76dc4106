//===- ImageCallers.h - shared code that calls into the image -------------===//

#ifndef SPACER_PLUGIN_IMAGECALLERS_H
#define SPACER_PLUGIN_IMAGECALLERS_H

#include "Model.h"

namespace spacer {

/// Makes functions private that are the only reason for this image to have a
/// door page of its own, if all of them together are smaller than half a page.
/// Needs isPrivate. Returns the bytes made private, 0 if
/// doors are the cheaper choice.
uint64_t keepImageCallersPrivate(Model &model);

} // namespace spacer

#endif
