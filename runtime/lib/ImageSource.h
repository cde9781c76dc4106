//===- ImageSource.h - an ELF image as guest memory -----------------------===//

#ifndef SPACER_RUNTIME_IMAGESOURCE_H
#define SPACER_RUNTIME_IMAGESOURCE_H

#include "ElfImage.h"
#include "PageSource.h"

namespace spacer {

/// openImage() of PageSource.h over any bytes; \p name is for messages.
Result<std::unique_ptr<PageSource>> openImage(std::unique_ptr<ByteReader> file,
                                              const std::string &name);

} // namespace spacer

#endif
