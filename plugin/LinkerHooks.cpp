//===- LinkerHooks.cpp - what ld.spacer adds to lld -----------------------===//
//
// The only file that includes lld's private headers. It translates a link into
// a Model, has the core decide, and translates the decisions back. The passes,
// in the order in which lld calls them:
//
//   options            --spacer-* flags
//   inputRead          base + delta becomes the new library
//   sectionsAssigned   which library a file belongs to; library strings leave
//                      their output sections before lld merges them
//   sectionsFinal      units, references, slots -> Placement -> addresses;
//                      shared units leave their output sections
//   -- every shared address is settled here; only private ones still move --
//   relocationsScanned references go to slots
//   addSegments        .spacer.* output sections, one PT_LOAD for each run
//   addressesFinal     what depends on private addresses
//   -- no address changes below this line --
//   contentsWritten    pages made whole, compared, described in the manifest
//   beforeCommit       the atlas commits; then lld gives the output its name
//
// A shared section's `parent` is a .spacer.* output section and its `outSecOff`
// the distance to its atlas address, which is all that lld needs to relocate it
// and to resolve its symbols; that output section has a single synthetic
// section, which writes the shared ones through lld's own code.
//
//===----------------------------------------------------------------------===//

#include "LinkerHooks.h"
#include "Arch/X86_64.h"
#include "Atlas.h"
#include "DeltaInputs.h"
#include "Identity.h"
#include "Manifest.h"
#include "Names.h"
#include "Options.h"
#include "PageImage.h"
#include "Placement.h"
#include "Report.h"
#include "TagFormat.h"
#include "Tags.h"
#include "UnitList.h"

#include "Config.h"
#include "InputFiles.h"
#include "InputSection.h"
#include "LinkHook.h"
#include "LinkerScript.h"
#include "OutputSections.h"
#include "Relocations.h"
#include "SymbolTable.h"
#include "Symbols.h"
#include "SyntheticSections.h"
#include "Target.h"
#include "Writer.h"
#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/ErrorHandler.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ManagedStatic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TimeProfiler.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace llvm::ELF;
using namespace llvm::object;
using namespace lld;
using namespace lld::elf;

namespace spacer {
namespace {

/// Unikraft's symbols for places that a program patches after the link, and
/// boot code when it runs; no relocation tells of them.
constexpr char patchMark[] = "_uk_reloc_";

/// Bytes of a run: written by lld's own InputSection::writeTo for each live
/// unit; finishPages() does the rest.
class RunSection final : public SyntheticSection {
public:
  RunSection(const Run &r, uint64_t flags, uint32_t type, StringRef name)
      : SyntheticSection(flags, type, pageBytes, name), run(r) {
    size = r.bytes;
  }
  size_t getSize() const override { return run.bytes; }
  bool isNeeded() const override { return true; }
  void writeTo(uint8_t *buf) override {
    for (InputSection *s : sections)
      s->writeTo<ELF64LE>(buf + s->outSecOff);
    for (auto [offset, text] : strings)
      memcpy(buf + offset, text.data(), text.size());
  }

  Run run;
  std::vector<InputSection *> sections;
  std::vector<std::pair<uint64_t, ArrayRef<uint8_t>>> strings;
};

/// Zero pages between loaded ones, which take no bytes of the file and which
/// nothing reads: boot code that makes heap of what no segment covers leaves
/// them alone. Each piece of heap costs a guest tens of pages of bookkeeping.
class GapSection final : public SyntheticSection {
public:
  GapSection(StringRef name, uint64_t flags, uint64_t bytes)
      : SyntheticSection(flags, SHT_NOBITS, pageBytes, name), bytes(bytes) {}
  size_t getSize() const override { return bytes; }
  bool isNeeded() const override { return true; }
  void writeTo(uint8_t *) override {}
  uint64_t bytes;
};

/// Parent of library strings: they have addresses one by one, so it has no
/// bytes, and its own address only anchors SectionPiece::outputOff.
class StringAnchor final : public SyntheticSection {
public:
  StringAnchor() : SyntheticSection(SHF_ALLOC, SHT_PROGBITS, 1, ".spacer") {}
  size_t getSize() const override { return 0; }
  void writeTo(uint8_t *) override {}
};

/// A library string that a frozen atlas does not have.
class PrivateString final : public SyntheticSection {
public:
  PrivateString(uint32_t align, StringRef name, ArrayRef<uint8_t> t)
      : SyntheticSection(SHF_ALLOC, SHT_PROGBITS, align, name), text(t) {
    size = t.size();
  }
  size_t getSize() const override { return text.size(); }
  void writeTo(uint8_t *buf) override { memcpy(buf, text.data(), text.size()); }
  ArrayRef<uint8_t> text;
};

/// The library objects of the TLS block, at its end: their atlas addresses are
/// offsets from the thread pointer, which is where the block ends.
class TlsSection final : public SyntheticSection {
public:
  TlsSection(uint64_t bytes, uint32_t align, uint32_t type)
      : SyntheticSection(SHF_ALLOC | SHF_WRITE | SHF_TLS, type, align,
                         ".spacer.tls") {
    size = bytes;
  }
  size_t getSize() const override { return size; }
  bool isNeeded() const override { return true; }
  void writeTo(uint8_t *buf) override {
    for (auto [depth, s] : objects)
      s->writeTo<ELF64LE>(buf + size - depth);
  }
  std::vector<std::pair<uint64_t, InputSection *>> objects;
};

class ManifestSection final : public SyntheticSection {
public:
  ManifestSection()
      : SyntheticSection(0, SHT_PROGBITS, 8, manifestSectionName) {}
  size_t getSize() const override { return bytes; }
  bool isNeeded() const override { return true; }
  void writeTo(uint8_t *) override {} // by contentsWritten()
  uint64_t bytes = 0;
};

/// A function symbol at a place in a section: what a section-relative reference
/// to that place means.
struct FunctionAt {
  uint64_t offset;
  Symbol *symbol;
};

/// Names of a unit's symbols in its object file, in no order.
struct NameSum {
  uint64_t names = 0, low = 0, high = 0;
  void add(StringRef name) {
    Hash128 h = hashBytes(name);
    ++names;
    low += support::endian::read64le(h.bytes.data());
    high += support::endian::read64le(h.bytes.data() + 8);
  }
};

/// A file's tags, and the index of the section that they stand in.
struct ObjectTags : FileTags {
  uint32_t section = 0;
};

class SpacerLink final : public LinkHook {
public:
  void options(SmallVectorImpl<const char *> &args) override;
  MemoryBufferRef inputRead(MemoryBufferRef mb) override;
  void sectionsAssigned() override;
  void sectionsFinal() override;
  void relocationsScanned() override;
  void addSegments(SmallVectorImpl<PhdrEntry *> &phdrs) override;
  void addressesFinal() override;
  void contentsWritten(uint8_t *buf, size_t size) override;
  void beforeCommit() override;
  bool keepsOldOutput() override { return !opts.atlas.empty(); }
  void close() { atlas.reset(); }

  void (*inputsRead)() = nullptr;

private:
  bool active() const { return atlas && !errorCount(); }
  bool refuse();
  void classifyFiles();
  ObjectTags tagsOf(ELFFileBase *f);
  void applyTags(ELFFileBase *f, const ObjectTags &tags);
  void findOwners(ELFFileBase *f);
  uint32_t libraryOf(const InputFile *f) const { return fileLibrary.lookup(f); }
  uint32_t libraryOf(const SectionBase *s, const InputFile *f) const {
    auto it = sectionLibrary.find(s);
    return it != sectionLibrary.end() ? it->second : libraryOf(f);
  }
  uint32_t libraryOf(const InputSectionBase *s) const {
    return libraryOf(s, s->file);
  }
  uint32_t addLibrary(StringRef name);
  bool mayShare(const InputSectionBase *s, const OutputSection *os) const;

  void takeStrings(OutputSection &os, InputSectionDescription &isd);
  void keepUnknownStringsPrivate();
  void takeSections();
  void findSymbols();
  void nameUnits(ELFFileBase *file);
  void indexFunctions();
  void collectRefs(uint32_t u);
  Ref resolve(const Unit &unit, const InputSection &sec,
              const ELF64LE::Rela &r);
  void bindTls(Ref &ref, const Symbol &sym, int64_t addend);
  void bindFunction(Ref &ref, Symbol &sym, bool isBranch, int64_t addend);
  void bindSection(Ref &ref, const Defined &d, int64_t addend);
  void findDirectAddresses(const InputSection &sec);
  void findKnownAddresses();
  bool isCall(const InputSection &sec, uint32_t type, uint64_t offset) const;
  bool isInside(const Defined &d, const ELF64LE::Rela &r) const;
  void findTaken();
  void tellEqualFunctionsApart();
  Symbol *functionAt(const SectionBase *sec, uint64_t offset) const;
  Symbol *canonical(Symbol &sym) const;
  uint32_t slotOf(Symbol &sym, SlotKind kind);
  bool takesAddress(const InputSectionBase &sec, const Relocation &r) const;
  Symbol *slotForAddress(const InputSectionBase &sec, const Relocation &r);
  void addHeat();
  void warnAboutCost();
  void applyPlacement();
  void settleUsedSlots();
  void placeTlsBlock();
  void endInitialisedTls();
  void createRuns();
  void closeGaps();
  uint64_t imageEnd() const;
  void redirectShared(uint32_t u);
  void redirectPrivate(InputSectionBase &sec);
  void redirectDynamic(RelocationBaseSection *rel);
  Defined *slotSymbol(uint32_t slot);
  RunSection *runAt(uint64_t address) const;
  OutputDesc *newOutputSection(StringRef name, uint32_t type, uint64_t flags,
                               SyntheticSection *content);
  uint32_t addressSlot(const Symbol &sym) const;
  bool movesWithImage(uint32_t slot) const;
  uint64_t slotTarget(uint32_t slot) const;
  unsigned mostRuns() const;
  void warnAboutFilling(ArrayRef<Run> mapped, ArrayRef<uint32_t> used);
  void checkSegmentCount(ArrayRef<PhdrEntry *> phdrs);
  void boundThreadLocal();
  void dropThreadLocalZeros();
  void repairReservedSymbols();
  void checkWindow();
  uint64_t segmentBegin(const PhdrEntry &p) const;
  void sizeManifest();
  std::vector<bool> plainFunctions() const;
  Error writeUnits() const;
  void writeSlots(std::vector<LiveRange> &live);
  void describePages(const FinishedPages &finished, uint8_t *buf);
  uint8_t *bytesAt(uint64_t address) const;
  bool fail(Error e);

  Options opts;
  DeltaInputs deltas;
  std::unique_ptr<Atlas> atlas;
  Model model;
  LinkReport report;

  DenseMap<const InputFile *, uint32_t> fileLibrary;
  /// Where tags say more than the file: link-time optimisation's output.
  DenseMap<const SectionBase *, uint32_t> sectionLibrary;
  DenseSet<const InputFile *> estimatedFiles; ///< whose profile is a guess
  DenseSet<const InputFile *> mixedFiles; ///< with code of several libraries
  /// Names of local symbols by tags, "FILE:NAME".
  DenseMap<std::pair<const SectionBase *, uint64_t>, StringRef> tagNames;
  StringMap<uint32_t> libraryIndex;
  std::vector<InputSectionBase *> unitSection; ///< by unit; null for strings
  DenseMap<const SectionBase *, uint32_t> sectionUnit;
  DenseMap<const MergeInputSection *, std::vector<uint32_t>> pieceUnits;
  DenseMap<std::pair<CachedHashStringRef, uint64_t>, uint32_t> stringUnits;
  DenseMap<uint32_t, PrivateString *> privateStrings;
  /// Where each string came from; strings are the first units.
  std::vector<std::pair<OutputSection *, InputSectionDescription *>>
      stringHomes;
  StringAnchor *anchor = nullptr;
  std::vector<MergeInputSection *> takenStrings;

  DenseMap<const SectionBase *, SmallVector<FunctionAt, 1>> functions;
  DenseMap<std::pair<const SectionBase *, uint64_t>, Symbol *> canonicalAt;
  DenseSet<const Symbol *> addressIsPlace; ///< canonical symbols
  NameTable names;
  DenseMap<const Symbol *, uint32_t> symbolSlot, symbolGot;
  std::vector<Symbol *> slotTargets; ///< by slot
  std::vector<bool> slotUsed;
  std::vector<bool> taken; ///< units that are referred to, not only called
  /// By a local symbol, in a section live or not.
  std::vector<bool> takenLocally;
  std::vector<NameSum> globalNames, localNames; ///< of code, by unit
  std::vector<Defined *> slotSymbols;
  unsigned slotWidth = x86_64::slotBytes;

  std::vector<OutputDesc *> outputs;
  std::vector<RunSection *> runs; ///< by address
  std::vector<uint32_t> tlsUnits; ///< at fixed offsets
  TlsSection *tlsBlock = nullptr;
  ManifestSection *manifestSection = nullptr;
  OutputDesc *manifestOutput = nullptr;
  ManifestBuilder manifest;
  SmallVector<PhdrEntry *, 0> ownPhdrs;
  OutputSection *gapAfterImage = nullptr; ///< of --spacer-close-gaps
  SmallVectorImpl<PhdrEntry *> *allPhdrs = nullptr;
};

bool isFunction(const Symbol &s) {
  return s.type == STT_FUNC || s.type == STT_GNU_IFUNC;
}

} // namespace

bool SpacerLink::fail(Error e) {
  if (!e)
    return false;
  error(toString(std::move(e)));
  return true;
}

//===----------------------------------------------------------------------===//
// Flags, files and libraries
//===----------------------------------------------------------------------===//

// The compiler pass: ../lib/spacer from where the linker is, or beside it.
static std::string findPass() {
  std::string self =
      sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&findPass));
  for (StringRef folder : {"../lib/spacer", "."}) {
    SmallString<128> path = sys::path::parent_path(self);
    sys::path::append(path, folder, "libSpacerPass.so");
    if (sys::fs::exists(path))
      return path.str().str();
  }
  return "";
}

void SpacerLink::options(SmallVectorImpl<const char *> &args) {
  Expected<Options> o = Options::take(args);
  if (!o) {
    handleAllErrors(o.takeError(),
                    [](const ErrorInfoBase &e) { error(e.message()); });
    return;
  }
  opts = std::move(*o);
  bool lldHelp = llvm::any_of(
      args, [](const char *a) { return a && StringRef(a) == "--help"; });
  if (opts.help || lldHelp)
    lld::outs() << optionsHelp << '\n';
  if (opts.help) {
    lld::outs().flush();
    exitLld(0);
  }
  if (Error e = deltas.scan(args))
    fatal(toString(std::move(e)));
  // lld loads it when, and only if, it optimises bitcode.
  if (opts.atlas.empty())
    return;
  if (std::string pass = findPass(); !pass.empty())
    args.push_back(saver().save("--load-pass-plugin=" + pass).data());
}

// What follows from a wrong delta would only hide the reason: fatal.
MemoryBufferRef SpacerLink::inputRead(MemoryBufferRef mb) {
  Expected<MemoryBufferRef> used = deltas.replace(mb);
  if (!used)
    fatal(toString(used.takeError()));
  return *used;
}

// What a link may ask of lld that shared pages cannot give.
bool SpacerLink::refuse() {
  auto no = [](const Twine &what) {
    error("--spacer-atlas: " + what);
    return true;
  };
  if (config->emachine != EM_X86_64 || !config->is64)
    return no("the target is not x86-64; only x86-64 images can be placed");
  if (config->shared)
    return no("-shared is not supported; link an executable, or drop the flag");
  if (config->emitRelocs)
    return no(
        "--emit-relocs is not supported: shared pages keep no relocations");
  if (config->oFormatBinary)
    return no(
        "--oformat=binary is not supported; use objcopy on the ELF image");
  if (config->nmagic || config->omagic)
    return no("-n and -N are not supported: shared code needs whole pages");
  if (partitions.size() > 1)
    return no("partitioned images are not supported");
  if (config->zIfuncNoplt)
    return no("-z ifunc-noplt is not supported");
  return false;
}

uint32_t SpacerLink::addLibrary(StringRef name) {
  auto [it, isNew] = libraryIndex.try_emplace(name, model.libraries.size());
  if (isNew)
    model.libraries.push_back(name.str());
  return it->second;
}

// lld trusts the section headers of what it reads later, relocations say.
static void checkSectionsAreWhole(const ELFFileBase *f) {
  uint64_t size = f->mb.getBufferSize();
  for (const ELF64LE::Shdr &s : f->getELFShdrs<ELF64LE>())
    if (s.sh_type != SHT_NOBITS &&
        (s.sh_offset > size || s.sh_size > size - s.sh_offset))
      fatal(lld::toString(f) + ": a section ends at 0x" +
            utohexstr(s.sh_offset + s.sh_size) + ", the file at 0x" +
            utohexstr(size));
}

// libNAME.a and libNAME.o are library NAME.
static StringRef libraryName(StringRef path) {
  StringRef name = sys::path::stem(path);
  name.consume_front("lib");
  return name;
}

// A file belongs to the first --spacer-lib rule that matches its path, its base
// name or archive(member); failing that, libNAME.a is library NAME.
void SpacerLink::classifyFiles() {
  addLibrary("");
  StringMap<std::string> claims;
  for (ELFFileBase *f : ctx.objectFiles) {
    checkSectionsAreWhole(f);
    ObjectTags tags = tagsOf(f);
    if (tags.isEstimated)
      estimatedFiles.insert(f);
    StringRef archive = f->archiveName;
    StringRef path = archive.empty() ? f->getName() : archive;
    std::string full = lld::toString(f);
    StringRef name;
    for (const LibraryRule &rule : opts.libraries)
      if (rule.glob.match(path) || rule.glob.match(full) ||
          rule.glob.match(sys::path::filename(path))) {
        name = rule.name == "*" ? libraryName(path) : StringRef(rule.name);
        break;
      }
    bool isTagged = name.empty() && !tags.library.empty();
    if (isTagged)
      name = tags.library;
    if (name.empty() && !archive.empty())
      name = libraryName(archive);
    if (isTagged && !tags.otherLibrary.empty()) {
      warn(full + ": holds code of " + tags.library + " and of " +
           tags.otherLibrary +
           ", tagged as one file: it stays private; name "
           "its library with --spacer-lib=NAME=GLOB");
      name = "";
    }
    for (const GlobPattern &g : opts.privateGlobs)
      if (g.match(path) || g.match(full) || g.match(sys::path::filename(path)))
        name = "";
    if (name.empty() && !tags.isMixed)
      continue;
    applyTags(f, tags);
    if (name.empty())
      continue;
    if (!archive.empty() && !isTagged) {
      auto [it, isNew] = claims.try_emplace(name, archive.str());
      if (!isNew && it->second != archive) {
        error("library '" + name + "' is claimed by " + it->second + " and " +
              archive + "; name one of them with --spacer-lib=NAME=GLOB");
        return;
      }
    }
    fileLibrary[f] = addLibrary(name);
  }
}

ObjectTags SpacerLink::tagsOf(ELFFileBase *f) {
  const ELFFile<ELF64LE> obj = f->getObj<ELF64LE>();
  ArrayRef<ELF64LE::Shdr> headers = f->getELFShdrs<ELF64LE>();
  for (const ELF64LE::Shdr &s : headers) {
    if (s.sh_type != SHT_PROGBITS || (s.sh_flags & SHF_ALLOC))
      continue; // most sections, without a look at their names
    Expected<StringRef> name = obj.getSectionName(s);
    if (!name || *name != tagSectionName) {
      consumeError(name.takeError());
      continue;
    }
    std::string where = lld::toString(f);
    Expected<ArrayRef<uint8_t>> content = obj.getSectionContents(s);
    if (!content)
      fatal(where + ": " + toString(content.takeError()));
    Expected<FileTags> tags = readTags(*content, where);
    if (!tags)
      fatal(toString(tags.takeError()));
    return {std::move(*tags), uint32_t(&s - headers.data())};
  }
  return {};
}

// Entries name their symbols by relocations.
void SpacerLink::applyTags(ELFFileBase *f, const ObjectTags &tags) {
  if (tags.entries.empty())
    return;
  const ELFFile<ELF64LE> obj = f->getObj<ELF64LE>();
  DenseMap<uint64_t, std::pair<uint32_t, int64_t>> target; ///< symbol, addend
  for (const ELF64LE::Shdr &s : f->getELFShdrs<ELF64LE>()) {
    if (s.sh_type != SHT_RELA || s.sh_info != tags.section)
      continue;
    Expected<ELF64LE::RelaRange> relas = obj.relas(s);
    if (!relas)
      fatal(lld::toString(f) + ": " + toString(relas.takeError()));
    for (const ELF64LE::Rela &r : *relas)
      target[r.r_offset] = {r.getSymbol(false), r.r_addend};
  }
  auto syms = f->getELFSyms<ELF64LE>();
  ArrayRef<InputSectionBase *> sections = f->getSections();
  for (const FileTags::Entry &e : tags.entries) {
    auto it = target.find(e.offset);
    if (it == target.end())
      continue; // what it named is gone
    auto [symbol, addend] = it->second;
    if (symbol >= syms.size())
      fatal(lld::toString(f) + ": .spacer.tags names symbol " + Twine(symbol) +
            " of " + Twine(syms.size()));
    uint32_t index = cast<ObjFile<ELF64LE>>(f)->getSectionIndex(syms[symbol]);
    InputSectionBase *sec = index < sections.size() ? sections[index] : nullptr;
    if (!sec || sec == &InputSection::discarded)
      continue;
    if (!e.name.empty())
      tagNames[{sec, syms[symbol].st_value + addend}] = e.name;
    if (!e.library.empty())
      sectionLibrary[sec] = addLibrary(e.library);
  }
  if (tags.isMixed) {
    mixedFiles.insert(f);
    findOwners(f);
  }
}

// Jump tables, constants and strings of a file that holds several libraries
// belong to who refers to them; of several, to the first by name.
void SpacerLink::findOwners(ELFFileBase *f) {
  SmallVector<InputSection *, 0> work;
  for (InputSectionBase *s : f->getSections())
    if (auto *sec = dyn_cast_or_null<InputSection>(s);
        sec && sectionLibrary.count(sec))
      work.push_back(sec);
  DenseSet<const SectionBase *> tagged;
  for (InputSection *s : work)
    tagged.insert(s);
  while (!work.empty()) {
    InputSection *s = work.pop_back_val();
    uint32_t library = sectionLibrary.lookup(s);
    for (const ELF64LE::Rela &r : s->relsOrRelas<ELF64LE>().relas) {
      auto *d = dyn_cast<Defined>(&f->getSymbol(r.getSymbol(false)));
      auto *to = d ? dyn_cast_or_null<InputSectionBase>(d->section) : nullptr;
      if (!to || to->file != f || tagged.contains(to))
        continue;
      auto [it, isNew] = sectionLibrary.try_emplace(to, library);
      if (!isNew && model.libraries[it->second] <= model.libraries[library])
        continue;
      it->second = library;
      if (auto *next = dyn_cast<InputSection>(to))
        work.push_back(next);
    }
  }
}

// Sections whose place means nothing to a program. Everything that is collected
// by name (constructors, sets, notes), ordered by another section, or thread
// local stays where lld puts it.
bool SpacerLink::mayShare(const InputSectionBase *s,
                          const OutputSection *os) const {
  if (!s->isLive() || !libraryOf(s) || !os)
    return false;
  if (!(s->flags & SHF_ALLOC) ||
      (s->flags & (SHF_LINK_ORDER | SHF_X86_64_LARGE)) ||
      ((s->flags & SHF_WRITE) && (s->flags & SHF_EXECINSTR)) ||
      (s->type != SHT_PROGBITS && s->type != SHT_NOBITS) ||
      s->addralign > pageBytes || s->getSize() == 0)
    return false;
  auto family = [&](StringRef prefix) {
    return s->name == prefix ||
           (s->name.starts_with(prefix) && s->name[prefix.size()] == '.');
  };
  if (s->flags & SHF_TLS)
    // A script may name the ends of these sections.
    return !script->hasSectionsCommand && (s->flags & SHF_WRITE) &&
           (os->name == ".tdata" || os->name == ".tbss");
  bool name = family(".text") || family(".rodata") || family(".data") ||
              family(".bss") || s->name == "COMMON";
  return name && StringSwitch<bool>(os->name)
                     .Cases(".text", ".rodata", ".data", ".bss", true)
                     .Cases(".data.rel.ro", ".bss.rel.ro", true)
                     .Default(false);
}

// Whether a script put these sections here for their place: KEEP and SORT are
// how it makes tables that a program walks.
static bool isOrdered(const InputSectionDescription &isd) {
  return is_contained(script->keptSections, &isd) ||
         llvm::any_of(isd.sectionPatterns, [](const SectionPattern &p) {
           return p.sortOuter != SortSectionPolicy::Default &&
                  p.sortOuter != SortSectionPolicy::None;
         });
}

void SpacerLink::sectionsAssigned() {
  TimeTraceScope timeScope("Spacer: strings");
  if (inputsRead)
    inputsRead();
  if (Error e = deltas.finish())
    fatal(toString(std::move(e)));
  if (opts.atlas.empty() || config->relocatable || errorCount() || refuse())
    return;
  Expected<std::unique_ptr<Atlas>> a =
      Atlas::open(opts.atlas, opts.mode, opts.window);
  if (fail(a ? Error::success() : a.takeError()))
    return;
  atlas = std::move(*a);
  model.trampolines = opts.trampolines;
  if (config->andFeatures & GNU_PROPERTY_X86_FEATURE_1_IBT)
    slotWidth = x86_64::ibtSlotBytes;
  classifyFiles();
  if (errorCount())
    return;
  // A unikernel's own start-up code may know of no relocations outside of what
  // its script lists, and reads words before it has relocated them: where it is
  // loaded at its address, they must hold what they mean.
  if (config->isPic && script->hasSectionsCommand)
    config->writeAddends = true;

  anchor = make<StringAnchor>();
  for (SectionCommand *cmd : script->sectionCommands)
    if (auto *osd = dyn_cast<OutputDesc>(cmd))
      for (SectionCommand *sub : osd->osec.commands)
        if (auto *isd = dyn_cast<InputSectionDescription>(sub))
          takeStrings(osd->osec, *isd);
  if (opts.mode == AtlasMode::Frozen)
    keepUnknownStringsPrivate();
  // Folding would give two names one place in this image only.
  if (config->icf != ICFLevel::None)
    for (InputSectionBase *s : ctx.inputSections)
      if (libraryOf(s))
        s->keepUnique = true;
}

// Each live string (or constant of a merge section) of a library is a unit;
// equal ones are one.
void SpacerLink::takeStrings(OutputSection &os, InputSectionDescription &isd) {
  if (isOrdered(isd))
    return;
  llvm::erase_if(isd.sectionBases, [&](InputSectionBase *s) {
    auto *ms = dyn_cast<MergeInputSection>(s);
    if (!ms || !mayShare(ms, &os) || (ms->flags & SHF_WRITE))
      return false;
    std::vector<uint32_t> &units = pieceUnits[ms];
    units.assign(ms->pieces.size(), noUnit);
    uint64_t how = ms->entsize | uint64_t(ms->addralign) << 16 |
                   (ms->flags & SHF_STRINGS) << 40;
    for (size_t i = 0; i != ms->pieces.size(); ++i) {
      if (!ms->pieces[i].live)
        continue;
      CachedHashStringRef text = ms->getData(i);
      auto [it, isNew] =
          stringUnits.try_emplace({text, how}, model.units.size());
      if (isNew) {
        Unit u;
        u.kind = UnitKind::String;
        u.entsize = ms->entsize;
        u.library = libraryOf(ms);
        u.flags = ms->flags & (SHF_ALLOC | SHF_MERGE | SHF_STRINGS);
        u.align = std::max<uint32_t>(ms->addralign, 1);
        u.bytes = text.size();
        u.content = arrayRefFromStringRef(text.val());
        model.units.push_back(std::move(u));
        unitSection.push_back(nullptr);
        stringHomes.push_back({&os, &isd});
      }
      units[i] = it->second;
      // A string of two libraries belongs to one by name, not by order.
      uint32_t &owner = model.units[it->second].library;
      uint32_t library = libraryOf(ms);
      if (model.libraries[library] < model.libraries[owner])
        owner = library;
    }
    ms->parent = anchor;
    takenStrings.push_back(ms);
    return true;
  });
}

// Identities of strings depend on nothing else, so they are known before lld
// lays out what is private.
void SpacerLink::keepUnknownStringsPrivate() {
  computeIdentities(model);
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    Unit &unit = model.units[u];
    if (atlas->findUnit(unit.identity))
      continue;
    unit.isPrivate = true;
    unit.reason = "new to the frozen atlas";
    auto [os, isd] = stringHomes[u];
    auto *s = make<PrivateString>(unit.align, ".rodata.spacer", unit.content);
    s->parent = os;
    isd->sectionBases.push_back(s);
    privateStrings[u] = s;
  }
}

//===----------------------------------------------------------------------===//
// Units and references
//===----------------------------------------------------------------------===//

static UnitKind kindOf(const InputSectionBase &s) {
  if (s.flags & SHF_TLS)
    return UnitKind::Tls;
  if (s.flags & SHF_EXECINSTR)
    return UnitKind::Text;
  if (s.type == SHT_NOBITS)
    return UnitKind::Bss;
  return s.flags & SHF_WRITE ? UnitKind::Data : UnitKind::Rodata;
}

void SpacerLink::takeSections() {
  for (SectionCommand *cmd : script->sectionCommands) {
    auto *osd = dyn_cast<OutputDesc>(cmd);
    if (!osd)
      continue;
    for (SectionCommand *sub : osd->osec.commands) {
      auto *isd = dyn_cast<InputSectionDescription>(sub);
      if (!isd || isOrdered(*isd))
        continue;
      for (InputSection *s : isd->sections) {
        bool regular = s->kind() == SectionBase::Regular || isa<BssSection>(s);
        if (!regular || !mayShare(s, &osd->osec) || sectionUnit.count(s))
          continue;
        Unit u;
        u.kind = kindOf(*s);
        u.library = libraryOf(s);
        u.flags = s->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR);
        u.align = std::max<uint32_t>(s->addralign, 1);
        u.bytes = s->getSize();
        if (s->type != SHT_NOBITS)
          u.content = s->contentMaybeDecompress();
        u.isLineTable = s->name.starts_with(lineTablePrefix);
        sectionUnit[s] = model.units.size();
        model.units.push_back(std::move(u));
        unitSection.push_back(s);
      }
    }
  }
}

static ArrayRef<uint8_t> contentOf(const SectionBase *sec) {
  auto *s = dyn_cast_or_null<InputSectionBase>(sec);
  if (!s || s == &InputSection::discarded || s->type == SHT_NOBITS)
    return {};
  return s->contentMaybeDecompress();
}

// The sections' own symbols, as the object file says, whatever they resolved
// to: they name the units. Resolved ones that stayed are function entries.
void SpacerLink::nameUnits(ELFFileBase *file) {
  auto syms = file->getELFSyms<ELF64LE>();
  ArrayRef<InputSectionBase *> sections = file->getSections();
  auto *obj = cast<ObjFile<ELF64LE>>(file);
  StringRef strtab = file->getStringTable();
  FileNames scope;
  for (const ELF64LE::Sym &s : syms)
    if (s.getType() == STT_FILE)
      scope.addFile(sys::path::filename(strtab.data() + s.st_name));

  // The smallest global that the file defines, a strong one if there is any:
  // many files may have a weak one.
  StringRef neighbour;
  bool isStrong = false;
  for (const ELF64LE::Sym &s : file->getGlobalELFSyms<ELF64LE>()) {
    StringRef name = strtab.data() + s.st_name;
    bool strong = s.getBinding() == STB_GLOBAL;
    if (s.st_shndx == SHN_UNDEF || (isStrong && !strong))
      continue;
    if (neighbour.empty() || strong > isStrong || name < neighbour)
      neighbour = name;
    isStrong |= strong;
  }

  for (uint32_t i = 1; i < syms.size(); ++i) {
    const ELF64LE::Sym &s = syms[i];
    StringRef name = strtab.data() + s.st_name;
    if (s.getType() == STT_FILE) {
      scope.enterFile();
      continue;
    }
    if (s.getType() == STT_SECTION || name.empty() || name.starts_with(".L"))
      continue;
    SectionBase *sec = nullptr;
    if (s.st_shndx == SHN_COMMON) {
      if (auto *d = dyn_cast<Defined>(&file->getSymbol(i)))
        sec = d->section;
    } else if (uint32_t index = obj->getSectionIndex(s);
               index && index < sections.size()) {
      sec = sections[index];
    }
    auto it = sectionUnit.find(sec);
    bool local = s.getBinding() == STB_LOCAL;
    uint32_t library = sec ? libraryOf(sec, file) : libraryOf(file);
    std::string qualified;
    if (local) {
      StringRef tag = tagNames.lookup({sec, s.st_value});
      qualified = tag.empty() ? scope.qualify(name) : withoutNumbers(tag).str();
    }
    if (it == sectionUnit.end()) {
      // Private code too has names: a table may point to a static function.
      if (local)
        names.add(&file->getSymbol(i), library, std::move(qualified),
                  numericSuffix(name), contentOf(sec), neighbour);
      continue;
    }
    if (local)
      names.add(&file->getSymbol(i), library, std::move(qualified),
                numericSuffix(name), model.units[it->second].content,
                neighbour);
    if (model.units[it->second].kind == UnitKind::Text) {
      if (local)
        localNames[it->second].add(scope.qualify(name));
      else
        globalNames[it->second].add(name);
    }
    if (name.contains(patchMark)) {
      model.units[it->second].isPrivate = true;
      model.units[it->second].reason = "patched by the names of its symbols";
    }
    names.propose(it->second, s.st_value, s.getBinding(),
                  local ? std::string() : name.str(),
                  local ? &file->getSymbol(i) : nullptr);
  }
}

void SpacerLink::findSymbols() {
  globalNames.resize(model.units.size());
  localNames.resize(model.units.size());
  for (ELFFileBase *f : ctx.objectFiles)
    if (libraryOf(f) || mixedFiles.contains(f))
      nameUnits(f);
  names.settle();
  names.nameUnits(model);
}

// Where functions begin, by section, and for functions with several names the
// one that stands for their address: pointers to aliases must compare equal.
void SpacerLink::indexFunctions() {
  auto rank = [](const Symbol *s) {
    int strength = s->isLocal() ? 2 : s->isWeak() ? 1 : 0;
    return std::make_tuple(strength, s->getName());
  };
  auto add = [&](Symbol *s) {
    auto *d = dyn_cast<Defined>(s);
    if (!d || !d->section || !isFunction(*d))
      return;
    functions[d->section].push_back({d->value, s});
    if (d->type == STT_GNU_IFUNC)
      return; // stands for what its resolver chooses, not for the resolver
    auto [it, isNew] = canonicalAt.try_emplace({d->section, d->value}, s);
    if (!isNew && rank(s) < rank(it->second))
      it->second = s;
  };
  for (ELFFileBase *f : ctx.objectFiles)
    for (Symbol *s : f->getLocalSymbols())
      add(s);
  for (Symbol *s : symtab.getSymbols())
    add(s);
  for (InputSectionBase *s : ctx.inputSections)
    if (auto *sec = dyn_cast<InputSection>(s))
      if (sec->isLive() && (sec->flags & SHF_ALLOC))
        findDirectAddresses(*sec);
  findKnownAddresses();
  for (const Symbol *s : addressIsPlace) {
    auto unit = sectionUnit.find(cast<Defined>(s)->section);
    if (unit != sectionUnit.end())
      model.units[unit->second].ownAddress = true;
  }
  findTaken();
  tellEqualFunctionsApart();
}

bool SpacerLink::isCall(const InputSection &sec, uint32_t type,
                        uint64_t offset) const {
  x86_64::RelClass cls = x86_64::classify(type);
  return (cls == x86_64::RelClass::PcRel || cls == x86_64::RelClass::Plt) &&
         (sec.flags & SHF_EXECINSTR) &&
         x86_64::isBranch(sec.contentMaybeDecompress(), offset);
}

// Whether a function from the section's beginning on is all of it, but for
// bytes by which the assembler has filled it up.
static bool spans(uint64_t functionBytes, uint64_t sectionBytes) {
  return functionBytes + 16 > sectionBytes;
}

// What a jump table of non-PIC code holds: the inside of the only function of a
// section.
bool SpacerLink::isInside(const Defined &d, const ELF64LE::Rela &r) const {
  auto it = functions.find(d.section);
  if (!d.isSection() || !r.r_addend || it == functions.end() ||
      x86_64::classify(r.getType(false)) != x86_64::RelClass::Abs)
    return false;
  const FunctionAt &f = it->second.front();
  return it->second.size() == 1 && !f.offset &&
         spans(cast<Defined>(f.symbol)->size,
               cast<InputSectionBase>(d.section)->getSize());
}

// Code that something refers to otherwise than by a call: something live, and
// whatever is in the same file by a local symbol. The latter is the same in all
// images.
void SpacerLink::findTaken() {
  taken.assign(model.units.size(), false);
  takenLocally.assign(model.units.size(), false);
  auto take = [&](const InputSection &sec, const Symbol &s) {
    auto *d = dyn_cast<Defined>(&s);
    auto it = d ? sectionUnit.find(d->section) : sectionUnit.end();
    if (it == sectionUnit.end() ||
        model.units[it->second].kind != UnitKind::Text)
      return;
    if (sec.isLive())
      taken[it->second] = true;
    if (s.isLocal())
      takenLocally[it->second] = true;
  };
  auto takeAllOf = [&](InputSection &sec) {
    const RelsOrRelas<ELF64LE> rels = sec.relsOrRelas<ELF64LE>();
    for (const ELF64LE::Rela &r : rels.relas) {
      const Symbol &sym = sec.file->getSymbol(r.getSymbol(false));
      auto *d = dyn_cast<Defined>(&sym);
      if (d && !isCall(sec, r.getType(false), r.r_offset) && !isInside(*d, r))
        take(sec, sym);
    }
    for (const ELF64LE::Rel &r : rels.rels)
      take(sec, sec.file->getSymbol(r.getSymbol(false)));
    for (const auto &r : rels.crels)
      take(sec, sec.file->getSymbol(r.r_symidx));
  };
  for (ELFFileBase *f : ctx.objectFiles)
    for (InputSectionBase *s : f->getSections())
      if (auto *sec = dyn_cast_or_null<InputSection>(s);
          sec && sec != &InputSection::discarded && (sec->flags & SHF_ALLOC))
        takeAllOf(*sec);
}

// All that a relocation says but where its symbol lies.
static Hash128 digestOfRelocations(const InputSection &sec) {
  HashBuilder h;
  for (const ELF64LE::Rela &r : sec.relsOrRelas<ELF64LE>().relas)
    h.fixed({r.r_offset, r.getType(false), uint64_t(r.r_addend)})
        .str(sec.file->getSymbol(r.getSymbol(false)).getName());
  return h.finish();
}

// A program may tell two functions by their addresses, even if they are equal.
// Who takes the address of a global function differs from image to image, so
// its names make it another; a local function's do if its own file takes it.
// Only what the object says counts: not what a name is resolved to, nor what
// else is in the image.
void SpacerLink::tellEqualFunctionsApart() {
  DenseMap<Hash128, SmallVector<uint32_t, 1>> namesakes;
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    Unit &unit = model.units[u];
    const NameSum &global = globalNames[u];
    if (unit.kind != UnitKind::Text || !(global.names || takenLocally[u]))
      continue;
    HashBuilder h;
    h.fixed({global.low, global.high});
    if (takenLocally[u])
      h.str(model.libraries[unit.library])
          .fixed({localNames[u].low, localNames[u].high});
    unit.distinction = h.finish();
    namesakes[unit.distinction].push_back(u);
  }
  // Of units that are equal in all that can be said it does not matter which is
  // which.
  for (auto &[distinction, units] : namesakes) {
    if (units.size() == 1)
      continue;
    std::map<std::pair<Hash128, Hash128>, uint64_t> seen;
    for (uint32_t u : units)
      if (uint64_t n = seen[{
              hashBytes(model.units[u].content),
              digestOfRelocations(*cast<InputSection>(unitSection[u]))}]++)
        model.units[u].distinction =
            HashBuilder().hash(distinction).u64(n).finish();
  }
}

// Functions whose address others know or look behind: what a dynamic image
// exports, and code with a type hash before its entry (-fsanitize=kcfi).
void SpacerLink::findKnownAddresses() {
  DenseSet<const InputFile *> hashed;
  for (ELFFileBase *f : ctx.objectFiles)
    for (const InputSectionBase *s : f->getSections())
      if (s && s->name == ".kcfi_traps")
        hashed.insert(f);
  for (auto &[at, sym] : canonicalAt) {
    auto *base = dyn_cast<InputSectionBase>(at.first);
    if (base && hashed.contains(base->file))
      addressIsPlace.insert(sym);
  }
  if (config->hasDynSymTab)
    for (Symbol *s : symtab.getSymbols())
      if (s->isDefined() && isFunction(*s) &&
          (s->exportDynamic || s->inDynamicList))
        addressIsPlace.insert(canonical(*s));
}

// Position-independent code takes the address of a static function of its own
// section by `lea`, and the assembler resolves that without a relocation. Such
// a function's address is its place, for everybody. Looking for the encoding
// (8d, mod 00, r/m 101) may find more than there is, which does no harm.
void SpacerLink::findDirectAddresses(const InputSection &sec) {
  // So is that of one reached by a relocation that this hook does not redirect.
  const RelsOrRelas<ELF64LE> rels = sec.relsOrRelas<ELF64LE>();
  for (const ELF64LE::Rela &r : rels.relas) {
    if (x86_64::classify(r.getType(false)) != x86_64::RelClass::Unknown)
      continue;
    auto *d = dyn_cast<Defined>(&sec.file->getSymbol(r.getSymbol(false)));
    if (d && d->section)
      if (Symbol *f = functionAt(d->section,
                                 d->value + (d->isSection() ? r.r_addend : 0)))
        addressIsPlace.insert(f);
  }
  if (!(sec.flags & SHF_EXECINSTR))
    return;
  ArrayRef<uint8_t> code = sec.contentMaybeDecompress();
  for (size_t i = 0; i + 6 <= code.size(); ++i) {
    auto *hit = static_cast<const uint8_t *>(
        memchr(code.data() + i, 0x8d, code.size() - 5 - i));
    if (!hit)
      return;
    i = hit - code.data();
    if ((code[i + 1] & 0xc7) != 0x05)
      continue;
    int32_t displacement = support::endian::read32le(code.data() + i + 2);
    if (Symbol *f = functionAt(&sec, i + 6 + int64_t(displacement)))
      addressIsPlace.insert(f);
  }
}

Symbol *SpacerLink::functionAt(const SectionBase *sec, uint64_t offset) const {
  auto it = canonicalAt.find({sec, offset});
  return it == canonicalAt.end() ? nullptr : it->second;
}

Symbol *SpacerLink::canonical(Symbol &sym) const {
  auto *d = dyn_cast<Defined>(&sym);
  if (!d || !d->section || d->type == STT_GNU_IFUNC)
    return &sym;
  Symbol *c = functionAt(d->section, d->value);
  return c ? c : &sym;
}

uint32_t SpacerLink::slotOf(Symbol &sym, SlotKind kind) {
  auto &map = kind == SlotKind::Got ? symbolGot : symbolSlot;
  auto [it, isNew] = map.try_emplace(&sym, model.slots.size());
  if (!isNew)
    return it->second;
  Slot s;
  s.kind = kind;
  auto *defined = dyn_cast<Defined>(&sym);
  s.library = !sym.file ? 0
              : defined ? libraryOf(defined->section, sym.file)
                        : libraryOf(sym.file);
  s.bytes = kind == SlotKind::Got ? 8 : slotWidth;
  StringRef scope;
  if (sym.isLocal()) {
    StringRef unique = names.nameOf(&sym);
    s.name = unique.empty() ? sym.getName().str() : unique.str();
    scope = model.libraries[s.library];
  } else {
    // lld cuts off `@VERSION`, but two versions are two functions.
    s.name = sym.hasVersionSuffix ? std::string(sym.getName().data())
                                  : sym.getName().str();
  }
  s.key = slotKey(scope, s.name, kind, s.bytes);
  if (auto *d = dyn_cast<Defined>(&sym); d && d->section) {
    auto unit = sectionUnit.find(d->section);
    if (unit != sectionUnit.end()) {
      s.unit = unit->second;
      s.unitOffset = d->value;
      s.mayBeEntry = kind != SlotKind::Got && d->type == STT_FUNC &&
                     d->value == 0 && !d->isWeak() &&
                     functions.lookup(d->section).size() == 1;
    }
  }
  // A fixed address for everybody: lld then makes the PLT entry canonical.
  if (sym.type == STT_GNU_IFUNC)
    sym.setFlags(HAS_DIRECT_RELOC);
  model.slots.push_back(std::move(s));
  slotTargets.push_back(&sym);
  return it->second;
}

// A reference that means the function: through its slot, or without slots to
// the function's own place.
void SpacerLink::bindFunction(Ref &ref, Symbol &sym, bool isBranch,
                              int64_t addend) {
  Symbol &target = isBranch ? sym : *canonical(sym);
  if (target.isLocal() && names.nameOf(&target).empty())
    return;
  if (model.trampolines == Trampolines::None ||
      (!isBranch && addressIsPlace.contains(&target))) {
    auto *d = dyn_cast<Defined>(&sym);
    auto it = d ? sectionUnit.find(d->section) : sectionUnit.end();
    if (it == sectionUnit.end() || sym.type == STT_GNU_IFUNC)
      return;
    ref.binding = Binding::Unit;
    ref.target = it->second;
    ref.addend = d->value;
    ref.residual = addend;
    return;
  }
  ref.binding = Binding::Slot;
  ref.target = slotOf(target, SlotKind::Door);
  model.slots[ref.target].addressTaken |= !isBranch;
  ref.addend = addend;
}

// A reference to data, or into the middle of code.
void SpacerLink::bindSection(Ref &ref, const Defined &d, int64_t addend) {
  // As getSymVA(): only a section symbol's addend selects a string.
  uint64_t offset = d.value + (d.isSection() ? addend : 0);
  int64_t residual = d.isSection() ? 0 : addend;
  if (auto *ms = dyn_cast<MergeInputSection>(d.section)) {
    auto it = pieceUnits.find(ms);
    if (it == pieceUnits.end() || offset >= ms->content().size())
      return;
    const SectionPiece &piece = ms->getSectionPiece(offset);
    uint32_t u = it->second[&piece - ms->pieces.data()];
    if (u == noUnit)
      return;
    ref.binding = Binding::Unit;
    ref.target = u;
    ref.addend = offset - piece.inputOff;
    ref.residual = residual;
    return;
  }
  auto it = sectionUnit.find(d.section);
  if (it == sectionUnit.end())
    return;
  ref.binding = Binding::Unit;
  ref.target = it->second;
  ref.addend = offset + residual;
}

// In an executable lld turns every access model into local-exec, so the bytes
// depend on the offset from the thread pointer, which the atlas fixes.
void SpacerLink::bindTls(Ref &ref, const Symbol &sym, int64_t addend) {
  switch (ref.type) {
  case R_X86_64_TLSLD: // the block itself: no offset in the code
    ref.binding = Binding::Value;
    return;
  case R_X86_64_TPOFF32:
  case R_X86_64_TPOFF64:
  case R_X86_64_GOTTPOFF:
  case R_X86_64_TLSGD:
  case R_X86_64_DTPOFF32:
  case R_X86_64_DTPOFF64:
    break;
  default:
    return;
  }
  auto *d = dyn_cast<Defined>(&sym);
  auto it = d ? sectionUnit.find(d->section) : sectionUnit.end();
  if (it == sectionUnit.end() || model.units[it->second].kind != UnitKind::Tls)
    return;
  ref.binding = Binding::Unit;
  ref.target = it->second;
  ref.addend = d->value + addend;
}

// The addend with which a reference of this form means its symbol's own
// address, if it can: 0 for a word; -4 for a displacement that ends an
// instruction with a RIP-relative operand (ModRM mod 00, r/m 101) or a branch;
// for a PC-relative word of data, 0, or the word's offset in a table of
// distances from its start.
static std::optional<int64_t> entryAddend(ArrayRef<uint8_t> content, bool code,
                                          bool pcRel, uint64_t offset,
                                          int64_t addend) {
  if (!pcRel)
    return 0;
  if (!code)
    return addend == int64_t(offset) ? addend : 0;
  bool operand = offset >= 2 && offset <= content.size() &&
                 (content[offset - 1] & 0xc7) == 0x05;
  if (operand || x86_64::isBranch(content, offset))
    return -4;
  return std::nullopt;
}

// Design 3.2, the table of bindings. Whatever falls through stays Private.
Ref SpacerLink::resolve(const Unit &unit, const InputSection &sec,
                        const ELF64LE::Rela &r) {
  Ref ref;
  ref.offset = r.r_offset;
  ref.type = r.getType(false);
  int64_t addend = r.r_addend;
  Symbol &sym = sec.file->getSymbol(r.getSymbol(false));
  bool nameless = sym.isLocal() && names.nameOf(&sym).empty();
  x86_64::RelClass cls = x86_64::classify(ref.type);
  auto *d = dyn_cast<Defined>(&sym);

  if (cls == x86_64::RelClass::Tls) {
    bindTls(ref, sym, addend);
    return ref;
  }
  if (cls == x86_64::RelClass::Unknown || sym.isTls() || sym.isShared() ||
      ((sym.scriptDefined || sym.isUndefined()) &&
       cls != x86_64::RelClass::Got))
    return ref;
  if (cls == x86_64::RelClass::Got) {
    // -4, or less where an immediate follows the displacement.
    if (addend > -4 || addend < -8 || model.trampolines == Trampolines::None ||
        (sym.isUndefined() && (!sym.isWeak() || config->hasDynSymTab)) ||
        (d && d->isSection()) || nameless)
      return ref;
    bool function = d && isFunction(sym);
    ref.binding = Binding::Got;
    ref.target = slotOf(function ? *canonical(sym) : sym, SlotKind::Got);
    ref.addend = addend;
    return ref;
  }
  if (!d)
    return ref;
  if (cls == x86_64::RelClass::Size) {
    ref.binding = Binding::Value;
    ref.addend = d->size + addend;
    return ref;
  }
  if (!d->section) {
    // A number written in an object file; anything else is the linker's own.
    if (!sym.file || sym.file->isInternal())
      return ref;
    ref.binding = Binding::Value;
    ref.addend = d->value + addend;
    return ref;
  }
  if (!isa<InputSectionBase>(d->section) || isa<EhInputSection>(d->section) ||
      (d->section->flags & SHF_TLS))
    return ref;

  bool code = unit.kind == UnitKind::Text;
  bool pcRel = cls != x86_64::RelClass::Abs;
  bool isBranch = code && pcRel && x86_64::isBranch(unit.content, ref.offset);
  std::optional<int64_t> bias =
      entryAddend(unit.content, code, pcRel, ref.offset, addend);
  if (d->isSection()) {
    Symbol *f = bias && (code || !pcRel)
                    ? functionAt(d->section, d->value + addend - *bias)
                    : nullptr;
    if (f)
      bindFunction(ref, *f, isBranch, *bias);
    else
      bindSection(ref, *d, addend);
    return ref;
  }
  bool entry = bias && addend == *bias;
  if (isFunction(sym) && entry)
    bindFunction(ref, sym, isBranch, addend);
  else if (isBranch && addend == -4 && sym.type == STT_NOTYPE &&
           (d->section->flags & SHF_EXECINSTR))
    bindFunction(ref, sym, true, addend);
  else
    bindSection(ref, *d, addend);
  return ref;
}

void SpacerLink::collectRefs(uint32_t u) {
  auto *sec = dyn_cast_or_null<InputSection>(unitSection[u]);
  if (!sec || isa<BssSection>(sec))
    return;
  const RelsOrRelas<ELF64LE> rels = sec->relsOrRelas<ELF64LE>();
  std::vector<Ref> refs;
  if (rels.areRelocsRel() || rels.areRelocsCrel()) {
    model.units[u].isPrivate = true;
    model.units[u].reason = "relocations are not of type RELA";
    model.units[u].notUnderstood = true;
    return;
  }
  refs.reserve(rels.relas.size());
  uint32_t previous = R_X86_64_NONE;
  for (const ELF64LE::Rela &r : rels.relas) {
    uint32_t before = std::exchange(previous, r.getType(false));
    // The call of __tls_get_addr, which local-exec does without.
    if (before == R_X86_64_TLSGD || before == R_X86_64_TLSLD)
      continue;
    if (r.getType(false) == R_X86_64_NONE)
      continue;
    if (r.r_offset + x86_64::fieldBytes(r.getType(false)) > sec->getSize() ||
        r.r_offset > sec->getSize()) {
      error(lld::toString(sec) + ": a relocation at offset 0x" +
            utohexstr(r.r_offset) + ", the section has 0x" +
            utohexstr(sec->getSize()) + " bytes");
      return;
    }
    Ref ref = resolve(model.units[u], *sec, r);
    if (ref.binding == Binding::Private && !model.units[u].reason) {
      const Symbol &sym = sec->file->getSymbol(r.getSymbol(false));
      switch (x86_64::classify(ref.type)) {
      case x86_64::RelClass::Tls:
        model.units[u].reason = "thread-local storage";
        break;
      case x86_64::RelClass::Unknown:
        model.units[u].reason = "a relocation of unknown type";
        model.units[u].notUnderstood = true;
        break;
      default:
        model.units[u].reason = sym.isUndefined() ? "an undefined symbol"
                                                  : "the image's own symbol";
      }
    }
    refs.push_back(ref);
  }
  auto byOffset = [](const Ref &a, const Ref &b) {
    return a.offset < b.offset;
  };
  if (!llvm::is_sorted(refs, byOffset))
    llvm::stable_sort(refs, byOffset);
  model.units[u].refs = std::move(refs);
}

// Whether a scanned relocation of private code takes a function's address,
// rather than calling it.
bool SpacerLink::takesAddress(const InputSectionBase &sec,
                              const Relocation &r) const {
  switch (r.expr) {
  case R_ABS:
  case R_RELAX_GOT_PC:
  case R_RELAX_GOT_PC_NOPIC:
    return true;
  case R_PC:
  case R_PLT_PC:
    return !(sec.flags & SHF_EXECINSTR) ||
           !x86_64::isBranch(sec.contentMaybeDecompress(), r.offset);
  default:
    return false;
  }
}

// The function whose address r takes, if it has or may get a slot.
Symbol *SpacerLink::slotForAddress(const InputSectionBase &sec,
                                   const Relocation &r) {
  auto *d = dyn_cast<Defined>(r.sym);
  if (!d || !d->section || !takesAddress(sec, r))
    return nullptr;
  // A relaxed GOT load keeps the addend of the load.
  bool code = sec.flags & SHF_EXECINSTR, pcRel = r.expr != R_ABS;
  std::optional<int64_t> bias = entryAddend(sec.contentMaybeDecompress(), code,
                                            pcRel, r.offset, r.addend);
  if (!bias)
    return nullptr;
  Symbol *f = nullptr;
  if (d->isSection())
    f = code || !pcRel ? functionAt(d->section, d->value + r.addend - *bias)
                       : nullptr;
  else if (isFunction(*d) && r.addend == *bias)
    f = canonical(*d);
  return f && !addressIsPlace.contains(f) ? f : nullptr;
}

// Calls in the profile, by callee.
void SpacerLink::addHeat() {
  DenseMap<const SectionBase *, uint64_t> calls, estimates;
  for (auto &[edge, count] : config->callGraphProfile) {
    if (edge.first == edge.second)
      continue;
    if (estimatedFiles.contains(edge.first->file))
      estimates[edge.second] += estimatedHeat(count, edge.second->getSize());
    else
      calls[edge.second] += count;
  }
  for (Slot &s : model.slots) {
    if (s.unit == noUnit || !s.mayBeEntry)
      continue;
    const SectionBase *function = unitSection[s.unit];
    s.heat = calls.lookup(function);
    s.estimate = estimates.lookup(function);
    // Nobody knows who calls through a pointer: as if once by somebody.
    if (s.addressTaken && estimatedFiles.contains(unitSection[s.unit]->file))
      s.estimate += estimatedHeat(16, model.units[s.unit].bytes);
  }
}

// What is shared at a coarser grain than functions, or not at all because the
// link did not understand it, is said once for each library, with its price.
void SpacerLink::warnAboutCost() {
  struct Cost {
    uint64_t coarse = 0, coarseBytes = 0, unknown = 0, unknownBytes = 0;
  };
  std::vector<Cost> costs(model.libraries.size());
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    const Unit &unit = model.units[u];
    Cost &c = costs[unit.library];
    auto fn = functions.find(unitSection[u]);
    if (unit.kind == UnitKind::Text && unit.bytes > pageBytes &&
        fn != functions.end() && fn->second.size() > 8) {
      ++c.coarse;
      c.coarseBytes += unit.bytes;
    }
    if (unit.isPrivate && unit.notUnderstood) {
      ++c.unknown;
      c.unknownBytes += unit.bytes;
    }
  }
  for (uint32_t l = 0; l != costs.size(); ++l) {
    const Cost &c = costs[l];
    if (c.coarse)
      warn("library " + model.libraries[l] + ": " + Twine(c.coarse) +
           " sections hold many functions each (" + Twine(c.coarseBytes) +
           " bytes): a change of one is a change of all; compile with "
           "-ffunction-sections -fdata-sections");
    if (c.unknown)
      warn("library " + model.libraries[l] + ": " + Twine(c.unknown) +
           " sections with relocations that are not understood stay private (" +
           Twine(c.unknownBytes) + " bytes)");
  }
}

void SpacerLink::sectionsFinal() {
  TimeTraceScope timeScope("Spacer: place");
  if (!active())
    return;
  takeSections();
  findSymbols();
  indexFunctions();
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    bool writable = model.units[u].flags & SHF_WRITE;
    if (writable && !model.units[u].named) {
      model.units[u].isPrivate = true; // content cannot tell two apart
      model.units[u].reason = "writable data without a name";
      model.units[u].notUnderstood = true;
    }
    for (const GlobPattern &g : opts.privateGlobs)
      if (!model.units[u].name.empty() && g.match(model.units[u].name)) {
        model.units[u].isPrivate = true;
        model.units[u].reason = "--spacer-private";
      }
    collectRefs(u);
    // .relr.dyn is encoded before the block's end is known.
    if (model.units[u].kind == UnitKind::Tls && config->relrPackDynRelocs &&
        !model.units[u].refs.empty()) {
      model.units[u].isPrivate = true;
      model.units[u].reason = "a thread-local object with packed relocations";
    }
  }
  addHeat();
  Expected<PlacementStats> stats = place(model, *atlas);
  if (fail(stats ? Error::success() : stats.takeError()))
    return;
  report.placement = *stats;
  warnAboutCost();
  settleUsedSlots();
  createRuns();
  applyPlacement();
  // Shared code has its order. What is left of the profile orders the image's
  // own, and lld's sorting of it can take longer than all the rest of a link.
  config->callGraphProfile.remove_if([&](const auto &edge) {
    auto stays = [&](const InputSectionBase *s) {
      auto it = sectionUnit.find(s);
      return it == sectionUnit.end() || model.units[it->second].isPrivate;
    };
    return !stays(edge.first.first) || !stays(edge.first.second);
  });
  if (script->hasSectionsCommand)
    endInitialisedTls();
}

//===----------------------------------------------------------------------===//
// From decisions back to lld
//===----------------------------------------------------------------------===//

// Slots that this image has: the wanted ones, but for those that a frozen atlas
// lacks, whose functions are then reached directly by everyone.
void SpacerLink::settleUsedSlots() {
  slotUsed.assign(model.slots.size(), false);
  slotSymbols.assign(model.slots.size(), nullptr);
  for (uint32_t i = 0; i != model.slots.size(); ++i)
    slotUsed[i] = model.slots[i].wanted && model.slots[i].address != 0;
}

static std::pair<StringRef, uint64_t> outputTraits(Region r) {
  switch (r) {
  case Region::Door:
    return {".spacer.door", SHF_ALLOC | SHF_EXECINSTR};
  case Region::Text:
    return {".spacer.text", SHF_ALLOC | SHF_EXECINSTR};
  case Region::Rodata:
    return {".spacer.rodata", SHF_ALLOC};
  case Region::Got:
    return {".spacer.got", SHF_ALLOC | SHF_WRITE};
  case Region::Data:
    return {".spacer.data", SHF_ALLOC | SHF_WRITE};
  case Region::Bss:
    return {".spacer.bss", SHF_ALLOC | SHF_WRITE};
  }
  llvm_unreachable("region");
}

OutputDesc *SpacerLink::newOutputSection(StringRef name, uint32_t type,
                                         uint64_t flags,
                                         SyntheticSection *content) {
  auto *osd = make<OutputDesc>(saver().save(name), type, flags);
  auto *isd = make<InputSectionDescription>("");
  isd->sections.push_back(content);
  content->parent = &osd->osec;
  osd->osec.commands.push_back(isd);
  osd->osec.hasInputSections = true;
  osd->osec.addralign = content->addralign;
  osd->osec.size = content->getSize();
  return osd;
}

// PT_LOADs for shared pages, so that all are no more than
// --spacer-max-segments. Without a PHDRS command lld makes the image's own
// where flags change, beside those for headers and for what is read-only after
// relocation.
unsigned SpacerLink::mostRuns() const {
  unsigned own = llvm::count_if(script->phdrsCommands,
                                [](auto &c) { return c.type == PT_LOAD; });
  if (script->phdrsCommands.empty()) {
    own = 4;
    uint32_t flags = PF_R;
    for (SectionCommand *cmd : script->sectionCommands)
      if (auto *osd = dyn_cast<OutputDesc>(cmd);
          osd && (osd->osec.flags & SHF_ALLOC) &&
          osd->osec.getPhdrFlags() != flags) {
        flags = osd->osec.getPhdrFlags();
        ++own;
      }
  }
  own += opts.closeGaps != 0;
  return opts.maxSegments - std::min(own, opts.maxSegments);
}

// Pages between those that the image uses cost the host nothing, but the guest
// the memory in which they lie.
void SpacerLink::warnAboutFilling(ArrayRef<Run> mapped,
                                  ArrayRef<uint32_t> used) {
  if (mapped.size() < mostRuns())
    return;
  auto pages = [](ArrayRef<Run> runs) {
    uint64_t bytes = 0;
    for (const Run &r : runs)
      bytes += r.bytes;
    return bytes / pageBytes;
  };
  uint64_t wanted = pages(mapRuns(model, *atlas, used, UINT_MAX));
  uint64_t extra = pages(mapped) - wanted;
  if (extra > std::max<uint64_t>(wanted, 256))
    warn("--spacer-max-segments=" + Twine(opts.maxSegments) +
         ": to need no more, the image takes " + Twine(extra) +
         " shared pages that it does not use beside " + Twine(wanted) +
         "; allow more segments");
}

void SpacerLink::createRuns() {
  std::vector<uint32_t> used;
  for (uint32_t i = 0; i != model.slots.size(); ++i)
    if (slotUsed[i])
      used.push_back(i);
  std::vector<Run> mapped = mapRuns(model, *atlas, used, mostRuns());
  warnAboutFilling(mapped, used);
  unsigned count[regionCount] = {};
  for (const Run &run : mapped) {
    auto [prefix, flags] = outputTraits(run.region);
    std::string name = prefix.str();
    if (run.region == Region::Door) {
      if (!run.library.empty())
        name += "." + run.library;
    } else {
      name += "." + std::to_string(count[unsigned(run.region)]++);
    }
    uint32_t type = run.region == Region::Bss ? SHT_NOBITS : SHT_PROGBITS;
    auto *sec = make<RunSection>(run, flags, type, saver().save(name));
    OutputDesc *osd = newOutputSection(name, type, flags, sec);
    osd->osec.addr = run.base;
    osd->osec.addrExpr = [base = run.base] { return base; };
    runs.push_back(sec);
    outputs.push_back(osd);
  }
  closeGaps();
}

/// Where the image's own memory ends, so far.
uint64_t SpacerLink::imageEnd() const {
  uint64_t end = 0;
  for (const OutputSection *os : outputSections) {
    if (!outputs.empty() && os == &outputs.front()->osec)
      break;
    bool zeroTls = (os->flags & SHF_TLS) && os->type == SHT_NOBITS;
    if ((os->flags & SHF_ALLOC) && !zeroTls)
      end = std::max(end, os->addr + os->size);
  }
  return end;
}

// The first gap begins where the image ends, which is known when lld assigns
// addresses; what is between runs is known now. A gap has the protection of
// what is before it, and so needs no segment of its own.
void SpacerLink::closeGaps() {
  if (!opts.closeGaps || runs.empty())
    return;
  std::vector<OutputDesc *> filled;
  auto add = [&](uint64_t begin, uint64_t end, uint64_t flags) {
    StringRef name = saver().save(".spacer.gap." + Twine(filled.size()));
    auto *gap = make<GapSection>(name, flags, end - begin);
    OutputDesc *osd = newOutputSection(name, SHT_NOBITS, flags, gap);
    osd->osec.addr = begin;
    osd->osec.addrExpr = [begin] { return begin; };
    filled.push_back(osd);
    return gap;
  };
  uint64_t window = runs.front()->run.base;
  GapSection *first = add(window, window, SHF_ALLOC);
  gapAfterImage = &filled.front()->osec;
  gapAfterImage->addrExpr = [=, this] {
    uint64_t begin = alignTo(imageEnd(), pageBytes);
    bool small = begin <= window && window - begin <= opts.closeGaps;
    first->bytes = small ? window - begin : 0;
    return begin;
  };
  for (size_t i = 0; i != runs.size(); ++i) {
    if (i) {
      const Run &prev = runs[i - 1]->run;
      uint64_t begin = prev.base + prev.bytes, end = runs[i]->run.base;
      if (begin != end && end - begin <= opts.closeGaps)
        add(begin, end, outputTraits(prev.region).second);
    }
    filled.push_back(outputs[i]);
  }
  outputs = std::move(filled);
}

RunSection *SpacerLink::runAt(uint64_t address) const {
  auto it = llvm::partition_point(runs, [&](const RunSection *r) {
    return r->run.base + r->run.bytes <= address;
  });
  return it != runs.end() && (*it)->run.base <= address ? *it : nullptr;
}

// Hands sections and strings over: shared ones to their run, the rest back.
void SpacerLink::applyPlacement() {
  DenseSet<const InputSection *> taken;
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    const Unit &unit = model.units[u];
    if (unit.isPrivate)
      continue;
    auto *sec = cast_or_null<InputSection>(unitSection[u]);
    if (unit.kind == UnitKind::Tls) {
      taken.insert(sec);
      tlsUnits.push_back(u);
      continue;
    }
    RunSection *run = runAt(unit.address);
    if (!sec) {
      run->strings.push_back({unit.address - run->run.base, unit.content});
      continue;
    }
    sec->parent = run->getParent();
    sec->outSecOff = unit.address - run->run.base;
    taken.insert(sec);
    if (sec->type != SHT_NOBITS)
      run->sections.push_back(sec);
  }
  for (SectionCommand *cmd : script->sectionCommands)
    if (auto *osd = dyn_cast<OutputDesc>(cmd))
      for (SectionCommand *sub : osd->osec.commands)
        if (auto *isd = dyn_cast<InputSectionDescription>(sub))
          llvm::erase_if(isd->sections,
                         [&](InputSection *s) { return taken.contains(s); });
  if (!tlsUnits.empty())
    placeTlsBlock();

  if (!takenStrings.empty()) {
    // Any of our read-only output sections will do as an anchor.
    auto home = llvm::find_if(runs, [](const RunSection *r) {
      return r->run.region == Region::Rodata;
    });
    if (home != runs.end())
      anchor->parent = (*home)->getParent();
    else if (!privateStrings.empty())
      anchor->parent = privateStrings.begin()->second->getParent();
    anchor->outSecOff = 0;
    uint64_t base = home != runs.end() ? (*home)->run.base : 0;
    for (MergeInputSection *ms : takenStrings) {
      const std::vector<uint32_t> &units = pieceUnits[ms];
      for (size_t i = 0; i != ms->pieces.size(); ++i)
        if (units[i] != noUnit && !model.units[units[i]].isPrivate)
          ms->pieces[i].outputOff = model.units[units[i]].address - base;
    }
  }
}

// Scripts say `end = . + SIZEOF(.tbss)`, where GNU ld counts from the start of
// .tbss and lld from the end of .tdata: less if .tbss is aligned higher, and
// boot code then puts the thread pointer elsewhere than the linker. So .tdata
// ends where .tbss begins.
void SpacerLink::endInitialisedTls() {
  InputSectionDescription *last = nullptr;
  OutputSection *tdata = nullptr;
  uint32_t align = 1;
  for (SectionCommand *cmd : script->sectionCommands) {
    auto *osd = dyn_cast<OutputDesc>(cmd);
    if (!osd || !(osd->osec.flags & SHF_TLS))
      continue;
    bool zero = osd->osec.type == SHT_NOBITS;
    for (SectionCommand *sub : osd->osec.commands) {
      auto *isd = dyn_cast<InputSectionDescription>(sub);
      if (!isd || isd->sections.empty())
        continue;
      if (!zero) {
        tdata = &osd->osec;
        last = isd;
        continue;
      }
      for (const InputSection *s : isd->sections)
        align = std::max(align, s->addralign);
    }
  }
  if (!tdata || align == 1)
    return;
  auto *end = make<TlsSection>(0, align, SHT_PROGBITS);
  end->parent = tdata;
  last->sections.push_back(end);
}

// Makes room for the library objects behind all others of the TLS block. If one
// of them is initialised, the zero ones before it need bytes in the file too.
void SpacerLink::placeTlsBlock() {
  OutputSection *tdata = nullptr, *tbss = nullptr;
  InputSectionDescription *dataList = nullptr, *bssList = nullptr;
  for (SectionCommand *cmd : script->sectionCommands) {
    auto *osd = dyn_cast<OutputDesc>(cmd);
    if (!osd || !(osd->osec.flags & SHF_TLS))
      continue;
    bool zero = osd->osec.type == SHT_NOBITS;
    (zero ? tbss : tdata) = &osd->osec;
    for (SectionCommand *sub : osd->osec.commands)
      if (auto *isd = dyn_cast<InputSectionDescription>(sub))
        (zero ? bssList : dataList) = isd;
  }
  uint64_t depth = 0, align = 1;
  for (OutputSection *os : {tdata, tbss})
    if (os)
      align = std::max<uint64_t>(align, os->addralign);
  for (uint32_t u : tlsUnits)
    depth = std::max(depth, -model.units[u].address);
  OutputSection *home = tdata ? tdata : tbss;
  InputSectionDescription *list = tdata ? dataList : bssList;
  tlsBlock = make<TlsSection>(alignTo(depth, align), align, home->type);
  if (tdata && tbss) {
    for (InputSection *s : bssList->sections) {
      s->parent = home;
      list->sections.push_back(s);
    }
    bssList->sections.clear();
  }
  tlsBlock->parent = home;
  list->sections.push_back(tlsBlock);
  home->addralign = align;
  for (uint32_t u : tlsUnits) {
    auto *sec = cast<InputSection>(unitSection[u]);
    sec->parent = home;
    if (sec->type != SHT_NOBITS)
      tlsBlock->objects.push_back({-model.units[u].address, sec});
  }
}

Defined *SpacerLink::slotSymbol(uint32_t slot) {
  if (slotSymbols[slot])
    return slotSymbols[slot];
  const Slot &s = model.slots[slot];
  RunSection *run = runAt(s.address);
  StringRef suffix = s.kind == SlotKind::Got ? "@spacer.got" : "@spacer";
  uint8_t type = s.kind == SlotKind::Got ? STT_OBJECT : STT_FUNC;
  return slotSymbols[slot] = make<Defined>(
             ctx.internalFile,
             saver().save(slotTargets[slot]->getName() + suffix), STB_LOCAL,
             STV_DEFAULT, type, s.address - run->run.base,
             s.kind == SlotKind::Entry ? 0 : s.bytes, run);
}

/// The first reference at \p offset or behind it.
static std::vector<Ref>::const_iterator firstRefAt(const Unit &unit,
                                                   uint64_t offset) {
  return llvm::partition_point(
      unit.refs, [&](const Ref &ref) { return ref.offset < offset; });
}

void SpacerLink::redirectShared(uint32_t u) {
  const Unit &unit = model.units[u];
  for (Relocation &r : unitSection[u]->relocs()) {
    auto it = firstRefAt(unit, r.offset);
    for (; it != unit.refs.end() && it->offset == r.offset; ++it) {
      if (it->type != r.type ||
          (it->binding != Binding::Slot && it->binding != Binding::Got))
        continue;
      r.sym = slotSymbol(it->target);
      r.addend = it->addend;
      r.expr = r.expr == R_ABS ? R_ABS : R_PC;
      if (it->binding == Binding::Got)
        r.type = R_X86_64_PC32; // by its own type lld would relax the load
      break;
    }
  }
}

void SpacerLink::redirectPrivate(InputSectionBase &sec) {
  for (Relocation &r : sec.relocs()) {
    Symbol *f = slotForAddress(sec, r);
    auto it = f ? symbolSlot.find(f) : symbolSlot.end();
    if (it == symbolSlot.end() || !slotUsed[it->second])
      continue;
    if (cast<Defined>(r.sym)->isSection())
      r.addend += cast<Defined>(r.sym)->value - cast<Defined>(f)->value;
    r.sym = slotSymbol(it->second);
    if (r.expr == R_PLT_PC)
      r.expr = R_PC;
  }
}

// Position-independent images: words that the startup code relocates.
void SpacerLink::redirectDynamic(RelocationBaseSection *rel) {
  if (!rel)
    return;
  rel->mergeRels(); // the scan collected them by thread
  for (DynamicReloc &r : rel->relocs) {
    if (!r.sym || r.type != target->relativeRel || r.needsDynSymIndex())
      continue;
    Relocation asRel{R_ABS, R_X86_64_64, r.offsetInSec, r.addend, r.sym};
    Symbol *f = slotForAddress(*r.inputSec, asRel);
    auto it = f ? symbolSlot.find(f) : symbolSlot.end();
    if (it == symbolSlot.end() || !slotUsed[it->second])
      continue;
    if (cast<Defined>(r.sym)->isSection())
      r.addend += cast<Defined>(r.sym)->value - cast<Defined>(f)->value;
    r.sym = slotSymbol(it->second);
  }
}

void SpacerLink::relocationsScanned() {
  TimeTraceScope timeScope("Spacer: redirect");
  if (!active())
    return;
  for (uint32_t u = 0; u != model.units.size(); ++u)
    if (unitSection[u] && !model.units[u].isPrivate)
      redirectShared(u);
  for (InputSectionBase *s : ctx.inputSections) {
    auto *sec = dyn_cast<InputSection>(s);
    if (!sec || !sec->isLive() || !(sec->flags & SHF_ALLOC))
      continue;
    auto it = sectionUnit.find(sec);
    if (it == sectionUnit.end() || model.units[it->second].isPrivate)
      redirectPrivate(*sec);
  }
  redirectPrivate(*in.got);
  redirectDynamic(mainPart->relaDyn.get());

  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    if (!slotUsed[i])
      continue;
    Defined *sym = slotSymbol(i);
    if (in.symTab)
      in.symTab->addSymbol(sym);
    if (model.slots[i].kind == SlotKind::Got && movesWithImage(i)) {
      uint32_t fn = addressSlot(*slotTargets[i]);
      Symbol *to = fn != noSlot ? slotSymbol(fn) : slotTargets[i];
      mainPart->relaDyn->addReloc(
          {target->relativeRel, cast<InputSectionBase>(sym->section),
           sym->value, DynamicReloc::AddendOnlyWithTargetVA, *to, 0, R_ABS});
    }
  }
}

void SpacerLink::addSegments(SmallVectorImpl<PhdrEntry *> &phdrs) {
  if (!active())
    return;
  manifestSection = make<ManifestSection>();
  manifestOutput =
      newOutputSection(manifestSectionName, SHT_PROGBITS, 0, manifestSection);
  outputs.push_back(manifestOutput);
  PhdrEntry *load = nullptr;
  const OutputSection *prev = nullptr;
  for (OutputDesc *osd : outputs) {
    OutputSection *os = &osd->osec;
    script->sectionCommands.push_back(osd);
    outputSections.push_back(os);
    os->sectionIndex = outputSections.size();
    os->shName = in.shStrTab->addString(os->name);
    if (!(os->flags & SHF_ALLOC))
      continue;
    // Neighbours of one protection are one mapping; zeros may follow bytes in
    // it where only unikernels load them.
    bool bytesEnd = prev && prev->type == SHT_NOBITS;
    bool joins =
        os->type == SHT_NOBITS ? opts.closeGaps || bytesEnd : !bytesEnd;
    if (!load || prev->addr + prev->size != os->addr || !joins ||
        load->p_flags != os->getPhdrFlags()) {
      load = make<PhdrEntry>(PT_LOAD, os->getPhdrFlags());
      ownPhdrs.push_back(load);
    }
    load->add(os);
    load->p_align = pageBytes;
    prev = os;
  }
  phdrs.append(ownPhdrs.begin(), ownPhdrs.end());
  allPhdrs = &phdrs;
  checkSegmentCount(phdrs);
}

void SpacerLink::checkSegmentCount(ArrayRef<PhdrEntry *> phdrs) {
  size_t count = llvm::count_if(
      phdrs, [](const PhdrEntry *p) { return p->p_type == PT_LOAD; });
  if (count > opts.maxSegments)
    error("--spacer-max-segments=" + Twine(opts.maxSegments) +
          ": the image has " + Twine(count - ownPhdrs.size()) +
          " segments of its own and " + Twine(ownPhdrs.size()) +
          " of shared pages; expected at least " + Twine(count));
}

// Under a PHDRS command an orphan of writable data (.got) that lld puts behind
// .tbss lands in PT_TLS too, which then ends behind it and not behind .tbss:
// the linker's thread pointer is elsewhere than the one that boot code makes.
void SpacerLink::boundThreadLocal() {
  for (PhdrEntry *p : *allPhdrs) {
    if (p->p_type != PT_TLS || !p->lastSec)
      continue;
    p->firstSec = p->lastSec = nullptr;
    p->p_align = 1;
    for (OutputSection *os : outputSections)
      if (os->flags & SHF_TLS) {
        p->firstSec = p->firstSec ? p->firstSec : os;
        p->lastSec = os;
        p->p_align = std::max<uint64_t>(p->p_align, os->addralign);
      }
  }
}

// Under a PHDRS command lld gives .tbss memory in the PT_LOAD that ends with
// it, where the next section begins: such segments overlap, and so do the
// regions that boot code makes of them. It has none but in each thread's own
// block.
void SpacerLink::dropThreadLocalZeros() {
  auto isZeros = [](const OutputSection *os) {
    return (os->flags & SHF_TLS) && os->type == SHT_NOBITS;
  };
  for (PhdrEntry *p : *allPhdrs) {
    if (p->p_type != PT_LOAD || !p->lastSec || !isZeros(p->lastSec))
      continue;
    OutputSection *last = nullptr;
    for (OutputSection *os : outputSections)
      if (os->ptLoad == p && !isZeros(os))
        last = os;
    if (last) {
      p->lastSec = last;
      continue;
    }
    for (OutputSection *os : outputSections)
      if (os->ptLoad == p)
        os->ptLoad = nullptr;
    p->p_type = PT_NULL;
    p->firstSec = p->lastSec = nullptr;
  }
}

// _end, _edata and _etext are the image's own: a program takes what lies behind
// _end for its heap.
void SpacerLink::repairReservedSymbols() {
  OutputSection *last = nullptr, *lastRO = nullptr, *edata = nullptr;
  for (PhdrEntry *p : *allPhdrs) {
    if (p->p_type != PT_LOAD || is_contained(ownPhdrs, p) || !p->lastSec)
      continue;
    last = p->lastSec;
    if (!(p->p_flags & PF_W))
      lastRO = p->lastSec;
  }
  for (OutputSection *os : outputSections) {
    if (os->type != SHT_NOBITS && (os->flags & SHF_ALLOC))
      edata = os;
    if (os == last)
      break;
  }
  auto set = [](Defined *sym, OutputSection *os) {
    if (sym && os)
      sym->section = os;
  };
  set(ElfSym::etext1, lastRO);
  set(ElfSym::etext2, lastRO);
  set(ElfSym::edata1, edata);
  set(ElfSym::edata2, edata);
  set(ElfSym::end1, last);
  set(ElfSym::end2, last);
}

// Fatal, because lld would go on to say the same of each section or reference.
void SpacerLink::checkWindow() {
  const Window &w = atlas->window();
  std::string where = opts.atlas + ": the window 0x" + utohexstr(w.base) +
                      " to 0x" + utohexstr(w.base + w.bytes);
  uint64_t bytes = 0;
  for (const OutputSection *os : outputSections) {
    if (os->type != SHT_NOBITS)
      bytes += alignTo(os->size, pageBytes);
    bool ours = llvm::any_of(
        outputs, [&](const OutputDesc *d) { return &d->osec == os; });
    if (!(os->flags & SHF_ALLOC) || !os->size || ours ||
        ((os->flags & SHF_TLS) && os->type == SHT_NOBITS))
      continue;
    uint64_t end = os->addr + os->size;
    if (os->addr < w.base + w.bytes && end > w.base)
      fatal(where + " is in the way of " + os->name + " at 0x" +
            utohexstr(os->addr) + " to 0x" + utohexstr(end) +
            "; create the atlas with another --spacer-window, or move the "
            "image");
    // What displacements of 32 bits reach, from one end to the other.
    uint64_t span =
        std::max(end, w.base + w.bytes) - std::min(os->addr, w.base);
    if (span > (1ull << 31))
      fatal(where + " is more than 2 GiB away from " + os->name + " at 0x" +
            utohexstr(os->addr) +
            "; create the atlas with another --spacer-window, or move the "
            "image");
  }
  // The output is written through a mapping, where a full disk is a signal.
  SmallString<128> folder = sys::path::parent_path(config->outputFile);
  if (folder.empty())
    folder = ".";
  ErrorOr<sys::fs::space_info> space = sys::fs::disk_space(folder);
  bytes += bytes / 8 + (64 << 10); // symbols are not counted yet
  if (space && space->available < bytes && sys::fs::is_directory(folder))
    fatal(config->outputFile + ": needs about " + Twine(bytes) + " bytes, " +
          Twine(space->available) + " are free");
}

void SpacerLink::addressesFinal() {
  TimeTraceScope timeScope("Spacer: addresses");
  if (!active())
    return;
  if (script->hasPhdrsCommands())
    boundThreadLocal();
  dropThreadLocalZeros();
  for (PhdrEntry *p : ownPhdrs)
    if (p->firstSec && p->firstSec == gapAfterImage && !gapAfterImage->size) {
      p->p_type = PT_NULL; // the image ends far from the window
      p->firstSec = p->lastSec = nullptr;
    }
  repairReservedSymbols();
  checkWindow();
  for (uint32_t u : tlsUnits)
    cast<InputSection>(unitSection[u])->outSecOff =
        tlsBlock->outSecOff + tlsBlock->getSize() + model.units[u].address;
  // Strings that stayed private are known by address only now.
  if (!privateStrings.empty()) {
    uint64_t base = anchor->getVA();
    for (MergeInputSection *ms : takenStrings) {
      const std::vector<uint32_t> &units = pieceUnits[ms];
      for (size_t i = 0; i != ms->pieces.size(); ++i)
        if (units[i] == noUnit)
          continue;
        else if (PrivateString *s = privateStrings.lookup(units[i]))
          ms->pieces[i].outputOff = s->getVA() - base;
        else
          ms->pieces[i].outputOff = model.units[units[i]].address - base;
    }
  }
  // Segments in address order, as the gABI asks.
  SmallVector<PhdrEntry *, 16> loads;
  for (PhdrEntry *p : *allPhdrs)
    if (p->p_type == PT_LOAD)
      loads.push_back(p);
  llvm::stable_sort(loads, [](const PhdrEntry *a, const PhdrEntry *b) {
    auto address = [](const PhdrEntry *p) {
      return p->firstSec ? p->firstSec->addr : 0;
    };
    return address(a) < address(b);
  });
  size_t next = 0;
  for (PhdrEntry *&p : *allPhdrs)
    if (p->p_type == PT_LOAD)
      p = loads[next++];
  sizeManifest();
}

//===----------------------------------------------------------------------===//
// Manifest
//===----------------------------------------------------------------------===//

static PageClass classOf(Region r) {
  switch (r) {
  case Region::Door:
    return PageClass::Door;
  case Region::Text:
    return PageClass::Text;
  case Region::Rodata:
    return PageClass::Rodata;
  case Region::Got:
    return PageClass::Got;
  case Region::Data:
    return PageClass::Data;
  case Region::Bss:
    return PageClass::Bss;
  }
  llvm_unreachable("region");
}

// The address of a segment's first byte. Under a SECTIONS command lld places
// the ELF headers only after this point (LinkerScript::allocateHeaders): below
// the lowest section, if they fit there without a page of their own or the
// script asks for them, and else not at all.
uint64_t SpacerLink::segmentBegin(const PhdrEntry &p) const {
  bool headers =
      p.firstSec == Out::elfHeader || p.firstSec == Out::programHeaders;
  if (!headers || !script->hasSectionsCommand)
    return p.firstSec->addr;
  uint64_t lowest = UINT64_MAX, first = UINT64_MAX;
  for (const OutputSection *os : outputSections) {
    if (!(os->flags & SHF_ALLOC))
      continue;
    lowest = std::min(lowest, os->addr);
    if (os->ptLoad == &p)
      first = std::min(first, os->addr);
  }
  bool asked = llvm::any_of(script->phdrsCommands, [](const PhdrsCommand &c) {
    return c.hasPhdrs || c.hasFilehdr;
  });
  uint64_t base = asked ? 0 : alignDown(lowest, config->maxPageSize);
  return getHeaderSize() <= lowest - base
             ? alignDown(lowest - getHeaderSize(), config->maxPageSize)
             : first;
}

// Addresses are final, so the tables' sizes are; offsets and hashes follow in
// contentsWritten().
void SpacerLink::sizeManifest() {
  manifest.setAtlas(*atlas, config->emachine);
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    const Unit &unit = model.units[u];
    uint64_t address = unit.address;
    bool own = unit.isPrivate || unit.kind == UnitKind::Tls;
    uint32_t flags = (own ? UnitPrivate : 0u) | (unit.named ? UnitNamed : 0u);
    if (own) {
      if (unitSection[u])
        address = unitSection[u]->getVA();
      else
        address = privateStrings.lookup(u)->getVA();
    }
    // What a private unit is bound to has no name that outlives the image.
    manifest.addUnit(own ? Hash128() : unit.identity, address, unit.bytes,
                     unit.kind, flags, model.libraries[unit.library],
                     unit.name);
  }
  for (uint32_t i = 0; i != model.slots.size(); ++i)
    if (slotUsed[i]) {
      const Slot &s = model.slots[i];
      // Doors that lead into the image are the image's, whoever is called.
      const Run &run = runAt(s.address)->run;
      StringRef owner = run.library == imageDoors
                            ? StringRef(imageDoors)
                            : StringRef(model.libraries[s.library]);
      manifest.addSlot(s.address, slotTarget(i), s.kind, s.bytes, owner,
                       s.name);
    }
  for (PhdrEntry *p : *allPhdrs) {
    if (p->p_type != PT_LOAD || !p->firstSec)
      continue;
    uint64_t begin = alignDown(segmentBegin(*p), pageBytes);
    uint64_t end = alignTo(p->lastSec->addr + p->lastSec->size, pageBytes);
    ++report.segments;
    report.lowest = std::min(report.lowest, begin);
    report.highest = std::max(report.highest, end);
    report.loadedBytes += end - begin;
    for (uint64_t a = begin; a < end; a += pageBytes) {
      if (!manifest.pages.empty() && manifest.pages.back().address >= a)
        continue; // two segments on one page
      ManifestPage page{};
      page.address = a;
      page.flags = p->p_flags;
      RunSection *run = runAt(a);
      page.pageClass = run ? classOf(run->run.region) : PageClass::Private;
      manifest.pages.push_back(page);
    }
  }
  manifest.finish();
  manifestSection->bytes = manifest.size();
  manifestOutput->osec.size = manifest.size();
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

// Whether the GOT slot's word is for the start-up code to relocate.
bool SpacerLink::movesWithImage(uint32_t slot) const {
  auto *d = dyn_cast<Defined>(slotTargets[slot]);
  return config->isPic && d && d->section;
}

// The slot that stands for a function's address, or noSlot.
uint32_t SpacerLink::addressSlot(const Symbol &sym) const {
  auto it = symbolSlot.find(&sym);
  return it != symbolSlot.end() && slotUsed[it->second] &&
                 !addressIsPlace.contains(&sym)
             ? it->second
             : noSlot;
}

uint64_t SpacerLink::slotTarget(uint32_t slot) const {
  const Slot &s = model.slots[slot];
  Symbol *sym = slotTargets[slot];
  if (s.kind == SlotKind::Got) {
    uint32_t fn = addressSlot(*sym);
    if (fn != noSlot)
      return model.slots[fn].address;
    return sym->isDefined() ? sym->getVA() : 0;
  }
  if (sym->isInIplt)
    return sym->getPltVA();
  return sym->isDefined() ? sym->getVA() : 0;
}

uint8_t *SpacerLink::bytesAt(uint64_t address) const {
  RunSection *run = runAt(address);
  return Out::bufferStart + run->getParent()->offset +
         (address - run->run.base);
}

// Doors, GOT slots, and jumps over entries whose function now stands elsewhere.
void SpacerLink::writeSlots(std::vector<LiveRange> &live) {
  for (uint32_t i = 0; i != model.slots.size(); ++i) {
    if (!slotUsed[i])
      continue;
    const Slot &s = model.slots[i];
    uint64_t target = slotTarget(i);
    if (s.kind == SlotKind::Got) {
      support::endian::write64le(
          bytesAt(s.address),
          movesWithImage(i) && !config->writeAddends ? 0 : target);
      live.push_back({s.address, s.bytes, false});
      continue;
    }
    if (s.kind == SlotKind::Entry && target == s.address)
      continue;
    uint8_t slot[x86_64::ibtSlotBytes];
    if (!x86_64::writeSlot(slot, s.bytes, s.address, target)) {
      error(opts.atlas + ": slot of " + s.name + " at 0x" +
            utohexstr(s.address) + " cannot reach 0x" + utohexstr(target) +
            ": more than 2 GiB apart; place the image nearer to the window");
      return;
    }
    bool patch = s.kind == SlotKind::Entry;
    // Behind the jump the old function's bytes may stay as they are.
    uint64_t bytes = !patch ? s.bytes : s.bytes == x86_64::slotBytes ? 5 : 9;
    memcpy(bytesAt(s.address), slot, bytes);
    live.push_back({s.address, bytes, patch});
    report.patchedEntries += patch;
  }
}

// Where each page of the manifest lies in the file, and its digest: of a shared
// one, what finishPages() has found.
void SpacerLink::describePages(const FinishedPages &finished, uint8_t *buf) {
  const Hash128 zero = hashBytes(std::vector<uint8_t>(pageBytes));
  auto shared = finished.hashes.begin();
  for (ManifestPage &page : manifest.pages) {
    if (llvm::binary_search(finished.privatePages, page.address))
      page.pageClass = PageClass::Private;
    uint8_t whole[pageBytes];
    bool hasBytes = false;
    while (shared != finished.hashes.end() && shared->first < page.address)
      ++shared;
    bool isShared =
        shared != finished.hashes.end() && shared->first == page.address;
    for (PhdrEntry *p : *allPhdrs) {
      if (p->p_type != PT_LOAD || !p->p_filesz)
        continue;
      uint64_t begin = std::max(p->p_vaddr, page.address);
      uint64_t end =
          std::min(p->p_vaddr + p->p_filesz, page.address + pageBytes);
      if (begin >= end)
        continue;
      if (!hasBytes && begin == page.address)
        page.fileOffset = p->p_offset + (begin - p->p_vaddr);
      if (!std::exchange(hasBytes, true) && !isShared)
        memset(whole, 0, pageBytes);
      if (isShared)
        break;
      memcpy(whole + (begin - page.address),
             buf + p->p_offset + (begin - p->p_vaddr), end - begin);
    }
    if (!hasBytes && page.pageClass == PageClass::Private)
      page.pageClass = PageClass::Zero;
    if (mainPart->buildId && mainPart->buildId->getParent() &&
        mainPart->buildId->getVA() < page.address + pageBytes &&
        mainPart->buildId->getVA() + mainPart->buildId->getSize() >
            page.address) {
      page.flags |= PageUnhashed;
      continue;
    }
    Hash128 h = isShared   ? shared->second
                : hasBytes ? hashBytes(ArrayRef<uint8_t>(whole, pageBytes))
                           : zero;
    memcpy(page.hash, h.bytes.data(), 16);
  }
}

void SpacerLink::contentsWritten(uint8_t *buf, size_t size) {
  TimeTraceScope timeScope("Spacer: pages");
  if (!active())
    return;
  std::vector<LiveRange> live;
  for (const Unit &u : model.units)
    if (!u.isPrivate && u.kind != UnitKind::Bss && u.kind != UnitKind::Tls)
      live.push_back({u.address, u.bytes, false});
  writeSlots(live);
  if (errorCount())
    return;
  llvm::sort(live, [](const LiveRange &a, const LiveRange &b) {
    return a.address != b.address ? a.address < b.address
                                  : a.isPatch < b.isPatch;
  });
  for (size_t i = 1; i < live.size(); ++i)
    if (live[i].isPatch != live[i - 1].isPatch &&
        live[i].address < live[i - 1].address + live[i - 1].bytes) {
      error(opts.atlas + ": an old entry at 0x" + utohexstr(live[i].address) +
            " is in use by another function (please report this)");
      return;
    }

  std::vector<RunBytes> runBytes;
  for (RunSection *r : runs)
    runBytes.push_back({r->run, r->run.region == Region::Bss
                                    ? nullptr
                                    : buf + r->getParent()->offset});
  Expected<FinishedPages> finished = finishPages(*atlas, runBytes, live);
  if (fail(finished ? Error::success() : finished.takeError()))
    return;
  report.pages = *finished;

  describePages(*finished, buf);
  manifest.write(buf + manifestOutput->osec.offset);
}

// The units that are one function and nothing else (PlanUnit::plainFunction).
std::vector<bool> SpacerLink::plainFunctions() const {
  std::vector<unsigned> symbols(model.units.size());
  std::vector<bool> spanned(model.units.size());
  for (ELFFileBase *f : ctx.objectFiles) {
    ArrayRef<InputSectionBase *> sections = f->getSections();
    for (const ELF64LE::Sym &s : f->getELFSyms<ELF64LE>()) {
      uint32_t index = cast<ObjFile<ELF64LE>>(f)->getSectionIndex(s);
      if (s.getType() == STT_SECTION || !index || index >= sections.size())
        continue;
      auto it = sectionUnit.find(sections[index]);
      if (it == sectionUnit.end())
        continue;
      ++symbols[it->second];
      // A compiler names the section after its function; assembly may hide
      // aligned data in one.
      Expected<StringRef> name = s.getName(f->getStringTable());
      if (!name) {
        consumeError(name.takeError());
        continue;
      }
      if (s.getType() == STT_FUNC && s.st_value == 0 && !name->empty() &&
          sections[index]->name.starts_with(".text.") &&
          sections[index]->name.contains(*name) &&
          spans(s.st_size, model.units[it->second].bytes))
        spanned[it->second] = true;
    }
  }
  // Assembly may keep aligned data in a function's section. What uses it tells:
  // a place in code that is not called, and no jump table of its own; what a
  // table leads to may be aligned by chance.
  std::vector<bool> holdsData(model.units.size());
  DenseSet<std::pair<uint32_t, uint32_t>> ownTables; // function, table
  for (uint32_t u = 0; u != model.units.size(); ++u)
    for (const Ref &r : model.units[u].refs)
      if (model.units[u].kind == UnitKind::Text && r.binding == Binding::Unit)
        ownTables.insert({u, r.target});
  for (uint32_t u = 0; u != model.units.size(); ++u)
    for (const Ref &r : model.units[u].refs) {
      if (r.binding != Binding::Unit ||
          model.units[r.target].kind != UnitKind::Text)
        continue;
      bool isAligned = x86_64::classify(r.type) == x86_64::RelClass::Abs &&
                       r.addend % 16 == 0;
      if (model.units[u].kind == UnitKind::Text
              ? !isCall(*cast<InputSection>(unitSection[u]), r.type, r.offset)
              : isAligned || !ownTables.contains({r.target, u}))
        holdsData[r.target] = true;
    }
  for (uint32_t u = 0; u != model.units.size(); ++u) {
    const Unit &unit = model.units[u];
    auto isRelocated = [&](uint64_t offset) {
      auto it = firstRefAt(unit, offset);
      return it != unit.refs.end() && it->offset == offset;
    };
    spanned[u] = spanned[u] && symbols[u] == 1 && unit.kind == UnitKind::Text &&
                 !unit.ownAddress && !holdsData[u] &&
                 model.trampolines != Trampolines::None &&
                 !x86_64::mayHoldAlignedData(unit.content, isRelocated);
  }
  return spanned;
}

Error SpacerLink::writeUnits() const {
  std::error_code ec;
  raw_fd_ostream out(opts.unitsFile, ec);
  if (!ec) {
    writeUnitList(planImage(model, *atlas,
                            sys::path::filename(config->outputFile),
                            plainFunctions(), taken),
                  out);
    out.flush();
    ec = out.error();
    out.clear_error();
  }
  if (ec)
    return createStringError(opts.unitsFile + ": " + ec.message());
  return Error::success();
}

void SpacerLink::beforeCommit() {
  TimeTraceScope timeScope("Spacer: commit");
  if (!active())
    return;
  if (!opts.delta.empty() &&
      fail(deltas.write(opts.deltaBase, opts.delta, opts.libraries)))
    return;
  if (!opts.unitsFile.empty() && fail(writeUnits()))
    return;
  if (opts.report &&
      fail(report.write(model, *atlas, slotUsed, opts.reportFile)))
    return;
  // Committed before the output has its name: a link that is killed between the
  // two leaves rows that no image uses, never an image whose pages the atlas
  // does not know.
  if (atlas->mode() == AtlasMode::Grow)
    fail(atlas->commit());
}

namespace {

/// However a link ends, lld destroys its ManagedStatics and nothing else: an
/// atlas that did not commit is closed there, and is then as it was.
struct HookOwner {
  SpacerLink &link = *new SpacerLink; ///< its memory goes with the process
  ~HookOwner() { link.close(); }
};
ManagedStatic<HookOwner> hookOwner;

} // namespace

void installLinkerHooks(void (*inputsRead)()) {
  hookOwner->link.inputsRead = inputsRead;
  linkHook = &hookOwner->link;
}

} // namespace spacer
