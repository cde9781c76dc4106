//===- Identity.h - what decides a unit's final bytes ---------------------===//

#ifndef SPACER_PLUGIN_IDENTITY_H
#define SPACER_PLUGIN_IDENTITY_H

#include "Model.h"

namespace spacer {

/// Computes Unit::identity of every unit of \p model and settles isPrivate and
/// unstable: a unit is private if a reference is, or if it is bound to the
/// content of a private unit; a named object is then unstable instead, because
/// its place outlives its content. Needs Unit::generation of named objects and
/// Unit::entrySlot. Deterministic: depends on nothing but the model's values,
/// not on the order of units.
void computeIdentities(Model &model);

} // namespace spacer

#endif
