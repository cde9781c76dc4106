//===- AtlasCommand.cpp - a look at the ledger ----------------------------===//
//
//   spacer atlas show FILE [--units] [--places] [--slots] [--pages]
//   spacer atlas check FILE
//   spacer atlas export FILE [-o DUMP]
//   spacer atlas import FILE [-i DUMP]
//   spacer atlas plan ... (PlanCommand.cpp)
//
//===----------------------------------------------------------------------===//

#include "AtlasDump.h"
#include "ManifestView.h"
#include "PlanCommand.h"
#include "Table.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace spacer {

namespace {

struct AtlasOptions {
  std::string file, dump = "-";
  bool units = false, places = false, slots = false, pages = false;
};

struct LibrarySums {
  uint64_t units = 0, bytes = 0, places = 0, slots = 0;
};

} // namespace

static std::unique_ptr<Atlas> openAtlas(const std::string &file) {
  return need(Atlas::open(file, AtlasMode::Frozen, std::nullopt, 0));
}

//===----------------------------------------------------------------------===//
// show
//===----------------------------------------------------------------------===//

static std::vector<LibrarySums> sumLibraries(Atlas &atlas, uint64_t count) {
  // Rows may be damaged: a library that is not there counts as none.
  std::vector<LibrarySums> sums(count + 1);
  auto of = [&](uint32_t id) -> LibrarySums & {
    return sums[id < sums.size() ? id : 0];
  };
  need(atlas.forEachUnit([&](const UnitRow &u) {
    ++of(u.library).units;
    of(u.library).bytes += u.bytes;
  }));
  need(atlas.forEachPlace([&](const PlaceRow &p) {
    ++of(p.library).places;
    of(p.library).bytes += p.capacity;
  }));
  need(atlas.forEachSlot([&](const SlotRow &s) { ++of(s.library).slots; }));
  return sums;
}

static Json describe(Atlas &atlas) {
  AtlasCounts c = need(atlas.counts());
  Json regions = Json::array(), libraries = Json::array();
  for (unsigned i = 0; i != regionCount; ++i) {
    const RegionState &r = atlas.region(Region(i));
    regions.push_back(
        {{"region", regionName(Region(i)).str()},
         {"base", r.parts.empty() ? "-" : hex(r.parts.front().range.base)},
         {"parts", r.parts.size()},
         {"pages", r.bytes() / pageBytes},
         {"used", r.usedBytes() / pageBytes},
         {"extents", atlas.extents(Region(i)).size()}});
  }
  std::vector<LibrarySums> sums = sumLibraries(atlas, c.libraries);
  for (uint32_t i = 0; i != sums.size(); ++i)
    if (i || sums[i].units || sums[i].places || sums[i].slots)
      libraries.push_back({{"library", atlas.libraryName(i).str()},
                           {"units", sums[i].units},
                           {"places", sums[i].places},
                           {"bytes", sums[i].bytes},
                           {"slots", sums[i].slots}});
  return {{"file", atlas.path()},
          {"machine", atlas.machine()},
          {"id", atlas.id().hex()},
          {"window",
           {{"base", hex(atlas.window().base)},
            {"bytes", hex(atlas.window().bytes)}}},
          {"units", c.units},
          {"places", c.places},
          {"slots", c.slots},
          {"pages", c.pages},
          {"variants", c.variants},
          {"extents", c.extents},
          {"regions", regions},
          {"libraries", libraries}};
}

static void printText(const Json &j) {
  outs() << formatv("{0}: atlas {1} for ELF machine {2}, window {3}:{4}\n",
                    text(j.at("file")), text(j.at("id")), text(j.at("machine")),
                    text(j.at("window").at("base")),
                    text(j.at("window").at("bytes")))
         << formatv("{0} units, {1} places, {2} slots, {3} pages with {4} "
                    "contents, {5} extents\n",
                    text(j.at("units")), text(j.at("places")),
                    text(j.at("slots")), text(j.at("pages")),
                    text(j.at("variants")), text(j.at("extents")));
  printRows({"region", "base", ">parts", ">pages", ">used", ">extents"},
            j["regions"]);
  outs() << '\n';
  printRows({"library", ">units", ">places", ">bytes", ">slots"},
            j["libraries"]);
}

/// Rows as a JSON array, or line by line as text: an atlas may be large.
class RowList {
public:
  RowList(Json &all, bool json, const char *what)
      : rows(json ? &(all[what] = Json::array()) : nullptr) {
    if (!json)
      outs() << '\n' << what << '\n';
  }
  void row(Json cells) {
    if (rows) {
      rows->push_back(std::move(cells));
      return;
    }
    const char *space = "  ";
    for (const Json &cell : cells) {
      outs() << space << text(cell);
      space = " ";
    }
    outs() << '\n';
  }

private:
  Json *rows;
};

static void show(const AtlasOptions &options, const Session &session) {
  auto atlas = openAtlas(options.file);
  Json all = describe(*atlas);
  if (!session.json)
    printText(all);
  auto library = [&](uint32_t id) {
    return id <= all["libraries"].size() ? atlas->libraryName(id).str() : "?";
  };
  if (options.units) {
    RowList list(all, session.json, "unitList");
    need(atlas->forEachUnit([&](const UnitRow &u) {
      list.row({{"address", hex(u.address)},
                {"bytes", u.bytes},
                {"kind", kindName(u.kind).str()},
                {"identity", u.identity.hex()},
                {"library", library(u.library)},
                {"name", u.name}});
    }));
  }
  if (options.places) {
    RowList list(all, session.json, "placeList");
    need(atlas->forEachPlace([&](const PlaceRow &p) {
      list.row({{"address", hex(p.address)},
                {"capacity", p.capacity},
                {"align", p.align},
                {"kind", kindName(p.kind).str()},
                {"generation", p.generation},
                {"key", p.key.hex()},
                {"library", library(p.library)},
                {"name", p.name}});
    }));
  }
  if (options.slots) {
    RowList list(all, session.json, "slotList");
    need(atlas->forEachSlot([&](const SlotRow &s) {
      list.row({{"address", hex(s.address)},
                {"bytes", s.bytes},
                {"kind", kindName(s.kind).str()},
                {"key", s.key.hex()},
                {"library", library(s.library)},
                {"name", s.name}});
    }));
  }
  if (options.pages) {
    RowList list(all, session.json, "pageList");
    need(atlas->forEachPage([&](uint64_t address, const PageVariant &v) {
      list.row({{"address", hex(address)},
                {"variant", v.variant},
                {"hash", v.hash.hex()}});
    }));
  }
  need(atlas->commit());
  if (session.json)
    session.print(all);
}

//===----------------------------------------------------------------------===//
// check, export, import
//===----------------------------------------------------------------------===//

static void check(const AtlasOptions &options, Session &session) {
  auto atlas = openAtlas(options.file);
  std::vector<std::string> problems = need(atlas->check());
  need(atlas->commit());
  if (!problems.empty())
    session.exitCode = exitNo;
  if (session.json) {
    session.print({{"file", options.file},
                   {"fine", problems.empty()},
                   {"problems", problems}});
    return;
  }
  for (const std::string &p : problems)
    outs() << options.file << ": " << p << '\n';
  if (problems.empty())
    outs() << options.file << ": all is well\n";
}

static void exportDump(const AtlasOptions &options) {
  auto atlas = openAtlas(options.file);
  std::error_code ec;
  raw_fd_ostream out(options.dump, ec);
  if (ec)
    throw Failure(options.dump + ": " + ec.message());
  dumpAtlas(*atlas, [&](const Json &j) { out << j.dump() << '\n'; });
  out.flush();
  if (out.has_error()) {
    ec = out.error();
    out.clear_error();
    throw Failure(options.dump + ": " + ec.message());
  }
}

static void importDump(const AtlasOptions &options) {
  auto buffer = MemoryBuffer::getFileOrSTDIN(options.dump, /*IsText=*/true);
  if (!buffer)
    throw Failure(options.dump + ": " + buffer.getError().message());
  AtlasLoader loader(options.file);
  line_iterator line(**buffer);
  auto where = [&] {
    return (options.dump == "-" ? "standard input" : options.dump) + ":" +
           std::to_string(line.line_number()) + ": ";
  };
  try {
    for (; !line.is_at_eof(); ++line)
      loader.line(*line);
    loader.finish();
  } catch (const Failure &e) {
    throw Failure(where() + e.what());
  }
}

void addAtlas(CLI::App &app, Session &session) {
  auto options = std::make_shared<AtlasOptions>();
  CLI::App *atlas = app.add_subcommand(
      "atlas", "The ledger that all images of a fleet are linked against");
  atlas->require_subcommand(1);
  auto add = [&](const char *name, const char *about) {
    CLI::App *command = atlas->add_subcommand(name, about);
    command->add_option("FILE", options->file, "The atlas")->required();
    return command;
  };
  CLI::App *command = add("show", "What is in it: counts, regions, libraries");
  command->add_flag("--units", options->units, "List each unit");
  command->add_flag("--places", options->places,
                    "List the place of each named object");
  command->add_flag("--slots", options->slots, "List each slot");
  command->add_flag("--pages", options->pages,
                    "List each content of each page");
  command->callback([options, &session] { show(*options, session); });

  command = add("check", "Everything that can be wrong with it; exit status 1 "
                         "if something is");
  command->callback([options, &session] { check(*options, session); });

  command = add("export", "Writes all of it as lines of JSON");
  command->add_option("-o,--output", options->dump,
                      "Where to; - is standard "
                      "output");
  command->callback([options] { exportDump(*options); });

  command = add("import", "Makes a new atlas from an export");
  command->add_option("-i,--input", options->dump,
                      "Where from; - is standard "
                      "input");
  command->callback([options] { importDump(*options); });

  addAtlasPlan(*atlas, session);
}

} // namespace spacer
