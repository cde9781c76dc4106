//===- PlanCommand.cpp - spacer atlas plan --------------------------------===//
//
//   spacer atlas plan [--function-align=N] UNITS...
//   spacer atlas plan --atlas=NEW [--link=COMMAND]... [--link-file=FILE]...
//
// The first form only says what a plan would gain. The second makes an atlas:
//
//  1. Each command runs with an atlas of its own and all functions behind
//     doors; what comes back are lists of units that do not depend on who came
//     first.
//  2. The plan (Plan.cpp) becomes rows of a scratch atlas, and each command
//     runs with a copy of it. A unit's identity covers what it is bound to: an
//     entry instead of a door, or the only place of an object that outgrew its
//     first, is another binding. Then what has changed is planned again.
//  3. When a round finds every unit where the plan has it, what its links wrote
//     becomes the pages (PlanPages.cpp), and rows and pages are written.
//
// Commands run as the shell runs them, in the folder where `spacer` was
// started, with flags appended; their output goes to a scratch folder.
//
//===----------------------------------------------------------------------===//

#include "PlanCommand.h"
#include "Names.h"
#include "PlanPages.h"
#include "Table.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace spacer {

namespace {

/// Each repairs what the one before has moved; two or three do.
constexpr unsigned mostRounds = 5;

struct Options {
  std::string atlas;
  std::vector<std::string> unitFiles, links, linkFiles;
  std::vector<std::string> orderFiles;
  std::string window; ///< empty: what the links say
  PlanOptions plan;
};

/// A folder that goes with all that is in it.
class ScratchFolder {
public:
  ScratchFolder() {
    if (std::error_code ec =
            sys::fs::createUniqueDirectory("spacer-plan", folder))
      throw Failure("cannot make a scratch folder: " + ec.message());
  }
  ~ScratchFolder() { (void)sys::fs::remove_directories(folder); }
  std::string file(const Twine &name) const {
    return (folder + "/" + name).str();
  }

private:
  SmallString<128> folder;
};

} // namespace

static std::string readFile(const std::string &path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    throw Failure(path + ": " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

static std::string unpack(const std::string &path) {
  ScratchFolder scratch;
  ErrorOr<std::string> gzip = sys::findProgramByName("gzip");
  if (!gzip)
    throw Failure(path + ": needs gzip, which is not in PATH");
  std::string out = scratch.file("list"), err = scratch.file("errors");
  std::optional<StringRef> redirects[] = {"", out, err};
  if (sys::ExecuteAndWait(*gzip, {"gzip", "-dc", "--", path}, std::nullopt,
                          redirects))
    throw Failure(path + ": not a gzip file");
  return readFile(out);
}

static std::vector<PlanImage> readLists(const std::vector<std::string> &paths) {
  std::vector<PlanImage> images;
  for (const std::string &path : paths) {
    readFile(path); // says what is wrong with it
    std::string text =
        StringRef(path).ends_with(".gz") ? unpack(path) : readFile(path);
    for (PlanImage &image : need(readUnitList(text, path)))
      images.push_back(std::move(image));
  }
  return images;
}

//===----------------------------------------------------------------------===//
// Links
//===----------------------------------------------------------------------===//

static std::string shellWord(const std::string &s) {
  std::string out = "'";
  for (char c : s)
    out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// Whether the command calls a linker, not a compiler driver.
static bool callsLinker(StringRef command) {
  StringRef word;
  do {
    std::tie(word, command) = command.ltrim().split(' ');
  } while (word.contains('=') && !command.empty()); // VAR=value
  StringRef name = sys::path::filename(word.trim("'\""));
  return name == "ld" || name.starts_with("ld.") || name == "lld" ||
         name.ends_with("-ld");
}

/// What the user may have called the output, for messages.
static std::string outputName(StringRef command) {
  SmallVector<StringRef> words;
  command.split(words, ' ', -1, /*KeepEmpty=*/false);
  for (size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == "-o")
      return sys::path::filename(words[i + 1].trim("'\"")).str();
  return "a.out";
}

/// Each line of a file, or of standard input for -, that is neither empty nor a
/// comment.
static void eachLine(const std::string &path,
                     function_ref<void(StringRef)> take) {
  auto buffer = MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
  if (!buffer)
    throw Failure(path + ": " + buffer.getError().message());
  for (line_iterator line(**buffer, /*SkipBlanks=*/true, '#');
       !line.is_at_eof(); ++line)
    if (StringRef text = line->trim(); !text.empty())
      take(text);
}

static std::vector<std::string> collectCommands(const Options &options) {
  std::vector<std::string> commands = options.links;
  for (const std::string &path : options.linkFiles) {
    size_t before = commands.size();
    eachLine(path, [&](StringRef line) { commands.push_back(line.str()); });
    if (commands.size() == before)
      throw Failure(path + ": no command, expected one a line");
  }
  for (std::string &c : commands)
    c = StringRef(c).rtrim(" \t\r\n;").str();
  return commands;
}

static void readOrder(Options &options) {
  auto &turns = options.plan.turns;
  for (const std::string &path : options.orderFiles)
    eachLine(path, [&](StringRef name) {
      turns.try_emplace(withoutNumbers(name.split('#').first), turns.size());
    });
}

/// The first line that says what went wrong.
static std::string firstError(const std::string &text) {
  StringRef best;
  for (StringRef line : split(text, '\n')) {
    if (line.trim().empty())
      continue;
    if (best.empty() || line.contains("error:"))
      best = line.trim();
    if (line.contains("error:"))
      break;
  }
  return best.empty() ? "no message" : best.str();
}

/// Runs \p command so that it links against \p atlas and lists its units.
static PlanImage runLink(const std::string &command, const std::string &atlas,
                         const std::string &window, bool first,
                         ScratchFolder &scratch) {
  bool linker = callsLinker(command);
  std::string list = scratch.file("units"), image = scratch.file("image");
  std::string log = scratch.file("log");
  (void)sys::fs::remove(list);
  std::vector<std::string> flags = {
      "--spacer-atlas=" + atlas, "--spacer-mode=grow", "--spacer-units=" + list,
      "--spacer-report=" + scratch.file("said")};
  if (!window.empty())
    flags.push_back("--spacer-window=" + window);
  // Whether a function is hot in one image must not change what it is in
  // another: entries are chosen for all at once.
  if (first && !StringRef(command).contains("--spacer-trampolines="))
    flags.push_back("--spacer-trampolines=door");
  std::string line = command;
  for (const std::string &flag : flags)
    line += (linker ? " " : " -Xlinker ") + shellWord(flag);
  line += " -o " + shellWord(image);

  std::string name = outputName(command), why;
  std::optional<StringRef> redirects[] = {"", log, log};
  int status = sys::ExecuteAndWait("/bin/sh", {"sh", "-c", line}, std::nullopt,
                                   redirects, 0, 0, &why);
  if (status < 0)
    throw Failure("the link of " + name + ": " + why);
  if (status)
    throw Failure("the link of " + name + " failed with status " +
                  std::to_string(status) + ": " + firstError(readFile(log)));
  if (!sys::fs::exists(list))
    throw Failure("the link of " + name +
                  " wrote no list of units, expected a command that ends in "
                  "one call of ld.spacer or of a compiler driver with it");
  std::vector<PlanImage> images = need(readUnitList(readFile(list), list));
  images[0].name = name;
  return std::move(images[0]);
}

static std::unique_ptr<Atlas> createAtlas(const std::string &path,
                                          const PlanImage &like) {
  return need(Atlas::open(path, AtlasMode::Grow, like.window, like.machine));
}

namespace {

/// A plan with the links that prove it.
class PlannedAtlas {
public:
  explicit PlannedAtlas(const Options &o)
      : options(o), commands(collectCommands(o)) {}
  void make();

  std::vector<PlanImage> images; ///< that the plan points into
  Plan plan;
  PlanPagesResult pages;
  unsigned rounds = 0;
  uint64_t left = 0; ///< units and slots that the plan lacks

private:
  void linkAgainst(const std::string &rows);
  const Options &options;
  std::vector<std::string> commands;
  std::vector<PlannedLink> links;
  ScratchFolder scratch;
};

} // namespace

void PlannedAtlas::linkAgainst(const std::string &rows) {
  links.clear();
  for (size_t i = 0; i != commands.size(); ++i) {
    std::string copy = scratch.file("atlas-" + std::to_string(i));
    if (std::error_code ec = sys::fs::copy_file(rows, copy))
      throw Failure(copy + ": " + ec.message());
    PlanImage image =
        runLink(commands[i], copy, options.window, false, scratch);
    links.push_back(
        {std::move(image), need(Atlas::open(copy, AtlasMode::Frozen))});
  }
}

void PlannedAtlas::make() {
  for (size_t i = 0; i != commands.size(); ++i) {
    std::string own = scratch.file("first-" + std::to_string(i));
    images.push_back(runLink(commands[i], own, options.window, true, scratch));
  }
  std::string rows;
  for (;;) {
    plan = need(makePlan(images, options.plan));
    rows = scratch.file("rows-" + std::to_string(++rounds));
    auto atlas = createAtlas(rows, images[0]);
    need(writePlan(plan, *atlas));
    need(atlas->commit());
    atlas.reset();
    linkAgainst(rows);
    left = countUnplanned(*need(Atlas::open(rows, AtlasMode::Frozen)), links);
    if (!left || rounds == mostRounds)
      break;
    images.clear();
    for (PlannedLink &l : links)
      images.push_back(std::move(l.image));
  }
  DenseSet<Hash128> unused =
      findUnused(plan, *need(Atlas::open(rows, AtlasMode::Frozen)), links);
  auto atlas = createAtlas(options.atlas, images[0]);
  need(writePlan(plan, *atlas, unused));
  pages = need(addPlannedPages(*atlas, links));
  need(atlas->commit());
}

//===----------------------------------------------------------------------===//
// What it says
//===----------------------------------------------------------------------===//

static double efficiency(uint64_t ideal, uint64_t pages) {
  return pages ? double(ideal) / double(pages) : 1;
}

static Json describe(const PageCount &c) {
  return {{"firstCome", c.firstCome},
          {"planned", c.planned},
          {"ideal", c.ideal},
          {"efficiencyFirstCome", efficiency(c.ideal, c.firstCome)},
          {"efficiencyPlanned", efficiency(c.ideal, c.planned)}};
}

static Json describe(const Plan &plan, const std::vector<PlanImage> &images,
                     const PlanOptions &options) {
  PageCount shared = plan.text, all;
  shared += plan.rodata;
  for (const PageCount *c : {&plan.text, &plan.rodata, &plan.data, &plan.door,
                             &plan.got, &plan.privatePages})
    all += *c;
  Json names = Json::array(), groups = Json::array();
  for (const PlanImage &i : images)
    names.push_back(i.name);
  for (const PlanGroup &g : plan.groups) {
    Json of = Json::array();
    for (uint32_t i : g.images)
      of.push_back(images[i].name);
    groups.push_back({{"images", of}, {"units", g.units}, {"bytes", g.bytes}});
  }
  return {{"images", names},
          {"pages",
           {{"text", describe(plan.text)},
            {"rodata", describe(plan.rodata)},
            {"data", describe(plan.data)},
            {"door", describe(plan.door)},
            {"got", describe(plan.got)},
            {"private", describe(plan.privatePages)},
            {"textAndRodata", describe(shared)},
            {"all", describe(all)}}},
          {"groups", groups},
          {"looseFunctions", plan.loosened},
          {"orderNames", options.turns.size()},
          {"inTurn", plan.inTurn},
          {"inTurnBytes", plan.inTurnBytes},
          {"varyingObjects", plan.varying},
          {"varyingBytes", plan.varyingBytes},
          {"largerPlaces", plan.grown}};
}

static std::string fixed(const Json &number) {
  return formatv("{0:F3}", number.get<double>());
}

static std::string joined(const Json &names, size_t all) {
  if (names.size() == all && all > 1)
    return "all";
  std::string out;
  for (const Json &name : names)
    out += (out.empty() ? "" : ", ") + name.get<std::string>();
  return out;
}

static void printText(const Json &j) {
  Table pages({"pages", ">first come", ">planned", ">ideal",
               ">efficiency: first come", ">planned"});
  for (auto &[name, c] : j["pages"].items())
    if (c["firstCome"].get<uint64_t>() || c["planned"].get<uint64_t>())
      pages.row({name == "textAndRodata" ? "text and rodata" : name,
                 c["firstCome"].dump(), c["planned"].dump(), c["ideal"].dump(),
                 fixed(c["efficiencyFirstCome"]),
                 fixed(c["efficiencyPlanned"])});
  pages.print(outs());
  outs() << "\nin this order, text and read-only data:\n";
  Table groups({">units", ">bytes", "used by"});
  for (const Json &g : j["groups"])
    groups.row({g["units"].dump(), g["bytes"].dump(),
                joined(g["images"], j["images"].size())});
  groups.print(outs());
  outs() << formatv(
      "\n{0} functions stand closer than the compiler's alignment\n{1} objects "
      "({2} bytes) whose content differs "
      "between images stand apart\n{3} places are as large as the largest "
      "image's object, not the first one's\n",
      j["looseFunctions"].dump(), j["varyingObjects"].dump(),
      j["varyingBytes"].dump(), j["largerPlaces"].dump());
  if (j["inTurn"] != 0)
    outs() << j["inTurn"].dump() << " functions and objects ("
           << j["inTurnBytes"].dump() << " bytes) lie first, for "
           << j["orderNames"].dump() << " names\n";
}

static void run(Options &options, const Session &session) {
  bool byLinks = !options.links.empty() || !options.linkFiles.empty();
  if (byLinks == !options.unitFiles.empty())
    throw Failure("atlas plan: expected lists of units, or --link or "
                  "--link-file");
  if (byLinks && options.atlas.empty())
    throw Failure("atlas plan: links need --atlas=NEW, the atlas to make");
  if (!byLinks && !options.atlas.empty())
    throw Failure(options.atlas + ": a list of units has no bytes, and pages "
                                  "must be whole: give the links, by --link");
  uint64_t align = options.plan.functionAlign;
  if (align < 2 || align > 16 || !isPowerOf2_64(align))
    throw Failure("--function-align=" + std::to_string(align) +
                  ": expected 2, 4, 8 or 16");
  uint64_t size = 0;
  if (byLinks && !sys::fs::file_size(options.atlas, size) && size)
    throw Failure(options.atlas + ": exists; a plan is for a new atlas, and an "
                                  "address, once given, never changes");
  readOrder(options);
  Json said;
  if (byLinks) {
    PlannedAtlas planned(options);
    planned.make();
    said = describe(planned.plan, planned.images, options.plan);
    said["atlas"] = options.atlas;
    said["written"] = {{"pages", planned.pages.pages},
                       {"contents", planned.pages.contents}};
    said["rounds"] = planned.rounds;
    said["unplanned"] = planned.left;
  } else {
    std::vector<PlanImage> images = readLists(options.unitFiles);
    said = describe(need(makePlan(images, options.plan)), images, options.plan);
  }
  if (session.json) {
    session.print(said);
    return;
  }
  printText(said);
  if (!options.orderFiles.empty() && said["inTurn"] == 0)
    errs() << "spacer: warning: " << options.orderFiles.front()
           << ": no function or object of these names; expected symbols, one a "
              "line\n";
  if (byLinks)
    outs() << formatv("{0}: {1} pages with {2} contents; link against it, "
                      "also with --spacer-mode=frozen\n",
                      options.atlas, said["written"]["pages"].dump(),
                      said["written"]["contents"].dump());
  if (byLinks && said["unplanned"] != 0)
    errs() << "spacer: warning: " << said["unplanned"].dump()
           << " units are bound otherwise in each round and stay out of the "
              "plan\n";
}

void addAtlasPlan(CLI::App &atlas, Session &session) {
  auto options = std::make_shared<Options>();
  CLI::App *command = atlas.add_subcommand(
      "plan", "Places the units of several images at once, in a new atlas");
  command->add_option("UNITS", options->unitFiles,
                      "Lists that --spacer-units wrote, also .gz: only says "
                      "what a plan would gain");
  command->add_option("--atlas", options->atlas, "The atlas to make");
  command
      ->add_option("--link", options->links,
                   "A command that links one image; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--link-file", options->linkFiles,
                   "A file with such commands, one a line; - is standard "
                   "input; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--order-file", options->orderFiles,
                   "A file with names of functions and objects, one a line, "
                   "that are to lie before all others in this order, as those "
                   "that a guest needs when it starts; repeatable")
      ->allow_extra_args(false);
  command->add_option("--window", options->window,
                      "BASE:SIZE of the atlas to make, instead of what the "
                      "links say by --spacer-window");
  command->add_option("--function-align", options->plan.functionAlign,
                      "Boundaries of functions for which the compiler asks for "
                      "16 as a matter of taste: 2 (default), 4, 8 or 16");
  command->callback([options, &session] { run(*options, session); });
}

} // namespace spacer
