//===- PassOptions.cpp - arguments of the compiler pass -------------------===//

#include "PassOptions.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace spacer {

const char passHelp[] =
    R"(libSpacerPass.so makes code that images of ld.spacer share better. It never
changes what a program does.

  clang-19 -fplugin=libSpacerPass.so -fplugin-arg-spacer-lib=NAME@VERSION ...

Arguments, each behind -fplugin-arg-spacer- (in opt: -passes='spacer<A;B>'):

  lib=NAME[@VERSION]  the library that the file belongs to. The version is for
                      people; it never decides what is shared
  image=GLOB          data that the image defines, beside what is known to be:
                      its addresses are loaded from the GOT; repeatable
  report=FILE         what was done, as JSON
  no-units            leave sections as the compiler has them
  no-image-got        leave references to the image's data as they are
  no-lines            leave line numbers in the code
  no-frequencies      write no call graph profile
  no-tags             do not say which library this is
  help                this text

Without a frontend, -fpass-plugin=libSpacerPass.so does the same with no library
and no knowledge of line numbers. At link-time optimisation ld.spacer loads the
pass itself.
)";

Error PassOptions::add(StringRef argument) {
  auto [key, value] = argument.split('=');
  auto bad = [&](const Twine &why) {
    return createStringError(
        "spacer: " + why + " '" + argument +
        "'; the arguments are lib=NAME[@VERSION], image=GLOB, report=FILE, "
        "no-units, no-image-got, no-lines, no-frequencies, no-tags, help");
  };
  if (key == "lib" || key == "image" || key == "report") {
    if (value.empty())
      return bad("a value is missing in");
    if (key == "report") {
      report = value.str();
      return Error::success();
    }
    if (key == "lib") {
      StringRef name = value.split('@').first;
      bool clean = llvm::all_of(value, [](char c) {
        return isPrint(c) && c != ' ' && c != '=' && c != '/' && c != '*';
      });
      if (name.empty() || !clean)
        return bad("not a library's name in");
      if (!library.empty() && library != value)
        return bad("a second library, after '" + library + "', in");
      library = value.str();
      return Error::success();
    }
    Expected<GlobPattern> glob = GlobPattern::create(value);
    if (!glob) {
      std::string why = toString(glob.takeError());
      return bad(why + " in");
    }
    imageData.push_back(std::move(*glob));
    return Error::success();
  }
  struct Switch {
    StringRef name;
    bool PassOptions::*field;
    bool value;
  };
  const Switch switches[] = {
      {"no-units", &PassOptions::units, false},
      {"no-image-got", &PassOptions::imageGot, false},
      {"no-lines", &PassOptions::lines, false},
      {"no-frequencies", &PassOptions::frequencies, false},
      {"no-tags", &PassOptions::tags, false},
      {"help", &PassOptions::help, true},
  };
  for (const Switch &s : switches)
    if (argument == s.name) {
      this->*s.field = s.value;
      return Error::success();
    }
  return bad("unknown argument");
}

} // namespace spacer
