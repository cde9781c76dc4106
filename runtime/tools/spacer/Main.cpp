//===- Main.cpp - the command spacer --------------------------------------===//
//
// Arguments in, exit codes out; the subcommands do the rest. Those that read
// images and atlases need LLVM and live in a program of their own,
// spacer-image, so that starting a clone does not wait for LLVM's libraries;
// for the user all are one command.
//
//===----------------------------------------------------------------------===//

#include "Command.h"
#include "Images.h"
#include "InspectPlan.h"
#include "Serve.h"
#include "Stats.h"
#include "Vms.h"
#include "spacer/Format.h"
#include <cstdio>
#include <iostream>

using namespace spacer;

static constexpr char about[] =
    "Unikernel images that share pages: looks at them, keeps their pages in a "
    "pool, starts and clones VMs that hold each page once.\n";

static constexpr char examples[] = R"(
Examples:
  spacer compare nginx.elf redis.elf      pages that two images share
  spacer pool add nginx.elf               keep an image's pages
  spacer run --name web nginx.elf         boot it
  spacer snapshot create web web-ready    keep its memory and devices
  spacer clone --count 100 web-ready      a hundred more, sharing every page
  spacer ls                               what runs, and whose memory is whose

Exit status: 0 fine, 1 the answer is no, 2 wrong use, unreadable input, or the
system refuses.)";

static constexpr void (*subcommands[])(CLI::App &, Session &) = {
    addImages, // first: --help shows them first
    // clang-format off
    addPool,
    addServe,
    addInspectPlan,
    addStats,
    addRun,
    addSnapshot,
    addClone,
    addList,
    addLife,
    addConsole,
    // clang-format on
};

int main(int argc, char **argv) {
  execImageCommand(argc, argv); // returns if it is not one

  Session session;
  CLI::App app(about, "spacer");
  app.set_version_flag("--version", "spacer " SPACER_VERSION
                                    " (manifest format " +
                                        std::to_string(manifestVersion) + ")");
  app.add_flag("--json", session.json, "Print one JSON document, not text");
  app.add_option("--root", session.root,
                 "Directory of pool, snapshots and VMs [$SPACER_ROOT, "
                 "/var/lib/spacer]");
  app.add_option("--domain", session.domain,
                 "Sharing domain: pages are shared inside one only")
      ->capture_default_str();
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
    std::string what = e.what();
    // The parser asks for a subcommand before it says what it does not know.
    if (auto rest = app.remaining(/*recurse=*/true); !rest.empty())
      what = "unknown argument " + rest[0];
    std::cout.flush();
    std::cerr << "spacer: " << what.substr(0, what.find('\n'))
              << " (see spacer --help)\n";
    return exitTrouble;
  } catch (const Failure &e) {
    std::cout.flush();
    std::cerr << "spacer: " << e.what() << '\n';
    return exitTrouble;
  }
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "spacer: standard output: cannot write\n";
    return exitTrouble;
  }
  return session.exitCode;
}
