//===- Options.cpp - the --spacer-* flags ---------------------------------===//

#include "Options.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace spacer {

const char optionsHelp[] =
    R"(Flags of ld.spacer, beside those of ld.lld (ld.lld --help). From a compiler
driver: -Wl,--spacer-atlas=fleet.atlas,...

  --spacer-atlas=FILE        link against this atlas; created if absent
  --spacer-mode=grow|frozen  grow (default) adds what is new; frozen never
                             changes the atlas, new code stays private
  --spacer-lib=NAME[@VERSION]=GLOB
                             files (path, base name, or archive(member)) that
                             are library NAME; repeatable. libNAME.a needs none.
                             NAME * names each file's library after the file
  --spacer-private=GLOB      keep matching files or functions private
  --spacer-window=BASE:SIZE  addresses to hand out, when the atlas is created
                             (default 0x1000000:0x7000000; K, M, G suffixes)
  --spacer-trampolines=auto|door|entry|none
                             how functions are reached: doors, their first
                             place (entry), by a call profile (auto), directly
  --spacer-max-segments=N    loaded segments that the image may have, its own
                             included (default 100)
  --spacer-close-gaps=SIZE   load zero pages where between two loaded pages are
                             at most SIZE bytes that no segment loads, for
                             kernels that make heap of each such gap (default 0)
  --spacer-delta=FILE        write what is new in a library as a delta object
  --spacer-delta-base=BASE   since this version of it: the input of the same file
                             name or library is the new one
  --spacer-report[=FILE]     say what was shared and why not; JSON for *.json
  --spacer-units=FILE        write a list of all units, for spacer atlas plan
  --spacer-help              this text
)";

namespace {

Error bad(const Twine &text) {
  return make_error<StringError>(text, inconvertibleErrorCode());
}

bool parseSize(StringRef s, uint64_t &value) {
  unsigned shift = 0;
  if (s.consume_back_insensitive("k"))
    shift = 10;
  else if (s.consume_back_insensitive("m"))
    shift = 20;
  else if (s.consume_back_insensitive("g"))
    shift = 30;
  if (s.getAsInteger(0, value) || (value << shift) >> shift != value)
    return false;
  value <<= shift;
  return true;
}

Expected<GlobPattern> parseGlob(StringRef flag, StringRef text) {
  Expected<GlobPattern> g = GlobPattern::create(text);
  if (!g)
    return bad(flag + "=" + text + ": " + toString(g.takeError()));
  return g;
}

Error parseLibrary(StringRef value, Options &o) {
  auto [who, glob] = value.split('=');
  auto [name, version] = who.split('@');
  if (name.empty() || glob.empty())
    return bad("--spacer-lib=" + value + ": expected NAME[@VERSION]=GLOB");
  Expected<GlobPattern> g = parseGlob("--spacer-lib", glob);
  if (!g)
    return g.takeError();
  o.libraries.push_back({name.str(), version.str(), std::move(*g)});
  return Error::success();
}

Error parseWindow(StringRef value, Options &o) {
  auto [base, size] = value.split(':');
  Window w;
  if (!parseSize(base, w.base) || !parseSize(size, w.bytes))
    return bad("--spacer-window=" + value +
               ": expected BASE:SIZE, such as 0x1000000:112M");
  o.window = w;
  return Error::success();
}

Error parseFlag(StringRef name, StringRef value, bool hasValue, Options &o) {
  if (name == "report") {
    o.report = true;
    o.reportFile = value.str();
    return Error::success();
  }
  if (name == "help") {
    o.help = true;
    return Error::success();
  }
  bool known = StringSwitch<bool>(name)
                   .Cases("atlas", "mode", "lib", "private", "window", true)
                   .Cases("trampolines", "delta", "delta-base", true)
                   .Cases("max-segments", "close-gaps", true)
                   .Case("units", true)
                   .Default(false);
  if (!known)
    return bad("unknown flag --spacer-" + name + "; see --spacer-help");
  if (!hasValue || value.empty())
    return bad("--spacer-" + name + ": expected a value after '='");
  if (name == "atlas")
    o.atlas = value.str();
  else if (name == "delta")
    o.delta = value.str();
  else if (name == "delta-base")
    o.deltaBase = value.str();
  else if (name == "units")
    o.unitsFile = value.str();
  else if (name == "lib")
    return parseLibrary(value, o);
  else if (name == "window")
    return parseWindow(value, o);
  else if (name == "max-segments") {
    if (value.getAsInteger(10, o.maxSegments) || !o.maxSegments)
      return bad("--spacer-max-segments=" + value +
                 ": expected a number above 0");
  } else if (name == "close-gaps") {
    if (!parseSize(value, o.closeGaps))
      return bad("--spacer-close-gaps=" + value +
                 ": expected a size, such as 0x400000 or 4M");
  } else if (name == "private") {
    Expected<GlobPattern> g = parseGlob("--spacer-private", value);
    if (!g)
      return g.takeError();
    o.privateGlobs.push_back(std::move(*g));
  } else if (name == "mode") {
    if (value != "grow" && value != "frozen")
      return bad("--spacer-mode=" + value + ": expected grow or frozen");
    o.mode = value == "grow" ? AtlasMode::Grow : AtlasMode::Frozen;
  } else {
    auto t = StringSwitch<std::optional<Trampolines>>(value)
                 .Case("auto", Trampolines::Auto)
                 .Case("door", Trampolines::Door)
                 .Case("entry", Trampolines::Entry)
                 .Case("none", Trampolines::None)
                 .Default(std::nullopt);
    if (!t)
      return bad("--spacer-trampolines=" + value +
                 ": expected auto, door, entry or none");
    o.trampolines = *t;
  }
  return Error::success();
}

} // namespace

Expected<Options> Options::take(SmallVectorImpl<const char *> &args) {
  Options o;
  Error failure = Error::success();
  size_t kept = 0;
  for (const char *arg : args) {
    StringRef s = arg ? StringRef(arg) : StringRef();
    if (!s.consume_front("--spacer-")) {
      args[kept++] = arg;
      continue;
    }
    o.any = true;
    auto [name, value] = s.split('=');
    failure = joinErrors(std::move(failure),
                         parseFlag(name, value, s.contains('='), o));
  }
  args.resize(kept);
  if (failure)
    return std::move(failure);
  if (o.any && o.atlas.empty() && !o.help)
    return bad("--spacer-* flags need --spacer-atlas=FILE");
  if (o.delta.empty() != o.deltaBase.empty())
    return bad("--spacer-delta=FILE and --spacer-delta-base=BASE need each "
               "other: an atlas knows no paths");
  return o;
}

} // namespace spacer
