//===- PlanFuzz.cpp - any bytes as a plan ---------------------------------===//

#include "Fuzz.h"
#include "Plan.h"

namespace {

const spacer::test::FuzzTarget
    target("plan", spacer::test::fuzzSealedTable<spacer::Plan>);

} // namespace
