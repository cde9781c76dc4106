//===- PageMapFuzz.cpp - any bytes as a page map --------------------------===//

#include "Fuzz.h"
#include "PageMap.h"

namespace {

const spacer::test::FuzzTarget
    target("page-map", spacer::test::fuzzSealedTable<spacer::PageMap>);

} // namespace
