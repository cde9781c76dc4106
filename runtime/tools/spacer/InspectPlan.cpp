//===- InspectPlan.cpp - spacer inspect --plan ----------------------------===//
//
// How an object of the pool, or an image that is in no pool, would be mapped:
// mappings, pages by class, what the budget cost. An image is planned as if it
// were the first in an empty pool: every different page gets the next number.
// Equal digests count as equal pages here; nothing is mapped from the answer.
//
//===----------------------------------------------------------------------===//

#include "InspectPlan.h"
#include "ElfImage.h"
#include "ManifestReader.h"
#include "PagePool.h"
#include "Plan.h"
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>

namespace spacer {
namespace {

constexpr const char *kindNames[] = {"zero", "pool", "copy", "lazy"};
constexpr const char *classNames[] = {"private", "zero", "text", "rodata",
                                      "data",    "bss",  "door", "got"};
constexpr size_t longestShown = 10;

struct Options {
  std::string what, lazy = "cold";
  uint64_t mappings = 10'000;
  bool plan = false;
};

struct Subject {
  std::string name;
  bool isImage = false;
  PageMap map;
  /// By guest page; only of an image with a manifest.
  std::map<uint64_t, PageClass> classes;
  std::unique_ptr<PagePool> pool; ///< of an object
};

using PagesByKind = std::array<uint64_t, 4>;

PageMap mapAlone(PageSource &source) {
  std::map<Digest, PoolPage> known;
  std::vector<PageRun> runs;
  while (true) {
    PageChunk chunk = need(source.next());
    if (chunk.bytes.empty())
      return need(PageMap::make(source.guestPages(), std::move(runs)));
    for (uint64_t i = 0; i < chunk.bytes.size() / pageBytes; ++i) {
      auto page = chunk.bytes.subspan(i * pageBytes, pageBytes);
      if (allZero(page))
        continue;
      auto [at, isNew] = known.try_emplace(digestOf(page), PoolPage());
      if (isNew)
        at->second = {known.size() - 1};
      runs.push_back({chunk.first + i, at->second, 1});
    }
  }
}

/// The manifest knows virtual addresses, the plan guest-physical pages.
std::map<uint64_t, PageClass> classesOf(const std::string &path) {
  auto file = need(openBytes(path));
  ElfImage elf = need(ElfImage::read(*file, path));
  if (!elf.manifest)
    return {};
  std::vector<uint8_t> bytes(elf.manifest->bytes);
  need(file->read(elf.manifest->offset, bytes));
  Manifest manifest = need(Manifest::read(bytes, path));
  std::map<uint64_t, PageClass> classes;
  for (const ElfSegment &s : elf.segments) {
    uint64_t first = s.virtualAddress / pageBytes * pageBytes;
    uint64_t end = s.virtualAddress + s.memoryBytes;
    for (const ManifestPage &page : manifest.pages)
      if (page.address >= first && page.address < end)
        classes.try_emplace((page.address - first) / pageBytes +
                                s.physicalAddress / pageBytes,
                            page.pageClass);
  }
  return classes;
}

Subject load(const Options &options, const Session &session) {
  Subject s;
  s.name = options.what;
  std::error_code none;
  s.isImage = options.what.find('/') != std::string::npos ||
              std::filesystem::is_regular_file(options.what, none);
  if (s.isImage) {
    auto source = need(openImage(options.what));
    s.map = mapAlone(*source);
    s.classes = classesOf(options.what);
  } else {
    s.pool = need(PagePool::open(rootDirectory(session) + "/pool",
                                 session.domain, PagePool::Access::Read));
    s.map = need(s.pool->map(options.what));
  }
  return s;
}

Plan planOf(const Subject &subject, const Options &options) {
  PlanOptions planOptions;
  planOptions.mappings = options.mappings;
  if (options.lazy == "all")
    planOptions.lazy = [](PoolPage) { return std::pair(true, ~uint64_t(0)); };
  else if (options.lazy == "cold" && subject.pool)
    planOptions.lazy = [&pool = *subject.pool](PoolPage page) {
      return std::pair(pool.isCold(page), uint64_t(1));
    };
  return makePlan(subject.map, planOptions);
}

std::map<std::string, PagesByKind> byClass(const Subject &subject,
                                           const Plan &plan) {
  std::map<std::string, PagesByKind> out;
  for (const PlanStep &s : plan.steps()) {
    auto from = subject.classes.lower_bound(s.guest.value);
    auto to = subject.classes.lower_bound((s.guest + s.pages).value);
    for (; from != to; ++from)
      ++out[classNames[size_t(from->second)]][size_t(s.kind)];
  }
  return out;
}

std::vector<PlanStep> longest(const Plan &plan) {
  std::vector<PlanStep> runs;
  for (const PlanStep &s : plan.steps())
    if (s.kind == StepKind::Pool || s.kind == StepKind::Lazy)
      runs.push_back(s);
  std::sort(runs.begin(), runs.end(), [](const PlanStep &a, const PlanStep &b) {
    return std::pair(b.pages, a.guest) < std::pair(a.pages, b.guest);
  });
  runs.resize(std::min(runs.size(), longestShown));
  return runs;
}

PagesByKind stepsByKind(const Plan &plan) {
  PagesByKind count{};
  for (const PlanStep &s : plan.steps())
    ++count[size_t(s.kind)];
  return count;
}

PagesByKind pagesByKind(const PlanSummary &sum) {
  return {sum.zeroPages, sum.poolPages, sum.copyPages, sum.lazyPages};
}

Json kindsJson(const PagesByKind &pages) {
  Json out = Json::object();
  for (size_t k = 0; k < pages.size(); ++k)
    out[kindNames[k]] = pages[k];
  return out;
}

Json document(const Subject &subject, const Plan &plan,
              const Options &options) {
  PlanSummary sum = plan.summary();
  Json out = {{subject.isImage ? "image" : "object", subject.name},
              {"guestPages", plan.guestPages()},
              {"guestBytes", plan.guestPages() * pageBytes},
              {"budget", options.mappings},
              {"mappings", sum.mappings},
              {"wantedMappings", sum.wantedMappings},
              {"pages", kindsJson(pagesByKind(sum))},
              {"steps", kindsJson(stepsByKind(plan))},
              {"copiedRuns", sum.copiedRuns},
              {"copiedPages", sum.copyPages}};
  if (!subject.classes.empty())
    for (const auto &[name, pages] : byClass(subject, plan))
      out["classes"][name] = kindsJson(pages);
  out["longestRuns"] = Json::array();
  for (const PlanStep &s : longest(plan))
    out["longestRuns"].push_back({{"guestPage", s.guest.value},
                                  {"poolPage", s.pool.value},
                                  {"pages", s.pages},
                                  {"kind", kindNames[size_t(s.kind)]}});
  return out;
}

std::string mebibytes(uint64_t pages) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1)
      << double(pages * pageBytes) / (1 << 20) << " MiB";
  return out.str();
}

void printText(const Subject &subject, const Plan &plan,
               const Options &options) {
  PlanSummary sum = plan.summary();
  PagesByKind pages = pagesByKind(sum), steps = stepsByKind(plan);
  std::cout << subject.name << ": guest of " << plan.guestPages() << " pages, "
            << mebibytes(plan.guestPages()) << '\n'
            << "mappings: " << sum.mappings << " of a budget of "
            << options.mappings << ", with every run mapped "
            << sum.wantedMappings << '\n';
  if (sum.copiedRuns)
    std::cout << "the budget cost " << sum.copiedRuns << " runs, "
              << sum.copyPages << " pages: copied, not shared\n";
  std::cout << '\n'
            << std::left << std::setw(10) << "class" << std::right
            << std::setw(12) << "pages" << std::setw(14) << "size"
            << std::setw(10) << "stretches" << '\n';
  for (StepKind k :
       {StepKind::Pool, StepKind::Lazy, StepKind::Copy, StepKind::Zero})
    if (pages[size_t(k)])
      std::cout << std::left << std::setw(10) << kindNames[size_t(k)]
                << std::right << std::setw(12) << pages[size_t(k)]
                << std::setw(14) << mebibytes(pages[size_t(k)]) << std::setw(10)
                << steps[size_t(k)] << '\n';
  if (!subject.classes.empty()) {
    std::cout << '\n' << std::left << std::setw(10) << "manifest";
    for (const char *name : {"pool", "lazy", "copy", "zero"})
      std::cout << std::right << std::setw(12) << name;
    std::cout << '\n';
    for (const auto &[name, found] : byClass(subject, plan)) {
      std::cout << std::left << std::setw(10) << name << std::right;
      for (StepKind k :
           {StepKind::Pool, StepKind::Lazy, StepKind::Copy, StepKind::Zero})
        std::cout << std::setw(12) << found[size_t(k)];
      std::cout << '\n';
    }
  }
  if (auto runs = longest(plan); !runs.empty()) {
    std::cout << "\nlongest runs\n"
              << std::setw(12) << "guest page" << std::setw(12) << "pool page"
              << std::setw(12) << "pages" << '\n';
    for (const PlanStep &s : runs)
      std::cout << std::setw(12) << s.guest.value << std::setw(12)
                << s.pool.value << std::setw(12) << s.pages
                << (s.kind == StepKind::Lazy ? "  lazy" : "") << '\n';
  }
}

void inspect(const Options &options, const Session &session) {
  Subject subject = load(options, session);
  Plan plan = planOf(subject, options);
  if (session.json)
    session.print(document(subject, plan, options));
  else
    printText(subject, plan, options);
}

} // namespace

void addInspectPlan(CLI::App &app, Session &session) {
  auto options = std::make_shared<Options>();
  CLI::App *command = app.get_subcommand("inspect");
  command->add_flag("--plan", options->plan,
                    "How it would be mapped as guest memory");
  command
      ->add_option("what", options->what,
                   "With --plan: an object of the pool, or an image (a name "
                   "with a '/' or of a file that is there)")
      ->type_name("OBJECT|IMAGE")
      ->required();
  command->add_option("--mappings", options->mappings, "Budget of mappings")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--lazy", options->lazy,
                   "What comes on its first touch: cold pages, all, none")
      ->check(CLI::IsMember({"cold", "all", "none"}))
      ->capture_default_str();
  command->callback([options, &session] { inspect(*options, session); });
}

} // namespace spacer
