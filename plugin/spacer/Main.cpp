//===- Main.cpp - the command spacer --------------------------------------===//
//
// Arguments in, exit codes out; the subcommands do the rest.
//
//===----------------------------------------------------------------------===//

#include "Command.h"
#include "spacer/Format.h"

using namespace llvm;
using namespace spacer;

static constexpr void (*subcommands[])(CLI::App &, Session &) = {
    addInspect, addCompare, addVerify, addAtlas, addDelta,
};

static constexpr char about[] =
    "Looks at images that ld.spacer has linked, and at the atlas that they "
    "share.\n";

static constexpr char examples[] = R"(
An image is an ELF file. ld.spacer leaves a manifest in it that says what each
page of 4096 bytes holds; the atlas is the ledger that says which pages all
images of a fleet have in common, and at which address.

Examples:
  spacer inspect nginx.elf                what an image is made of
  spacer compare nginx.elf redis.elf      pages they share, and what keeps the
                                          others apart
  spacer verify nginx.elf --atlas fleet.atlas
                                          is each shared page really the same?
  spacer atlas show fleet.atlas           what the fleet shares so far

Exit status: 0 fine, 1 the answer is no, 2 wrong use or unreadable input.)";

int main(int argc, char **argv) {
  Session session;
  CLI::App app(about, "spacer");
  app.set_version_flag("--version", formatv("spacer {0} (manifest format {1})",
                                            SPACER_VERSION, manifestVersion)
                                        .str());
  app.add_flag("--json", session.json, "Print one JSON document, not text");
  app.require_subcommand(1);
  app.fallthrough();
  try {
    for (auto add : subcommands)
      add(app, session);
    app.footer(examples); // after them: subcommands would inherit it
    app.parse(argc, argv);
  } catch (const CLI::Success &e) { // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError &e) {
    outs().flush();
    std::string what = e.what();
    // The parser asks for a subcommand before it says what it does not know.
    if (auto rest = app.remaining(/*recurse=*/true); !rest.empty())
      what = "unknown argument " + rest[0];
    errs() << "spacer: " << what.substr(0, what.find('\n'))
           << " (see spacer --help)\n";
    return exitTrouble;
  } catch (const Failure &e) {
    outs().flush();
    errs() << "spacer: " << e.what() << '\n';
    return exitTrouble;
  }
  outs().flush();
  if (outs().has_error()) {
    errs() << "spacer: standard output: " << outs().error().message() << '\n';
    outs().clear_error();
    return exitTrouble;
  }
  return session.exitCode;
}
