//===- UnitList.cpp - the units of a link, as lines of JSON ---------------===//
//
// Lines, not one document: a list of a fleet has a line for each unit of each
// image, and a reader wants to say which one is wrong.
//
//===----------------------------------------------------------------------===//

#include "UnitList.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace spacer {

static constexpr StringLiteral unitKinds[] = {"text", "ro",     "data",
                                              "bss",  "string", "tls"};
static constexpr StringLiteral slotKinds[] = {"door", "entry", "got"};

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

PlanImage planImage(const Model &model, const Atlas &atlas, StringRef name,
                    const std::vector<bool> &plainFunctions,
                    const std::vector<bool> &taken) {
  PlanImage image;
  image.name = name.str();
  image.machine = atlas.machine();
  image.window = atlas.window();
  for (const std::string &library : model.libraries)
    if (!library.empty())
      image.libraries.push_back(library);
  llvm::sort(image.libraries);
  for (size_t i = 0; i != model.units.size(); ++i) {
    const Unit &u = model.units[i];
    PlanUnit &p = image.units.emplace_back();
    p.library = model.libraries[u.library];
    p.name = u.name;
    p.key = u.named ? u.place : Hash128();
    p.identity = u.identity;
    p.kind = u.kind;
    p.bytes = u.bytes;
    p.align = u.align;
    p.address = u.isPrivate ? 0 : u.address;
    p.isPrivate = u.isPrivate;
    p.named = u.named;
    p.unstable = u.unstable;
    p.isLineTable = u.isLineTable;
    p.plainFunction = plainFunctions[i];
    p.taken = taken[i];
  }
  for (const Slot &s : model.slots) {
    if (!s.wanted || !s.address)
      continue;
    PlanSlot &p = image.slots.emplace_back();
    p.library = model.libraries[s.library];
    p.name = s.name;
    p.key = s.key;
    p.kind = s.kind;
    p.bytes = s.bytes;
    p.address = s.address;
    p.hot = s.hot;
    p.measuredHot = s.measuredHot;
    p.mayBeEntry = s.mayBeEntry;
    if (s.unit != noUnit && !model.units[s.unit].isPrivate) {
      const Unit &u = model.units[s.unit];
      p.target = u.named ? u.place : u.identity;
      if (s.unitOffset)
        p.target = HashBuilder().hash(p.target).u64(s.unitOffset).finish();
    }
  }
  return image;
}

namespace {
/// One line: an array of strings and numbers.
class Line {
public:
  explicit Line(raw_ostream &o) : os(o) { os << '['; }
  ~Line() { os << "]\n"; }
  Line &text(StringRef s) {
    separate();
    // Names that need no escape are nearly all.
    if (llvm::all_of(s, [](char c) {
          return c >= ' ' && c < 127 && c != '"' && c != '\\';
        }))
      os << '"' << s << '"';
    else
      os << json::Value(json::isUTF8(s) ? s.str() : json::fixUTF8(s));
    return *this;
  }
  Line &number(uint64_t v) {
    separate();
    os << v;
    return *this;
  }

private:
  void separate() {
    if (std::exchange(more, true))
      os << ',';
  }
  raw_ostream &os;
  bool more = false;
};
} // namespace

static std::string hashText(const Hash128 &h) {
  return h.isZero() ? "" : h.hex();
}

void writeUnitList(const PlanImage &image, raw_ostream &os) {
  json::Object head{{"image", json::fixUTF8(image.name)},
                    {"units", int64_t(image.units.size())},
                    {"slots", int64_t(image.slots.size())},
                    {"machine", int64_t(image.machine)}};
  if (image.window)
    head["window"] =
        formatv("{0:x}:{1:x}", image.window->base, image.window->bytes).str();
  if (!image.libraries.empty()) {
    json::Array names;
    for (const std::string &library : image.libraries)
      names.push_back(json::fixUTF8(library));
    head["libraries"] = std::move(names);
  }
  os << json::Value(std::move(head)) << '\n';
  for (const PlanUnit &u : image.units) {
    std::string flags;
    if (u.named)
      flags += 'n';
    if (u.unstable)
      flags += 'u';
    if (u.isLineTable)
      flags += 'l';
    if (u.plainFunction)
      flags += 'f';
    if (u.taken)
      flags += 'a';
    Line(os)
        .text(u.library)
        .text(hashText(u.key))
        .text(unitKinds[unsigned(u.kind)])
        .number(u.bytes)
        .number(u.align)
        .text(hashText(u.identity))
        .number(u.isPrivate)
        .text(u.name)
        .text(flags)
        .number(u.address);
  }
  for (const PlanSlot &s : image.slots)
    Line(os)
        .text(s.library)
        .text(hashText(s.key))
        .text(slotKinds[unsigned(s.kind)])
        .number(s.bytes)
        .number(s.bytes)
        .text(hashText(s.target))
        .number(s.target.isZero())
        .text(s.name)
        .text(std::string(s.hot ? "h" : "") + (s.measuredHot ? "c" : "") +
              (s.mayBeEntry ? "m" : ""))
        .number(s.address);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Reads one list; the first thing that is wrong is kept in `problem`.
class Reader {
public:
  Error line(StringRef text);
  Error endImage();
  std::vector<PlanImage> images;

private:
  Error head(const json::Object &o);
  Error row(const json::Array &a);
  static Error wrong(const Twine &what) {
    return make_error<StringError>(what, inconvertibleErrorCode());
  }
  size_t unitsPromised = 0, slotsPromised = 0;
};

/// The columns of one line, with what is wrong first.
class Columns {
public:
  explicit Columns(const json::Array &a) : array(a) {}
  StringRef text(size_t i, const char *what, bool optional = false) {
    if (i < array.size())
      if (std::optional<StringRef> s = array[i].getAsString())
        return *s;
    if (!optional || i < array.size())
      expected(i, what, "a string");
    return "";
  }
  uint64_t number(size_t i, const char *what, bool optional = false) {
    if (i < array.size())
      if (std::optional<uint64_t> n = array[i].getAsUINT64())
        return *n;
    if (!optional || i < array.size())
      expected(i, what, "a number");
    return 0;
  }
  /// At most 32 digits; fewer are a shorter digest.
  Hash128 hash(size_t i, const char *what) {
    StringRef digits = text(i, what);
    std::string whole = digits.str() + std::string(digits.size() % 2, '0');
    std::string bytes;
    if (whole.size() > 32 || !tryGetFromHex(whole, bytes))
      expected(i, what, "at most 32 hexadecimal digits");
    Hash128 h;
    memcpy(h.bytes.data(), bytes.data(), std::min<size_t>(bytes.size(), 16));
    return h;
  }
  void expected(size_t i, const char *what, const char *form) {
    if (problem.empty())
      problem = formatv("column {0}, {1}: expected {2}", i + 1, what, form);
  }
  std::string problem;

private:
  const json::Array &array;
};

} // namespace

Error Reader::endImage() {
  if (images.empty())
    return wrong("no image, expected a line {\"image\":NAME,\"units\":N}");
  const PlanImage &last = images.back();
  if (last.units.size() != unitsPromised || last.slots.size() != slotsPromised)
    return wrong(formatv("{0} units and {1} slots of {2}, its first line says "
                         "{3} and {4}",
                         last.units.size(), last.slots.size(), last.name,
                         unitsPromised, slotsPromised));
  return Error::success();
}

Error Reader::head(const json::Object &o) {
  if (!images.empty())
    if (Error e = endImage())
      return e;
  std::optional<StringRef> name = o.getString("image");
  std::optional<int64_t> units = o.getInteger("units");
  if (!name || !units || *units < 0)
    return wrong("expected {\"image\":NAME,\"units\":N}");
  PlanImage &image = images.emplace_back();
  image.name = name->str();
  image.machine = uint32_t(o.getInteger("machine").value_or(62));
  unitsPromised = size_t(*units);
  slotsPromised = size_t(o.getInteger("slots").value_or(0));
  if (const json::Array *names = o.getArray("libraries"))
    for (const json::Value &v : *names)
      if (std::optional<StringRef> library = v.getAsString())
        image.libraries.push_back(library->str());
  if (std::optional<StringRef> window = o.getString("window")) {
    auto [base, bytes] = window->split(':');
    Window w;
    if (base.getAsInteger(0, w.base) || bytes.getAsInteger(0, w.bytes))
      return wrong("window " + *window + ", expected BASE:SIZE");
    image.window = w;
  }
  return Error::success();
}

Error Reader::row(const json::Array &a) {
  if (images.empty())
    return wrong("a unit before the first image");
  Columns c(a);
  StringRef library = c.text(0, "library"), kind = c.text(2, "kind");
  Hash128 key = c.hash(1, "key"), identity = c.hash(5, "identity");
  uint64_t bytes = c.number(3, "bytes"), align = c.number(4, "align");
  bool isPrivate = c.number(6, "private") != 0;
  std::string name = c.text(7, "name", true).str();
  StringRef flags = c.text(8, "flags", true);
  uint64_t address = c.number(9, "address", true);
  if (!isPowerOf2_64(align) || align > pageBytes)
    c.expected(4, "align", "a power of two, at most 4096");
  const auto *unitKind = llvm::find(unitKinds, kind);
  const auto *slotKind = llvm::find(slotKinds, kind);
  if (unitKind != std::end(unitKinds)) {
    PlanUnit u{library.str(),
               std::move(name),
               key,
               identity,
               UnitKind(unitKind - unitKinds),
               bytes,
               align};
    u.address = address;
    u.isPrivate = isPrivate;
    u.named = flags.contains('n');
    u.unstable = flags.contains('u');
    u.isLineTable = flags.contains('l');
    u.taken = flags.contains('a');
    // A list without flags is of C functions, one a section.
    u.plainFunction = a.size() > 8 ? flags.contains('f')
                                   : u.kind == UnitKind::Text && align == 16;
    images.back().units.push_back(std::move(u));
  } else if (slotKind != std::end(slotKinds)) {
    PlanSlot s{library.str(), std::move(name), key, SlotKind::Door, 8,
               identity};
    s.kind = SlotKind(slotKind - slotKinds);
    s.bytes = uint16_t(bytes);
    s.address = address;
    s.hot = flags.contains('h');
    s.measuredHot = flags.contains('c');
    s.mayBeEntry = flags.contains('m');
    if (bytes != 8 && bytes != 16)
      c.expected(3, "bytes", "8 or 16, as slots have");
    images.back().slots.push_back(std::move(s));
  } else {
    c.expected(2, "kind",
               "text, ro, data, bss, string, tls, door, entry or got");
  }
  return c.problem.empty() ? Error::success() : wrong(c.problem);
}

Error Reader::line(StringRef text) {
  Expected<json::Value> v = json::parse(text);
  if (!v)
    return v.takeError();
  if (const json::Object *o = v->getAsObject())
    return head(*o);
  if (const json::Array *a = v->getAsArray())
    return row(*a);
  return wrong("expected an object or an array");
}

Expected<std::vector<PlanImage>> readUnitList(StringRef text, StringRef path) {
  Reader reader;
  size_t number = 0;
  auto where = [&](Error e) {
    std::string why = toString(std::move(e));
    why.resize(std::min(why.find('\n'), why.size()));
    return createStringError("%s:%zu: %s", path.str().c_str(), number,
                             why.c_str());
  };
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    text = rest;
    ++number;
    if (line.trim().empty())
      continue;
    if (Error e = reader.line(line))
      return where(std::move(e));
  }
  if (Error e = reader.endImage())
    return where(std::move(e));
  return std::move(reader.images);
}

} // namespace spacer
