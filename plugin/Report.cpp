//===- Report.cpp - what a link shared, and why not the rest --------------===//

#include "Report.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace llvm;

namespace spacer {

namespace {

struct Tally {
  uint64_t units = 0, bytes = 0;
  void add(const Unit &u) {
    ++units;
    bytes += u.bytes;
  }
};

struct LibraryTally {
  Tally shared, kept;
};

struct Summary {
  std::map<std::string, LibraryTally> libraries;
  std::map<std::string, Tally> reasons; ///< why private
  uint64_t doors = 0, entries = 0, gots = 0;
};

Summary summarise(const Model &model, const std::vector<bool> &slotUsed) {
  Summary s;
  for (const Unit &u : model.units) {
    LibraryTally &lib = s.libraries[model.libraries[u.library]];
    (u.isPrivate ? lib.kept : lib.shared).add(u);
    if (u.isPrivate)
      s.reasons[u.reason ? u.reason : "unknown"].add(u);
  }
  for (size_t i = 0; i != model.slots.size(); ++i) {
    if (!slotUsed[i])
      continue;
    switch (model.slots[i].kind) {
    case SlotKind::Door:
      ++s.doors;
      break;
    case SlotKind::Entry:
      ++s.entries;
      break;
    case SlotKind::Got:
      ++s.gots;
      break;
    }
  }
  return s;
}

void writeText(raw_ostream &os, const LinkReport &r, const Summary &s,
               const Atlas &atlas) {
  os << "atlas            " << atlas.path() << "\n"
     << "units            " << r.placement.knownUnits << " known, "
     << r.placement.newUnits << " new (" << r.placement.newBytes << " bytes)\n"
     << "slots            " << s.doors << " in doors, " << s.entries
     << " entries (" << r.patchedEntries << " jumped over), " << s.gots
     << " GOT; " << r.placement.newSlots << " new\n"
     << "pages            " << r.pages.newPages << " new, "
     << r.pages.newVariants << " new variants\n"
     << "memory           " << r.loadedBytes / 1024 << " KiB in " << r.segments
     << " segments from 0x" << utohexstr(r.lowest) << " to 0x"
     << utohexstr(r.highest) << "\n"
     << "library          shared units      bytes   private units      bytes\n";
  for (auto &[name, t] : s.libraries)
    os << format(
        "%-16s %12llu %10llu %15llu %10llu\n", name.c_str(),
        (unsigned long long)t.shared.units, (unsigned long long)t.shared.bytes,
        (unsigned long long)t.kept.units, (unsigned long long)t.kept.bytes);
  if (!s.reasons.empty())
    os << "private because\n";
  for (auto &[reason, t] : s.reasons)
    os << "  " << reason << ": " << t.units << " units, " << t.bytes
       << " bytes\n";
}

void writeJson(raw_ostream &os, const LinkReport &r, const Summary &s,
               const Atlas &atlas) {
  auto tally = [](const Tally &t) {
    return json::Object{{"units", int64_t(t.units)},
                        {"bytes", int64_t(t.bytes)}};
  };
  json::Object libraries, reasons;
  for (auto &[name, t] : s.libraries)
    libraries[name] =
        json::Object{{"shared", tally(t.shared)}, {"private", tally(t.kept)}};
  for (auto &[reason, t] : s.reasons)
    reasons[reason] = tally(t);
  json::Value v = json::Object{
      {"atlas", atlas.path()},
      {"units", json::Object{{"known", int64_t(r.placement.knownUnits)},
                             {"new", int64_t(r.placement.newUnits)},
                             {"newBytes", int64_t(r.placement.newBytes)}}},
      {"slots", json::Object{{"door", int64_t(s.doors)},
                             {"entry", int64_t(s.entries)},
                             {"got", int64_t(s.gots)},
                             {"new", int64_t(r.placement.newSlots)},
                             {"patchedEntries", int64_t(r.patchedEntries)}}},
      {"pages", json::Object{{"new", int64_t(r.pages.newPages)},
                             {"newVariants", int64_t(r.pages.newVariants)}}},
      {"memory", json::Object{{"segments", int64_t(r.segments)},
                              {"bytes", int64_t(r.loadedBytes)},
                              {"lowest", int64_t(r.lowest)},
                              {"highest", int64_t(r.highest)}}},
      {"libraries", std::move(libraries)},
      {"privateBecause", std::move(reasons)}};
  os << formatv("{0:2}\n", v);
}

} // namespace

Error LinkReport::write(const Model &model, const Atlas &atlas,
                        const std::vector<bool> &slotUsed,
                        StringRef file) const {
  Summary s = summarise(model, slotUsed);
  if (file.empty()) {
    writeText(outs(), *this, s, atlas);
    outs().flush();
    return Error::success();
  }
  std::error_code ec;
  raw_fd_ostream os(file, ec, sys::fs::OF_Text);
  if (ec)
    return createStringError(ec, "%s: cannot write the report: %s",
                             file.str().c_str(), ec.message().c_str());
  if (file.ends_with(".json"))
    writeJson(os, *this, s, atlas);
  else
    writeText(os, *this, s, atlas);
  return Error::success();
}

} // namespace spacer
