//===- Verify.cpp - is each shared page what the atlas says it is? --------===//
//
//   spacer verify IMAGE... --atlas FILE
//
// A host maps a page of the pool where the manifest says so. That is right only
// if the image's own bytes, the manifest and the atlas say the same, so each is
// held against the other two:
//  1. image and manifest: every byte of every PT_LOAD lies on a page of the
//     manifest, with its protection and the hash of its bytes. What is private
//     may be another: builds put tables into finished images, strip sections,
//     prepend loaders' headers. So file offsets are not looked at either;
//  2. image and atlas: a shared page is one that the atlas has, byte for byte;
//  3. manifest and atlas: units and slots stand where the atlas has them;
//  4. slots lead where the manifest says.
//
//===----------------------------------------------------------------------===//

#include "Arch/X86_64.h"
#include "Atlas.h"
#include "Command.h"
#include "Image.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace spacer {

namespace {

class Verifier {
public:
  Verifier(Atlas &atlas, const Image &image)
      : atlas(atlas), image(image), m(needManifest(image)) {}
  std::vector<std::string> run();
  uint64_t sharedPages() const { return shared; }
  /// Private pages that are not as linked.
  uint64_t changedPages() const { return changed; }

private:
  void checkHeader();
  void checkCoverage();
  void checkPage(const ManifestPage &p);
  void checkShared(const ManifestPage &p, const LoadedPage *loaded);
  void checkUnit(const ManifestUnit &u);
  void checkSlot(const ManifestSlot &s,
                 const DenseMap<uint64_t, SlotRow> &rows);
  void checkJump(const ManifestSlot &s);
  template <class... Ts> void report(const char *form, Ts &&...vs) {
    problems.push_back(formatv(form, std::forward<Ts>(vs)...));
  }

  Atlas &atlas;
  const Image &image;
  const ManifestView &m;
  uint64_t shared = 0, changed = 0;
  std::vector<std::string> problems;
};

} // namespace

static Region regionOf(PageClass c) {
  switch (c) {
  case PageClass::Text:
    return Region::Text;
  case PageClass::Rodata:
    return Region::Rodata;
  case PageClass::Data:
    return Region::Data;
  case PageClass::Bss:
    return Region::Bss;
  case PageClass::Got:
    return Region::Got;
  default:
    return Region::Door;
  }
}

void Verifier::checkHeader() {
  if (digest(m.header.atlasId) != atlas.id())
    report("linked with atlas {0}, {1} is {2}", digest(m.header.atlasId).hex(),
           atlas.path(), atlas.id().hex());
  const Window &w = atlas.window();
  if (m.header.windowBase != w.base || m.header.windowBytes != w.bytes)
    report("window {0:x}:{1:x}, the atlas has {2:x}:{3:x}", m.header.windowBase,
           m.header.windowBytes, w.base, w.bytes);
  if (m.header.machine != image.machine)
    report("manifest for ELF machine {0}, the image is for {1}",
           m.header.machine, image.machine);
}

/// Walks segments and manifest pages side by side: an image may ask for more
/// zeros than anyone wants to count.
void Verifier::checkCoverage() {
  for (const Segment &s : image.segments) {
    uint64_t at = s.address;
    auto page = llvm::partition_point(m.pages, [&](const ManifestPage &p) {
      return p.address + formatPageBytes <= at;
    });
    for (; at < s.end(); at = page++->address + formatPageBytes) {
      uint64_t next = page == m.pages.end() ? s.end() : page->address;
      if (next > at)
        report("{0:x} to {1:x}: loaded, but on no page of the manifest", at,
               std::min(next, s.end()));
      if (page == m.pages.end() || page->address >= s.end())
        break;
    }
  }
  for (const ManifestPage &p : m.pages)
    if (isShared(p.pageClass) && !image.isLoaded(p.address))
      report("page {0:x}: in the manifest, but no segment loads it", p.address);
}

void Verifier::checkPage(const ManifestPage &p) {
  static constexpr uint8_t zeros[formatPageBytes] = {};
  const LoadedPage *loaded = image.page(p.address);
  ArrayRef<uint8_t> bytes(loaded ? loaded->bytes : zeros, formatPageBytes);
  if (!(p.flags & PageUnhashed))
    if (Hash128 h = hashBytes(bytes); h != digest(p.hash)) {
      if (p.pageClass == PageClass::Private)
        ++changed;
      else
        report("page {0:x}: hash {1}, its bytes have {2}", p.address,
               digest(p.hash).hex(), h.hex());
    }
  if (!image.isLoaded(p.address))
    return;
  if (p.pageClass == PageClass::Zero && loaded && !loaded->isZero)
    report("page {0:x}: class zero, but it has bytes in the file", p.address);

  uint32_t flags = 0;
  for (const Segment &s : image.segments)
    if (s.address < p.address + formatPageBytes && s.end() > p.address)
      flags |= s.flags;
  uint32_t claimed = p.flags & (PageRead | PageWrite | PageExec);
  if (claimed & ~flags)
    report("page {0:x}: protection {1}, its segments have {2}", p.address,
           claimed, flags);
  if ((flags & (ELF::PF_W | ELF::PF_X)) == (ELF::PF_W | ELF::PF_X) &&
      isShared(p.pageClass))
    report("page {0:x}: shared, yet writable and executable", p.address);
  if (isShared(p.pageClass))
    checkShared(p, loaded);
}

void Verifier::checkShared(const ManifestPage &p, const LoadedPage *loaded) {
  ++shared;
  Region region = regionOf(p.pageClass);
  if (!atlas.region(region).gave(p.address, p.address + pageBytes))
    report("page {0:x}: class {1}, outside the used parts of the atlas's {2} "
           "region",
           p.address, className(p.pageClass), regionName(region));
  if (p.pageClass == PageClass::Bss) {
    if (loaded && !loaded->isZero)
      report("page {0:x}: class bss, but not zero", p.address);
    return;
  }
  if (!loaded) {
    report("page {0:x}: class {1}, but no bytes in the file", p.address,
           className(p.pageClass));
    return;
  }
  ArrayRef<uint8_t> bytes(loaded->bytes, formatPageBytes);
  if (need(atlas.findVariant(p.address, bytes)))
    return;
  auto variants = need(atlas.pageVariants(p.address));
  if (variants.empty()) {
    report("page {0:x}: class {1}, the atlas has no such page", p.address,
           className(p.pageClass));
    return;
  }
  size_t at = 0;
  while (bytes[at] == variants[0].content[at])
    ++at;
  report("page {0:x}: none of the atlas's {1} contents; from the first it "
         "differs at {2:x}",
         p.address, variants.size(), p.address + at);
}

void Verifier::checkUnit(const ManifestUnit &u) {
  if (u.flags & UnitPrivate || u.kind == UnitKind::Tls)
    return;
  std::string what =
      formatv("unit {0} at {1:x}",
              u.name ? m.name(u).str() : digest(u.identity).hex(), u.address);
  for (uint64_t a = u.address & ~uint64_t(pageBytes - 1);
       a < u.address + u.bytes; a += pageBytes) {
    const ManifestPage *p = m.page(a);
    if (!p) {
      report("{0}: shared, on no page of the manifest", what);
      return;
    }
  }
  if (u.flags & UnitNamed)
    return;
  const UnitRow *row = atlas.findUnit(digest(u.identity));
  if (!row)
    report("{0}: the atlas has no unit {1}", what, digest(u.identity).hex());
  else if (row->address != u.address || row->bytes != u.bytes)
    report("{0}: {1} bytes, the atlas has {2} bytes at {3:x}", what, u.bytes,
           row->bytes, row->address);
}

void Verifier::checkSlot(const ManifestSlot &s,
                         const DenseMap<uint64_t, SlotRow> &rows) {
  auto it = rows.find(s.address);
  if (it == rows.end())
    report("slot {0} at {1:x}: the atlas has no slot there", m.name(s),
           s.address);
  else if (it->second.kind != s.kind || it->second.bytes != s.bytes)
    report("slot {0} at {1:x}: {2} of {3} bytes, the atlas has {4} of {5}",
           m.name(s), s.address, kindName(s.kind), s.bytes,
           kindName(it->second.kind), it->second.bytes);
  else if (it->second.name != m.name(s))
    report("slot {0} at {1:x}: the atlas's slot there is {2}", m.name(s),
           s.address, it->second.name);
  if (s.kind != SlotKind::Entry || s.target != s.address)
    checkJump(s);
}

void Verifier::checkJump(const ManifestSlot &s) {
  std::vector<uint8_t> found = image.bytesAt(s.address, s.bytes);
  if (found.empty()) {
    report("slot {0} at {1:x}: no bytes in the file", m.name(s), s.address);
    return;
  }
  if (s.kind == SlotKind::Got) {
    uint64_t value = support::endian::read64le(found.data());
    if (value != s.target && !image.movable)
      report("slot {0} at {1:x}: holds {2:x}, the manifest says {3:x}",
             m.name(s), s.address, value, s.target);
    return;
  }
  if (image.machine != ELF::EM_X86_64)
    return;
  uint8_t expected[x86_64::ibtSlotBytes];
  if (!x86_64::writeSlot(expected, s.bytes, s.address, s.target)) {
    report("slot {0} at {1:x}: {2:x} is out of a jump's reach", m.name(s),
           s.address, s.target);
    return;
  }
  // Behind the jump over an old entry the old bytes stay.
  size_t count = s.bytes;
  if (s.kind == SlotKind::Entry)
    count = x86_64::jumpBytes + (s.bytes == x86_64::ibtSlotBytes ? 4 : 0);
  if (memcmp(expected, found.data(), count) != 0)
    report("slot {0} at {1:x}: {2}, expected {3} (a jump to {4:x})", m.name(s),
           s.address, toHex(ArrayRef(found).take_front(count), true),
           toHex(ArrayRef(expected).take_front(count), true), s.target);
}

std::vector<std::string> Verifier::run() {
  checkHeader();
  checkCoverage();
  for (const ManifestPage &p : m.pages)
    checkPage(p);
  for (const ManifestUnit &u : m.units)
    checkUnit(u);
  DenseMap<uint64_t, SlotRow> rows;
  need(atlas.forEachSlot([&](const SlotRow &row) { rows[row.address] = row; }));
  for (const ManifestSlot &s : m.slots)
    checkSlot(s, rows);
  need(atlas.commit());
  return std::move(problems);
}

static void verify(const std::vector<std::string> &images,
                   const std::string &atlasPath, Session &session) {
  auto atlas = need(Atlas::open(atlasPath, AtlasMode::Frozen, std::nullopt, 0));
  Json all = Json::array();
  for (const std::string &path : images) {
    auto image = need(Image::read(path));
    Verifier verifier(*atlas, *image);
    std::vector<std::string> problems = verifier.run();
    if (!problems.empty())
      session.exitCode = exitNo;
    all.push_back({{"image", path},
                   {"sharedPages", verifier.sharedPages()},
                   {"changedPrivatePages", verifier.changedPages()},
                   {"problems", problems}});
    if (session.json)
      continue;
    for (const std::string &p : problems)
      outs() << path << ": " << p << '\n';
    if (problems.empty())
      outs() << formatv("{0}: {1} shared pages, all as in {2}", path,
                        verifier.sharedPages(), atlasPath)
             << (verifier.changedPages()
                     ? formatv("; private pages changed since: {0}\n",
                               verifier.changedPages())
                           .str()
                     : "\n");
  }
  if (session.json)
    session.print({{"atlas", atlasPath},
                   {"fine", session.exitCode == exitYes},
                   {"images", all}});
}

void addVerify(CLI::App &app, Session &session) {
  auto images = std::make_shared<std::vector<std::string>>();
  auto atlas = std::make_shared<std::string>();
  CLI::App *command = app.add_subcommand(
      "verify", "Holds images, their manifests and the atlas against each "
                "other; exit status 1 if they differ");
  command->add_option("IMAGE", *images, "ELF images")->required();
  command->add_option("--atlas", *atlas, "The atlas of the images")->required();
  command->callback(
      [images, atlas, &session] { verify(*images, *atlas, session); });
}

} // namespace spacer
