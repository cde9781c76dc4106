//===- Pool.cpp - spacer pool ---------------------------------------------===//
//
// The page store of a domain, seen by a person: what is in it, what it saves,
// is it whole. All commands work on ROOT/pool and leave it as it was when they
// fail or are interrupted.
//
//===----------------------------------------------------------------------===//

#include "Command.h"
#include "PagePool.h"
#include "Progress.h"
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>

namespace spacer {
namespace {

const char *kindName(ObjectKind kind) {
  switch (kind) {
  case ObjectKind::Image:
    return "image";
  case ObjectKind::Snapshot:
    return "snapshot";
  case ObjectKind::File:
    return "raw";
  }
  return "?";
}

std::string sizeText(uint64_t bytes) {
  char text[32];
  if (bytes < uint64_t(1) << 20)
    std::snprintf(text, sizeof text, "%.0f KiB", double(bytes) / 1024);
  else if (bytes < uint64_t(10) << 30)
    std::snprintf(text, sizeof text, "%.1f MiB", double(bytes) / (1 << 20));
  else
    std::snprintf(text, sizeof text, "%.1f GiB", double(bytes) / (1 << 30));
  return text;
}
std::string pagesText(uint64_t pages) { return sizeText(pages * pageBytes); }

struct PoolCommand {
  Session &session;

  std::filesystem::path directory() const {
    return std::filesystem::path(rootDirectory(session)) / "pool";
  }
  Result<std::unique_ptr<PagePool>> tryOpen(PagePool::Access access) const {
    return PagePool::open(directory(), session.domain, access);
  }
  std::unique_ptr<PagePool> open(PagePool::Access access) const {
    catchInterrupts();
    return need(tryOpen(access));
  }
};

/// need(), with the line of progress gone first.
template <class T> T finish(Result<T> done) {
  finishProgress();
  return need(std::move(done));
}

//===-- add ---------------------------------------------------------------===//

struct AddOptions {
  std::string name, kind = "auto";
  std::vector<std::string> files;
};

bool looksLikeElf(const std::string &path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::string_view(magic, 4) == "\177ELF";
}

Json addOne(PagePool &pool, const std::string &path, const AddOptions &o) {
  std::string name =
      o.name.empty() ? std::filesystem::path(path).filename().string() : o.name;
  std::error_code none;
  // Not to open a pipe or a device only to look at it.
  bool image =
      o.kind == "image" ||
      (o.kind == "auto" && std::filesystem::is_regular_file(path, none) &&
       looksLikeElf(path));
  auto source = need(image ? openImage(path) : openRaw(path, ObjectKind::File));
  ImportSummary s = finish(pool.add(name, *source, showProgress(path)));
  return {{"name", name},
          {"kind", kindName(source->kind())},
          {"guestPages", s.guestPages},
          {"zeroPages", s.zeroPages},
          {"sharedPages", s.sharedPages},
          {"newPages", s.newPages},
          {"collisions", s.collisions},
          {"readSeconds", s.readSeconds},
          {"matchSeconds", s.matchSeconds},
          {"writeSeconds", s.writeSeconds}};
}

void add(const PoolCommand &command, const AddOptions &o) {
  if (!o.name.empty() && o.files.size() != 1)
    throw Failure("--name: one file, found " + std::to_string(o.files.size()));
  // Before a pool is made for files that are not there.
  for (const std::string &path : o.files)
    if (std::error_code e; !std::filesystem::exists(path, e))
      throw Failure(path + ": " + std::strerror(e ? e.value() : ENOENT));
  auto pool = command.open(PagePool::Access::Write);
  Json all = Json::array();
  for (const std::string &path : o.files) {
    Json one = addOne(*pool, path, o);
    if (!command.session.json)
      std::cout << one["name"].get<std::string>() << ": "
                << pagesText(one["guestPages"]) << " of memory, "
                << pagesText(one["newPages"]) << " new, "
                << pagesText(one["sharedPages"]) << " there already, "
                << pagesText(one["zeroPages"]) << " zero" << std::endl;
    all.push_back(std::move(one));
  }
  if (command.session.json)
    command.session.print(all);
}

//===-- ls ----------------------------------------------------------------===//

void list(const PoolCommand &command) {
  auto opened = command.tryOpen(PagePool::Access::Read);
  if (!opened && opened.error().sysErrno != ENOENT)
    throw Failure(opened.error().context);
  std::vector<ObjectInfo> objects;
  PoolSummary sum;
  if (opened) { // else nobody added anything yet
    objects = need((*opened)->objects());
    sum = (*opened)->summary();
  }
  if (command.session.json) {
    Json rows = Json::array();
    for (const ObjectInfo &o : objects)
      rows.push_back({{"name", o.name},
                      {"kind", kindName(o.kind)},
                      {"guestPages", o.guestPages},
                      {"poolPages", o.poolPages},
                      {"distinctPages", o.distinctPages},
                      {"ownPages", o.ownPages},
                      {"created", o.created},
                      {"leases", o.leases}});
    command.session.print({{"domain", command.session.domain},
                           {"objects", rows},
                           {"pages", sum.pages},
                           {"coldPages", sum.coldPages},
                           {"fileBytes", sum.fileBytes}});
    return;
  }
  std::printf("%-24s %-9s %10s %10s %10s %6s  %s\n", "NAME", "KIND", "MEMORY",
              "NOT ZERO", "OWN", "IN USE", "CREATED");
  for (const ObjectInfo &o : objects) {
    char when[32] = "?";
    time_t t = time_t(o.created);
    if (tm local; ::localtime_r(&t, &local))
      std::strftime(when, sizeof when, "%F %T", &local);
    std::printf("%-24s %-9s %10s %10s %10s %6llu  %s\n", o.name.c_str(),
                kindName(o.kind), pagesText(o.guestPages).c_str(),
                pagesText(o.poolPages).c_str(), pagesText(o.ownPages).c_str(),
                (unsigned long long)o.leases, when);
  }
  uint64_t asked = 0;
  for (const ObjectInfo &o : objects)
    asked += o.poolPages;
  std::printf("%zu objects, %s not zero, on disk %s (%s compressed)\n",
              objects.size(), pagesText(asked).c_str(),
              sizeText(sum.fileBytes).c_str(),
              pagesText(sum.coldPages).c_str());
}

//===-- the rest ----------------------------------------------------------===//

void remove(const PoolCommand &command, const std::vector<std::string> &names) {
  auto pool = command.open(PagePool::Access::Write);
  for (const std::string &name : names)
    need(pool->remove(name));
  if (command.session.json)
    command.session.print({{"removed", names}});
}

void verify(const PoolCommand &command) {
  catchInterrupts();
  auto opened = command.tryOpen(PagePool::Access::Read);
  VerifySummary s;
  if (opened)
    s = finish((*opened)->verify(showProgress("verify")));
  else if (opened.error().sysErrno == EBADMSG) // that is an answer
    s.problems.push_back(opened.error().context);
  else
    throw Failure(opened.error().context);
  if (command.session.json) {
    command.session.print({{"pages", s.pages}, {"problems", s.problems}});
  } else {
    for (const std::string &p : s.problems)
      std::cout << p << '\n';
    std::cout << s.pages << " pages checked, " << s.problems.size()
              << (s.problems.size() == 1 ? " problem\n" : " problems\n");
  }
  if (!s.problems.empty())
    command.session.exitCode = exitNo;
}

void collect(const PoolCommand &command) {
  auto pool = command.open(PagePool::Access::Write);
  GcSummary s = finish(pool->gc(showProgress("gc")));
  if (command.session.json)
    command.session.print({{"freedPages", s.freedPages},
                           {"freedBytes", s.freedBytes},
                           {"keptPages", s.keptPages}});
  else
    std::cout << s.freedPages << " pages freed (" << sizeText(s.freedBytes)
              << " on disk), " << s.keptPages << " kept\n";
}

void freeze(const PoolCommand &command, const std::vector<std::string> &names,
            bool cold) {
  auto pool = command.open(PagePool::Access::Write);
  Json all = Json::array();
  for (const std::string &name : names) {
    uint64_t before = pool->summary().fileBytes;
    uint64_t pages =
        finish(cold ? pool->compress(name, showProgress("compress " + name))
                    : pool->thaw(name, showProgress("thaw " + name)));
    uint64_t after = pool->summary().fileBytes;
    all.push_back({{"name", name},
                   {"pages", pages},
                   {"fileBytesBefore", before},
                   {"fileBytes", after}});
    if (!command.session.json)
      std::cout << name << ": " << pagesText(pages)
                << (cold ? " compressed" : " thawed") << ", the pool takes "
                << sizeText(after) << " on disk, before " << sizeText(before)
                << std::endl;
  }
  if (command.session.json)
    command.session.print(all);
}

} // namespace

void addPool(CLI::App &app, Session &session) {
  PoolCommand command{session};
  CLI::App *pool = app.add_subcommand(
      "pool", "The store that keeps each page once: add, ls, rm, verify, gc");
  pool->require_subcommand(1);
  pool->footer("A pool holds objects: images, snapshots, files of guest "
               "memory. Each of their pages\nis stored once in a domain, "
               "whoever has it and at whatever address; zero pages cost\n"
               "nothing. The files are in ROOT/pool/DOMAIN.\n\n"
               "Examples:\n"
               "  spacer pool add nginx.elf redis.elf\n"
               "  spacer pool add --name web-memory --kind raw memory.bin\n"
               "  spacer pool ls\n"
               "  spacer pool rm redis.elf && spacer pool gc");

  auto addOptions = std::make_shared<AddOptions>();
  CLI::App *sub =
      pool->add_subcommand("add", "Add images or files of guest memory");
  sub->add_option("--name", addOptions->name,
                  "What to call the object [the file's name]");
  sub->add_option("--kind", addOptions->kind,
                  "image: an ELF image, pages where a VMM loads them, checked "
                  "against its manifest; raw: bytes as they are, holes and "
                  "all; auto: image if it is ELF")
      ->check(CLI::IsMember({"auto", "image", "raw"}))
      ->capture_default_str();
  sub->add_option("files", addOptions->files, "Files to add")->required();
  sub->footer("A page that the pool has already is compared byte by byte and "
              "shared. An interrupted\nor failed import leaves nothing "
              "behind.");
  sub->callback([=] { add(command, *addOptions); });

  pool->add_subcommand("ls", "List objects, and what each has for itself")
      ->callback([=] { list(command); });

  auto names = [pool](const char *name, const char *about, const char *footer) {
    auto list = std::make_shared<std::vector<std::string>>();
    CLI::App *sub = pool->add_subcommand(name, about);
    sub->add_option("names", *list, "Objects, as pool ls names them")
        ->required();
    sub->footer(footer);
    return std::pair(sub, list);
  };
  auto [rm, rmNames] =
      names("rm", "Remove objects; their pages stay until gc",
            "\nAn object that a living VM uses cannot be removed.");
  rm->callback([=, n = rmNames] { remove(command, *n); });
  pool->add_subcommand("verify", "Check every page, map and table")
      ->footer("Prints one line for each problem; exit status 1 if there is "
               "one.")
      ->callback([=] { verify(command); });
  pool->add_subcommand("gc", "Give the space of unused pages back")
      ->callback([=] { collect(command); });
  auto [compress, coldNames] = names(
      "compress", "Keep objects that are not used now in less space",
      "Pages of objects that living VMs use stay as they are. Compressed "
      "pages are found,\nshared and read as before; a clone gets them when it "
      "touches them.");
  compress->callback([=, n = coldNames] { freeze(command, *n, true); });
  auto [thaw, hotNames] =
      names("thaw", "The opposite of compress",
            "Pages that were compressed together are thawed together.");
  thaw->callback([=, n = hotNames] { freeze(command, *n, false); });
}

} // namespace spacer
