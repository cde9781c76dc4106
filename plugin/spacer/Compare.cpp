//===- Compare.cpp - how many pages do images share, and what is in the way
//===//
//
//   spacer compare IMAGE... [--library NAME] [--top N]
//
//===----------------------------------------------------------------------===//

#include "Command.h"
#include "Comparison.h"
#include "Table.h"

using namespace llvm;

namespace spacer {

namespace {

struct CompareOptions {
  std::vector<std::string> images;
  std::string library;
  unsigned top = 20;
};

struct Result {
  Comparison::Images images;
  uint64_t pages = 0, distinct = 0;
  std::vector<PairCounts> pairs;
  std::optional<Ideal> ideal;
  std::vector<Culprit> culprits;
  bool severalAtlases = false;

  double efficiency() const {
    return distinct ? double(ideal->pages()) / double(distinct) : 1;
  }
};

} // namespace

static Result compare(const CompareOptions &options) {
  Result r;
  for (const std::string &path : options.images)
    r.images.push_back(need(Image::read(path)));
  Comparison c(r.images);
  bool libraryFound = options.library.empty();
  for (unsigned i = 0; i != r.images.size(); ++i) {
    r.pages += c.pagesOf(i);
    for (unsigned j = i + 1; j != r.images.size(); ++j) {
      r.pairs.push_back(c.pair(i, j, options.library));
      libraryFound |= r.pairs.back().pagesFirst || r.pairs.back().pagesSecond;
    }
    if (const auto &first = r.images[0]->manifest, &m = r.images[i]->manifest;
        first && m)
      r.severalAtlases |=
          digest(first->header.atlasId) != digest(m->header.atlasId);
  }
  if (!libraryFound)
    throw Failure("no image has pages of a library named " + options.library);
  r.distinct = c.distinctPages();
  r.ideal = c.ideal();
  r.culprits = c.culprits();
  return r;
}

static Json toJson(const Result &r, const CompareOptions &options) {
  Json images = Json::array(), pairs = Json::array(), apart = Json::array();
  for (const auto &image : r.images) {
    uint64_t zero =
        llvm::count_if(image->pages, [](auto &p) { return p.isZero; });
    images.push_back({{"image", image->path},
                      {"pages", image->pages.size() - zero},
                      {"zeroPages", zero},
                      {"manifest", image->manifest.has_value()}});
  }
  for (const PairCounts &p : r.pairs)
    pairs.push_back({{"first", r.images[p.first]->path},
                     {"second", r.images[p.second]->path},
                     {"pagesFirst", p.pagesFirst},
                     {"pagesSecond", p.pagesSecond},
                     {"common", p.common},
                     {"equal", p.equal}});
  for (const Culprit &c : r.culprits) {
    Json in = Json::array();
    for (unsigned i : c.images)
      in.push_back(r.images[i]->path);
    apart.push_back({{"pages", c.pages},
                     {"why", c.alone ? "alone" : "differs"},
                     {"kind", c.kind},
                     {"library", c.library},
                     {"name", c.name},
                     {"images", in}});
  }
  Json all = {{"images", images},
              {"pages", r.pages},
              {"distinctPages", r.distinct},
              {"idealPages", nullptr},
              {"efficiency", nullptr},
              {"severalAtlases", r.severalAtlases}};
  if (r.ideal) {
    all["idealPages"] = r.ideal->pages();
    all["efficiency"] = r.efficiency();
    all["ideal"] = {{"textBytes", r.ideal->textBytes},
                    {"rodataBytes", r.ideal->rodataBytes},
                    {"dataBytes", r.ideal->dataBytes},
                    {"doorBytes", r.ideal->doorBytes},
                    {"gotBytes", r.ideal->gotBytes},
                    {"privatePages", r.ideal->privatePages}};
  }
  if (!options.library.empty())
    all["library"] = options.library;
  all["pairs"] = pairs;
  all["apart"] = apart;
  return all;
}

static void printPairs(const Result &r, const CompareOptions &options) {
  if (r.pairs.empty())
    return;
  outs() << "\npages equal at the same address";
  if (!options.library.empty())
    outs() << ", of those with units of " << options.library;
  outs() << '\n';
  Table table(
      {"first", "second", ">of", ">of", ">both", ">equal", ">of the smaller"});
  for (const PairCounts &p : r.pairs)
    table.row({r.images[p.first]->path, r.images[p.second]->path,
               std::to_string(p.pagesFirst), std::to_string(p.pagesSecond),
               std::to_string(p.common), std::to_string(p.equal),
               percent(double(p.equal),
                       double(std::min(p.pagesFirst, p.pagesSecond)))});
  table.print(outs());
}

static void printCulprits(const Result &r, unsigned top) {
  if (r.culprits.empty())
    return;
  double differs = 0, alone = 0;
  for (const Culprit &c : r.culprits)
    (c.alone ? alone : differs) += c.pages;
  outs() << formatv("\nwhat keeps pages apart: {0:f0} pages differ, {1:f0} are "
                    "in one image only\n",
                    differs, alone);
  Table table({">pages", "why", "kind", "library", "name", "images"});
  for (const Culprit &c : ArrayRef(r.culprits).take_front(top)) {
    std::string in;
    if (c.images.size() > 3)
      in = formatv("{0} images", c.images.size());
    else
      for (unsigned i : c.images)
        in += (in.empty() ? "" : " ") + r.images[i]->path;
    table.row({formatv("{0:f2}", c.pages), c.alone ? "alone" : "differs",
               c.kind, c.library, c.name.empty() ? "(anonymous)" : c.name, in});
  }
  table.print(outs());
  if (r.culprits.size() > top)
    outs() << formatv("  and {0} more (--top)\n", r.culprits.size() - top);
}

static void printText(const Result &r, const CompareOptions &options) {
  Table images({"image", ">pages", ">zero"});
  for (const auto &image : r.images) {
    uint64_t zero =
        llvm::count_if(image->pages, [](auto &p) { return p.isZero; });
    images.row({image->path, std::to_string(image->pages.size() - zero),
                std::to_string(zero)});
  }
  images.print(outs());
  outs() << formatv("\n{0} pages, {1} distinct by address and content", r.pages,
                    r.distinct);
  if (r.ideal)
    outs() << formatv("; ideal {0}, efficiency {1:f3}\n", r.ideal->pages(),
                      r.efficiency())
           << formatv("ideal: text {0} + rodata {1} + data {2} + doors {3} + "
                      "got {4} bytes, each in whole pages, and {5} private "
                      "pages\n",
                      r.ideal->textBytes, r.ideal->rodataBytes,
                      r.ideal->dataBytes, r.ideal->doorBytes, r.ideal->gotBytes,
                      r.ideal->privatePages);
  else
    outs() << "; efficiency not available: an image has no manifest\n";
  if (r.severalAtlases)
    outs() << "the images were linked with different atlases\n";
  printPairs(r, options);
  printCulprits(r, options.top);
}

void addCompare(CLI::App &app, Session &session) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App *command = app.add_subcommand(
      "compare", "Pages that images share, measured on their bytes, against "
                 "the ideal; and what keeps the others apart");
  command->add_option("IMAGE", options->images, "ELF images")->required();
  command->add_option("--library", options->library,
                      "Count, for each pair, only pages with units of this "
                      "library");
  command
      ->add_option("--top", options->top,
                   "How many culprits to list (JSON has all)")
      ->capture_default_str();
  command->footer(
      "Ideal: distinct units of each kind, packed without a gap, once; "
      "distinct "
      "slots once, and once more for each further target; each image's private "
      "bytes packed for each protection. Efficiency is the ideal over the "
      "distinct pages that there are. Pages of zeros count on neither side.");
  command->callback([options, &session] {
    Result r = compare(*options);
    if (session.json)
      session.print(toJson(r, *options));
    else
      printText(r, *options);
  });
}

} // namespace spacer
