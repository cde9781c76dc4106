//===- Images.h - the subcommands that spacer-image does ------------------===//

#ifndef SPACER_RUNTIME_IMAGES_H
#define SPACER_RUNTIME_IMAGES_H

#include "Command.h"

namespace spacer {

/// Names them for --help.
void addImages(CLI::App &app, Session &session);

/// Becomes spacer-image (beside this program, in ../lib/spacer) if the first
/// word that is no option is one of its subcommands; `inspect --plan` is ours.
/// Exits with exitTrouble and one line if the program is not there.
void execImageCommand(int argc, char **argv);

} // namespace spacer

#endif
