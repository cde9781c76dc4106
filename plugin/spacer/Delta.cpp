//===- Delta.cpp - delta objects without a link ---------------------------===//
//
//   spacer delta BASE NEW -o OUT              what is new in NEW
//   spacer delta --apply BASE DELTA... -o OUT the file that they stand for
//   spacer delta --show DELTA                 what is in it
//
//===----------------------------------------------------------------------===//

#include "Delta.h"
#include "Command.h"
#include "DeltaUnits.h"
#include "Table.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace spacer {

namespace {

struct DeltaArguments {
  std::vector<std::string> files;
  std::string out, library;
  bool apply = false, show = false;
};

struct Tally {
  uint64_t units = 0, bytes = 0;
};

} // namespace

static std::unique_ptr<MemoryBuffer> readFile(const std::string &path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    throw Failure(path + ": " + buffer.getError().message());
  return std::move(*buffer);
}

// What a delta says of itself; its units are its own allocated sections.
static Json describe(MemoryBufferRef file, bool withUnits) {
  Delta d = need(readDelta(file));
  Library own = need(Library::read(file));
  Tally changed, added;
  Json units = Json::array(), tombstones = Json::array();
  for (auto [unit, state] : zip(own.units, d.states)) {
    bool isNew = state == uint8_t(DeltaUnitState::New);
    Tally &t = isNew ? added : changed;
    ++t.units;
    t.bytes += unit.bytes;
    StringRef symbol =
        unit.symbols.empty() ? "" : own.symbols[unit.symbols[0]].name;
    units.push_back({{"state", isNew ? "new" : "changed"},
                     {"section", unit.section.str()},
                     {"symbol", symbol.str()},
                     {"bytes", unit.bytes}});
  }
  for (StringRef t : d.tombstones)
    tombstones.push_back(t.str());
  Json j = {
      {"delta", file.getBufferIdentifier().str()},
      {"library", d.library.str()},
      {"bytes", file.getBufferSize()},
      {"recipeBytes", d.recipe.size()},
      {"base",
       {{"file", d.baseName.str()},
        {"bytes", d.baseBytes},
        {"hash", d.baseHash.hex()}}},
      {"new", {{"bytes", d.nextBytes}, {"hash", d.nextHash.hex()}}},
      {"units",
       {{"same", d.sameUnits},
        {"moved", d.movedUnits},
        {"changed", changed.units},
        {"changedBytes", changed.bytes},
        {"new", added.units},
        {"newBytes", added.bytes},
        {"removed", d.removedUnits}}},
  };
  if (withUnits) {
    j["list"] = units;
    j["tombstones"] = tombstones;
  }
  return j;
}

static void printSummary(const Json &j) {
  const Json &u = j["units"];
  outs() << formatv("{0}: delta of {1}, {2} bytes; {3} units changed ({4} "
                    "bytes), {5} new ({6} bytes), {7} removed, {8} moved, {9} "
                    "same\n",
                    text(j.at("delta")), text(j.at("library")),
                    text(j.at("bytes")), text(u.at("changed")),
                    text(u.at("changedBytes")), text(u.at("new")),
                    text(u.at("newBytes")), text(u.at("removed")),
                    text(u.at("moved")), text(u.at("same")));
}

static void show(const DeltaArguments &a, Session &session) {
  auto file = readFile(a.files[0]);
  Json j = describe(*file, true);
  if (session.json)
    return session.print(j);
  printSummary(j);
  for (const char *side : {"base", "new"})
    outs() << formatv("{0,-5}{1} bytes, {2}\n", side, text(j[side]["bytes"]),
                      text(j[side]["hash"]));
  Table table({"unit", "section", "symbol", ">bytes"});
  for (const Json &u : j["list"])
    table.row({text(u.at("state")), text(u.at("section")), text(u.at("symbol")),
               text(u.at("bytes"))});
  for (const Json &t : j["tombstones"])
    table.row({"removed", "", text(t), ""});
  if (!table.empty())
    table.print(outs());
}

static void make(const DeltaArguments &a, Session &session) {
  auto base = readFile(a.files[0]), next = readFile(a.files[1]);
  StringRef library =
      a.library.empty() ? libraryOfFile(a.files[0]) : StringRef(a.library);
  auto delta = need(makeDelta(*base, *next, library));
  need(writeFile(a.out, delta->getBuffer()));
  Json j = describe(MemoryBufferRef(delta->getBuffer(), a.out), false);
  session.json ? session.print(j) : printSummary(j);
}

// Deltas in any order; if none goes on from here, the error tells why not.
static void apply(const DeltaArguments &a, Session &session) {
  auto current = readFile(a.files[0]);
  std::vector<std::unique_ptr<MemoryBuffer>> files;
  std::vector<Delta> deltas;
  for (const std::string &path : drop_begin(a.files)) {
    files.push_back(readFile(path));
    deltas.push_back(need(readDelta(*files.back())));
  }
  while (!deltas.empty()) {
    Hash128 hash = hashBytes(current->getBuffer());
    auto it =
        find_if(deltas, [&](const Delta &d) { return d.baseHash == hash; });
    if (it == deltas.end())
      it = deltas.begin();
    current = need(applyDelta(*current, *it));
    deltas.erase(it);
  }
  need(writeFile(a.out, current->getBuffer()));
  if (session.json)
    session.print({{"file", a.out},
                   {"bytes", current->getBufferSize()},
                   {"hash", hashBytes(current->getBuffer()).hex()}});
}

static void run(const DeltaArguments &a, Session &session) {
  if (a.show) {
    if (a.files.size() != 1 || a.apply || !a.out.empty())
      throw Failure("delta --show takes one delta object and no other option");
    return show(a, session);
  }
  if (a.out.empty())
    throw Failure("delta: the output is missing; give it with -o OUT");
  if (a.apply ? a.files.size() < 2 : a.files.size() != 2)
    throw Failure(formatv("delta: {0} files given; expected {1}",
                          a.files.size(),
                          a.apply ? "--apply BASE DELTA..." : "BASE NEW"));
  a.apply ? apply(a, session) : make(a, session);
}

void addDelta(CLI::App &app, Session &session) {
  auto a = std::make_shared<DeltaArguments>();
  CLI::App *command = app.add_subcommand(
      "delta", "Makes a delta object from BASE to NEW (archives or objects), "
               "applies deltas, or shows one");
  command->add_option("FILE", a->files, "BASE NEW; BASE DELTA...; DELTA")
      ->required();
  command->add_option("-o,--output", a->out, "The file to write");
  command->add_option("--library", a->library,
                      "Name of the library, if its file's will not do");
  command->add_flag("--apply", a->apply, "Write what BASE and DELTA... make");
  command->add_flag("--show", a->show, "List the units of a delta object");
  command->callback([a, &session] { run(*a, session); });
}

} // namespace spacer
