//===- AtlasDump.cpp - an atlas as lines of JSON --------------------------===//

#include "AtlasDump.h"
#include "ManifestView.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Base64.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

namespace spacer {

static constexpr unsigned dumpVersion = 2;

//===----------------------------------------------------------------------===//
// Out
//===----------------------------------------------------------------------===//

static void setName(Json &j, StringRef name) {
  auto *begin = reinterpret_cast<const UTF8 *>(name.begin());
  if (isLegalUTF8String(&begin, reinterpret_cast<const UTF8 *>(name.end())))
    j["name"] = name.str();
  else
    j["nameHex"] = toHex(name, /*LowerCase=*/true);
}

static Json unitLine(const UnitRow &u) {
  Json j = {{"unit", u.identity.hex()},
            {"kind", kindName(u.kind).str()},
            {"address", hex(u.address)},
            {"bytes", u.bytes},
            {"library", u.library}};
  setName(j, u.name);
  return j;
}

static Json placeLine(const PlaceRow &p) {
  Json j = {{"place", p.key.hex()},
            {"generation", p.generation},
            {"kind", kindName(p.kind).str()},
            {"address", hex(p.address)},
            {"capacity", p.capacity},
            {"align", p.align},
            {"library", p.library}};
  setName(j, p.name);
  return j;
}

static Json slotLine(const SlotRow &s) {
  Json j = {{"slot", s.key.hex()},
            {"kind", kindName(s.kind).str()},
            {"address", hex(s.address)},
            {"bytes", s.bytes},
            {"library", s.library}};
  setName(j, s.name);
  return j;
}

void dumpAtlas(Atlas &atlas, function_ref<void(const Json &)> line) {
  uint64_t lines = 0;
  auto put = [&](const Json &j) {
    line(j);
    ++lines;
  };
  put({{"atlas", dumpVersion},
       {"machine", atlas.machine()},
       {"window",
        {{"base", hex(atlas.window().base)},
         {"bytes", hex(atlas.window().bytes)}}},
       {"id", atlas.id().hex()}});
  uint64_t libraries = need(atlas.counts()).libraries;
  for (uint32_t i = 1; i <= libraries; ++i) {
    Json j = {{"library", i}};
    setName(j, atlas.libraryName(i));
    put(j);
  }
  for (unsigned i = 0; i != regionCount; ++i)
    for (const RegionPart &p : atlas.region(Region(i)).parts)
      put({{"part", hex(p.range.base)},
           {"region", regionName(Region(i)).str()},
           {"bytes", p.range.bytes},
           {"next", hex(p.next)}});
  for (unsigned i = 0; i != regionCount; ++i)
    for (const ExtentRow &e : atlas.extents(Region(i)))
      put({{"extent", hex(e.base)},
           {"region", regionName(Region(i)).str()},
           {"bytes", e.bytes},
           {"library", e.library}});
  need(atlas.forEachUnit([&](const UnitRow &u) { put(unitLine(u)); }));
  need(atlas.forEachPlace([&](const PlaceRow &p) { put(placeLine(p)); }));
  need(atlas.forEachSlot([&](const SlotRow &s) { put(slotLine(s)); }));
  need(atlas.forEachPage([&](uint64_t address, const PageVariant &v) {
    put({{"page", hex(address)},
         {"variant", v.variant},
         {"content", encodeBase64(v.content)}});
  }));
  need(atlas.commit());
  line({{"end", lines}});
}

//===----------------------------------------------------------------------===//
// In
//===----------------------------------------------------------------------===//

/// A member of \p j; nlohmann's exceptions say what is missing or of another
/// type.
static uint64_t number(const Json &j, const char *key) {
  return j.at(key).get<uint64_t>();
}

static uint64_t address(const Json &j, const char *key) {
  std::string s = j.at(key);
  uint64_t v;
  if (!StringRef(s).starts_with("0x") ||
      StringRef(s).drop_front(2).getAsInteger(16, v))
    throw Failure(std::string(key) + " is " + s + ", expected 0x and digits");
  return v;
}

static Hash128 hash(const Json &j, const char *key) {
  std::string s = j.at(key), bytes;
  Hash128 h;
  if (!tryGetFromHex(s, bytes) || bytes.size() != h.bytes.size())
    throw Failure(std::string(key) + " is " + s +
                  ", expected 32 hexadecimal digits");
  memcpy(h.bytes.data(), bytes.data(), bytes.size());
  return h;
}

static std::string name(const Json &j) {
  if (!j.contains("nameHex"))
    return j.at("name");
  std::string bytes;
  if (!tryGetFromHex(j.at("nameHex").get<std::string>(), bytes))
    throw Failure("nameHex is not hexadecimal");
  return bytes;
}

/// The enumerator that \p nameOf gives this name.
template <class Kind, class Fn>
static Kind kind(const Json &j, const char *key, unsigned count, Fn nameOf) {
  std::string s = j.at(key);
  for (unsigned i = 0; i != count; ++i)
    if (nameOf(Kind(i)) == s)
      return Kind(i);
  throw Failure(std::string(key) + " is " + s + ", which is none that I know");
}
static UnitKind unitKind(const Json &j) {
  return kind<UnitKind>(j, "kind", unitKindCount,
                        [](UnitKind k) { return kindName(k); });
}

void AtlasLoader::begin(const Json &j) {
  if (number(j, "atlas") != dumpVersion)
    throw Failure("dump format " + j.at("atlas").dump() + ", expected " +
                  std::to_string(dumpVersion));
  uint64_t size = 0;
  if (!sys::fs::file_size(path, size) && size)
    throw Failure(path + ": exists, import makes a new atlas");
  Window window{address(j.at("window"), "base"),
                address(j.at("window"), "bytes")};
  atlas = need(Atlas::open(path, AtlasMode::Grow, window,
                           uint32_t(number(j, "machine"))));
  if (!atlas->changed()) // somebody else was quicker
    throw Failure(path + ": exists, import makes a new atlas");
  if (atlas->id() != hash(j, "id"))
    throw Failure("id is " + hash(j, "id").hex() +
                  ", machine and window give " + atlas->id().hex());
}

void AtlasLoader::library(const Json &j) {
  uint32_t id = atlas->libraryId(name(j));
  if (id != number(j, "library"))
    throw Failure("library " + j.at("library").dump() + ", expected " +
                  std::to_string(id));
}

void AtlasLoader::page(const Json &j) {
  std::vector<char> content;
  if (Error e = decodeBase64(j.at("content").get<std::string>(), content))
    throw Failure("content is not base64: " + toString(std::move(e)));
  uint64_t at = address(j, "page");
  if (content.size() != pageBytes || at % pageBytes)
    throw Failure("page of " + std::to_string(content.size()) + " bytes at " +
                  hex(at) + ", expected 4096 at a multiple of that");
  uint32_t variant = atlas->addPageVariant(
      at, {reinterpret_cast<uint8_t *>(content.data()), content.size()});
  if (variant != number(j, "variant"))
    throw Failure("variant " + j.at("variant").dump() + ", expected " +
                  std::to_string(variant));
}

void AtlasLoader::row(const std::string &what, const Json &j) {
  auto region = [&] {
    return kind<Region>(j, "region", regionCount, regionName);
  };
  auto lib = [&] { return uint32_t(number(j, "library")); };
  auto twice = [&](bool isNew) {
    if (!isNew)
      throw Failure(what + " " + j.at(what).get<std::string>() + " twice");
  };
  if (what == "library")
    library(j);
  else if (what == "part")
    atlas->region(region()).parts.push_back(
        {{address(j, "part"), number(j, "bytes")}, address(j, "next")});
  else if (what == "extent")
    atlas->addExtent(
        {region(), address(j, "extent"), number(j, "bytes"), lib()});
  else if (what == "unit") {
    Hash128 identity = hash(j, "unit");
    twice(!atlas->findUnit(identity));
    atlas->addUnit({identity, unitKind(j), address(j, "address"),
                    number(j, "bytes"), lib(), name(j)});
  } else if (what == "place") {
    PlaceRow p{hash(j, "place"),
               uint32_t(number(j, "generation")),
               unitKind(j),
               address(j, "address"),
               number(j, "capacity"),
               number(j, "align"),
               lib(),
               name(j)};
    for (const PlaceRow &known : atlas->findPlaces(p.key))
      twice(known.generation != p.generation);
    atlas->addPlace(std::move(p));
  } else if (what == "slot") {
    Hash128 key = hash(j, "slot");
    twice(!atlas->findSlot(key));
    atlas->addSlot({key,
                    kind<SlotKind>(j, "kind", slotKindCount,
                                   [](SlotKind k) { return kindName(k); }),
                    address(j, "address"), uint16_t(number(j, "bytes")), lib(),
                    name(j)});
  } else if (what == "page")
    page(j);
  else
    throw Failure("a line that begins with " + what +
                  ", which is nothing that I know");
}

void AtlasLoader::line(StringRef text) {
  if (ended)
    throw Failure("goes on after its end");
  try {
    Json j = Json::parse(text.begin(), text.end());
    if (!j.is_object() || j.empty())
      throw Failure("expected an object");
    std::string what = j.begin().key();
    if (!atlas && what != "atlas")
      throw Failure("begins with " + what + ", expected atlas");
    if (what == "end") {
      if (number(j, "end") != lines)
        throw Failure("ends after " + std::to_string(lines) +
                      " lines, expected " + j.at("end").dump());
      ended = true;
    } else if (what == "atlas" && !atlas) {
      begin(j);
    } else {
      row(what, j);
    }
  } catch (const Json::exception &e) {
    throw Failure(e.what());
  }
  ++lines;
}

void AtlasLoader::finish() {
  if (!ended)
    throw Failure("ends without the line that says so: not a whole dump");
  need(atlas->commit());
  atlas.reset();
  // Lines may contradict each other in ways that none of them shows.
  auto refuse = [&](StringRef why) {
    (void)sys::fs::remove(path);
    why.consume_front(path + ": ");
    throw Failure("rows that cannot be: " + why.str());
  };
  Expected<std::unique_ptr<Atlas>> whole =
      Atlas::open(path, AtlasMode::Frozen, std::nullopt, 0);
  if (!whole)
    refuse(toString(whole.takeError()));
  Expected<std::vector<std::string>> problems = (*whole)->check();
  if (!problems)
    refuse(toString(problems.takeError()));
  if (!problems->empty())
    refuse(problems->front());
}

} // namespace spacer
