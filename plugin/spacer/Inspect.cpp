//===- Inspect.cpp - what an image is made of -----------------------------===//
//
//   spacer inspect IMAGE [--atlas FILE] [--pages] [--units] [--slots]
//
// Counts come from the manifest, content from the bytes: a page whose bytes are
// all zero counts as empty whatever its class.
//
//===----------------------------------------------------------------------===//

#include "Atlas.h"
#include "Command.h"
#include "Image.h"
#include "Table.h"
#include <map>

using namespace llvm;

namespace spacer {

namespace {

struct InspectOptions {
  std::string image, atlas;
  bool pages = false, units = false, slots = false;
};

/// Pages of one class in a row: one mapping for the host.
struct Run {
  uint64_t address;
  uint64_t pages;
  PageClass pageClass;
};

struct LibraryCounts {
  std::map<uint64_t, bool> pages; ///< addresses of shared pages
  uint64_t sharedUnits = 0, sharedBytes = 0, privateUnits = 0, privateBytes = 0,
           slots = 0;
};

class Inspector {
public:
  Inspector(const InspectOptions &options, const Session &session)
      : options(options), session(session),
        image(need(Image::read(options.image))) {}
  void run();

private:
  Json describe();
  Json describeManifest(const ManifestView &m);
  Json describeAtlas(const ManifestView &m);
  void printText(const Json &all);

  const InspectOptions &options;
  const Session &session;
  std::unique_ptr<Image> image;
};

} // namespace

static std::string protection(uint32_t flags) {
  return {flags & PageRead ? 'r' : '-', flags & PageWrite ? 'w' : '-',
          flags & PageExec ? 'x' : '-'};
}

static std::vector<Run> runsOf(const ManifestView &m) {
  std::vector<Run> runs;
  for (const ManifestPage &p : m.pages) {
    if (!runs.empty() && runs.back().pageClass == p.pageClass &&
        runs.back().address + runs.back().pages * formatPageBytes == p.address)
      ++runs.back().pages;
    else
      runs.push_back({p.address, 1, p.pageClass});
  }
  return runs;
}

static std::map<StringRef, LibraryCounts>
countLibraries(const ManifestView &m) {
  std::map<StringRef, LibraryCounts> libraries;
  for (const ManifestUnit &u : m.units) {
    LibraryCounts &c = libraries[m.string(u.library)];
    bool own = u.flags & UnitPrivate;
    ++(own ? c.privateUnits : c.sharedUnits);
    (own ? c.privateBytes : c.sharedBytes) += u.bytes;
    if (own || !u.bytes)
      continue;
    // By the pages of the manifest: a unit may claim any size.
    auto page = llvm::partition_point(m.pages, [&](const ManifestPage &p) {
      return p.address + formatPageBytes <= u.address;
    });
    for (; page != m.pages.end() && page->address < u.address + u.bytes; ++page)
      c.pages[page->address] = true;
  }
  for (const ManifestSlot &s : m.slots)
    ++libraries[m.string(s.library)].slots;
  return libraries;
}

/// How many pages of each class there are, how many of them hold only zeros, in
/// how many runs.
static Json describeClasses(const Image &image, const ManifestView &m) {
  uint64_t pages[pageClassCount] = {}, zero[pageClassCount] = {},
           runs[pageClassCount] = {};
  for (const ManifestPage &p : m.pages) {
    const LoadedPage *loaded = image.page(p.address);
    ++pages[unsigned(p.pageClass)];
    zero[unsigned(p.pageClass)] += !loaded || loaded->isZero;
  }
  for (const Run &r : runsOf(m))
    ++runs[unsigned(r.pageClass)];
  Json out = Json::object();
  for (unsigned c = 0; c != pageClassCount; ++c)
    if (pages[c])
      out[className(PageClass(c)).str()] = {
          {"pages", pages[c]}, {"zeroPages", zero[c]}, {"runs", runs[c]}};
  return out;
}

static Json describeSlots(const ManifestView &m) {
  uint64_t count[slotKindCount] = {}, bytes[slotKindCount] = {}, patched = 0;
  for (const ManifestSlot &s : m.slots) {
    ++count[unsigned(s.kind)];
    bytes[unsigned(s.kind)] += s.bytes;
    patched += s.kind == SlotKind::Entry && s.target != s.address;
  }
  return {{"door", count[0]},  {"doorBytes", bytes[0]},
          {"entry", count[1]}, {"patchedEntries", patched},
          {"got", count[2]},   {"gotBytes", bytes[2]}};
}

Json Inspector::describeManifest(const ManifestView &m) {
  Json libraries = Json::array();
  for (auto &[name, c] : countLibraries(m))
    libraries.push_back({{"name", name.str()},
                         {"pages", c.pages.size()},
                         {"units", c.sharedUnits},
                         {"bytes", c.sharedBytes},
                         {"privateUnits", c.privateUnits},
                         {"privateBytes", c.privateBytes},
                         {"slots", c.slots}});
  Json regions = Json::array();
  for (const Run &r : runsOf(m))
    regions.push_back({{"address", hex(r.address)},
                       {"pages", r.pages},
                       {"class", className(r.pageClass).str()}});
  return {{"version", m.header.version},
          {"atlas", digest(m.header.atlasId).hex()},
          {"window",
           {{"base", hex(m.header.windowBase)},
            {"bytes", hex(m.header.windowBytes)}}},
          {"classes", describeClasses(*image, m)},
          {"regions", regions},
          {"libraries", libraries},
          {"slots", describeSlots(m)}};
}

/// How the image's pages look in the atlas.
Json Inspector::describeAtlas(const ManifestView &m) {
  auto atlas = need(Atlas::open(options.atlas, AtlasMode::Frozen, std::nullopt,
                                image->machine));
  if (atlas->id() != digest(m.header.atlasId))
    throw Failure(image->path + ": linked with atlas " +
                  digest(m.header.atlasId).hex() + ", " + options.atlas +
                  " is " + atlas->id().hex());
  uint64_t known = 0, first = 0, unknown = 0;
  for (const ManifestPage &p : m.pages) {
    const LoadedPage *page = image->page(p.address);
    if (!isShared(p.pageClass) || p.pageClass == PageClass::Bss || !page)
      continue;
    const PageVariant *v =
        need(atlas->findVariant(p.address, {page->bytes, formatPageBytes}));
    ++(v ? known : unknown);
    first += v && v->variant == 0;
  }
  need(atlas->commit());
  Json regions = Json::object();
  for (unsigned i = 0; i != regionCount; ++i) {
    const RegionState &r = atlas->region(Region(i));
    regions[regionName(Region(i)).str()] = {
        {"parts", r.parts.size()},
        {"pages", r.bytes() / pageBytes},
        {"usedPages", r.usedBytes() / pageBytes}};
  }
  return {{"file", options.atlas},
          {"pagesKnown", known},
          {"pagesFirstVariant", first},
          {"pagesUnknown", unknown},
          {"regions", regions}};
}

Json Inspector::describe() {
  Json segments = Json::array();
  for (const Segment &s : image->segments)
    segments.push_back({{"address", hex(s.address)},
                        {"fileOffset", hex(s.fileOffset)},
                        {"fileBytes", s.fileBytes},
                        {"memoryBytes", s.memBytes},
                        {"protection", protection(s.flags)}});
  uint64_t zero = 0;
  for (const LoadedPage &p : image->pages)
    zero += p.isZero;
  Json all = {
      {"image", image->path},       {"format", image->format},
      {"entry", hex(image->entry)}, {"pagesInFile", image->pages.size()},
      {"zeroPagesInFile", zero},    {"segments", segments}};
  if (image->manifest)
    all["manifest"] = describeManifest(*image->manifest);
  if (!options.atlas.empty())
    all["atlas"] = describeAtlas(needManifest(*image));
  return all;
}

void Inspector::printText(const Json &all) {
  outs() << formatv("{0}: {1}, entry {2}, {3} pages in the file, {4} of them "
                    "zero\n",
                    image->path, image->format, text(all.at("entry")),
                    image->pages.size(), text(all.at("zeroPagesInFile")));
  Table segments({"segment", ">file bytes", ">memory bytes", "protection"});
  for (const Json &s : all["segments"])
    segments.row({text(s.at("address")), text(s.at("fileBytes")),
                  text(s.at("memoryBytes")), text(s.at("protection"))});
  segments.print(outs());
  if (!image->manifest) {
    outs() << "no manifest: linked without an atlas\n";
    return;
  }
  const Json &m = all["manifest"];
  outs() << formatv("\nmanifest format {0}, atlas {1}, window {2}:{3}\n",
                    text(m.at("version")), text(m.at("atlas")),
                    text(m.at("window").at("base")),
                    text(m.at("window").at("bytes")));
  Table classes({"class", ">pages", ">zero", ">runs"});
  for (auto &[name, c] : m["classes"].items())
    classes.row({name, text(c.at("pages")), text(c.at("zeroPages")),
                 text(c.at("runs"))});
  classes.print(outs());

  outs() << "\nregions\n";
  Table regions({"address", ">pages", "class"});
  for (const Json &r : m["regions"])
    regions.row(
        {text(r.at("address")), text(r.at("pages")), text(r.at("class"))});
  regions.print(outs());

  outs() << "\nlibraries (pages are shared ones; several libraries may share "
            "one)\n";
  Table libraries({"library", ">pages", ">units", ">bytes", ">private units",
                   ">private bytes", ">slots"});
  for (const Json &l : m["libraries"])
    libraries.row({l["name"] == "" ? "(none)" : text(l.at("name")),
                   text(l.at("pages")), text(l.at("units")),
                   text(l.at("bytes")), text(l.at("privateUnits")),
                   text(l.at("privateBytes")), text(l.at("slots"))});
  libraries.print(outs());

  const Json &s = m["slots"];
  outs() << formatv("\nslots: {0} doors ({1} bytes), {2} entries ({3} of them "
                    "patched), {4} in the GOT ({5} bytes)\n",
                    text(s.at("door")), text(s.at("doorBytes")),
                    text(s.at("entry")), text(s.at("patchedEntries")),
                    text(s.at("got")), text(s.at("gotBytes")));
  if (!all.contains("atlas"))
    return;
  const Json &a = all["atlas"];
  outs() << formatv("\n{0}: {1} shared pages as recorded ({2} of them as first "
                    "seen), {3} not recorded\n",
                    options.atlas, text(a.at("pagesKnown")),
                    text(a.at("pagesFirstVariant")),
                    text(a.at("pagesUnknown")));
  Table used({"region", ">parts", ">pages", ">used"});
  for (auto &[name, r] : a["regions"].items())
    used.row({name, text(r.at("parts")), text(r.at("pages")),
              text(r.at("usedPages"))});
  used.print(outs());
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// A list as rows of JSON objects or as a text table with the same columns.
static void list(const Session &session, Json &all, const char *what,
                 std::vector<std::string> headings, std::vector<Json> rows) {
  if (session.json) {
    all[what] = std::move(rows);
    return;
  }
  outs() << '\n' << what << '\n';
  printRows(std::move(headings), std::move(rows));
}

static std::vector<Json> pageRows(const ManifestView &m) {
  std::vector<Json> rows;
  rows.reserve(m.pages.size());
  for (const ManifestPage &p : m.pages)
    rows.push_back(
        {{"address", hex(p.address)},
         {"fileOffset", hex(p.fileOffset)},
         {"class", className(p.pageClass).str()},
         {"protection", protection(p.flags)},
         {"hash", p.flags & PageUnhashed ? "" : digest(p.hash).hex()}});
  return rows;
}

static std::vector<Json> unitRows(const ManifestView &m) {
  std::vector<Json> rows;
  rows.reserve(m.units.size());
  for (const ManifestUnit &u : m.units)
    rows.push_back({{"address", hex(u.address)},
                    {"bytes", u.bytes},
                    {"kind", kindName(u.kind).str()},
                    {"private", bool(u.flags & UnitPrivate)},
                    {"named", bool(u.flags & UnitNamed)},
                    {"identity", digest(u.identity).hex()},
                    {"library", m.string(u.library).str()},
                    {"name", m.name(u).str()}});
  return rows;
}

static std::vector<Json> slotRows(const ManifestView &m) {
  std::vector<Json> rows;
  rows.reserve(m.slots.size());
  for (const ManifestSlot &s : m.slots)
    rows.push_back({{"address", hex(s.address)},
                    {"target", hex(s.target)},
                    {"bytes", s.bytes},
                    {"kind", kindName(s.kind).str()},
                    {"library", m.string(s.library).str()},
                    {"name", m.name(s).str()}});
  return rows;
}

void Inspector::run() {
  Json all = describe();
  if (!session.json)
    printText(all);
  if (options.pages)
    list(session, all, "pages",
         {"address", ">file offset", "class", "protection", "hash"},
         pageRows(needManifest(*image)));
  if (options.units)
    list(session, all, "units",
         {"address", ">bytes", "kind", "private", "named", "identity",
          "library", "name"},
         unitRows(needManifest(*image)));
  if (options.slots)
    list(session, all, "slotList",
         {"address", "target", ">bytes", "kind", "library", "name"},
         slotRows(needManifest(*image)));
  if (session.json)
    session.print(all);
}

void addInspect(CLI::App &app, Session &session) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App *command = app.add_subcommand(
      "inspect", "What an image is made of: pages, libraries, slots, segments");
  command->add_option("IMAGE", options->image, "ELF image")->required();
  command->add_option("--atlas", options->atlas,
                      "The atlas of the image: what of it is recorded there");
  command->add_flag("--pages", options->pages, "List each page");
  command->add_flag("--units", options->units,
                    "List each function, object and string");
  command->add_flag("--slots", options->slots, "List each function slot");
  command->callback(
      [options, &session] { Inspector(*options, session).run(); });
}

} // namespace spacer
