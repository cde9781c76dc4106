//===- Tags.cpp - the section .spacer.tags --------------------------------===//
//
// TagFormat.h says what is in it. An object file that is compiled from one
// source belongs to one library as a whole; its entries only name what is
// local, for `ld -r` and objcopy tear symbols from their STT_FILE. After
// link-time optimisation one file holds several libraries, so everything has an
// entry there.
//
// An entry takes the address of its function, and where branches are tracked
// (-fcf-protection=branch) a function whose address is taken begins with an
// endbr64. A static function that has none is left without an entry there.
//
//===----------------------------------------------------------------------===//

#include "SpacerPass.h"
#include "TagFormat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Support/Path.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"
#include <cstring>

using namespace llvm;

namespace spacer {
namespace {

/// The strings of a chunk, each once.
class ChunkStrings {
public:
  explicit ChunkStrings(uint32_t b) : base(b) {}
  uint32_t add(StringRef s) {
    if (s.empty())
      return 0;
    auto [it, isNew] = offsets.try_emplace(s, base + text.size());
    if (isNew)
      (text += s) += '\0';
    return it->second;
  }
  std::string text;

private:
  uint32_t base;
  StringMap<uint32_t> offsets;
};

struct Tagged {
  GlobalObject *object;
  std::string name;
  std::string library;
};

} // namespace

void addTags(Module &m, const PassOptions &options, PassReport &report) {
  bool isMixed = m.getNamedMetadata(preparedMetadata) != nullptr;
  bool tracksBranches = m.getModuleFlag("cf-protection-branch") != nullptr;
  StringRef file = sys::path::filename(m.getSourceFileName());

  std::vector<Tagged> tagged;
  for (GlobalObject &g : m.global_objects()) {
    if (g.isDeclaration() || g.hasAvailableExternallyLinkage() ||
        !g.hasName() || g.getName().starts_with("llvm.") || isa<GlobalIFunc>(g))
      continue;
    // A linker that drops a copy of a group drops what refers to it.
    if (!isMixed && (g.hasComdat() || !g.hasInternalLinkage()))
      continue;
    auto *f = dyn_cast<Function>(&g);
    if (f && tracksBranches && f->hasLocalLinkage() && !f->hasAddressTaken())
      continue;
    StringRef library = isMixed ? attributeOf(g, libraryAttribute) : "";
    if (isMixed && library.empty())
      continue;
    // Has no address that a linker could write.
    if (g.isThreadLocal() || g.getAddressSpace())
      continue;
    // Linkers find mergeable constants by who refers to them.
    if (g.hasPrivateLinkage() && cast<GlobalVariable>(g).hasGlobalUnnamedAddr())
      continue;
    std::string name;
    if (g.hasInternalLinkage()) {
      StringRef source = isMixed ? attributeOf(g, fileAttribute) : file;
      name = (source + ":" + sourceName(g)).str();
    }
    tagged.push_back({&g, name, library.str()});
  }
  if (tagged.empty() && options.library.empty() && !report.calls)
    return;

  ChunkStrings strings(sizeof(TagChunk) + tagged.size() * sizeof(TagEntry));
  LLVMContext &context = m.getContext();
  IRBuilder<> b(context);
  TagChunk chunk{};
  memcpy(chunk.magic, tagMagic, sizeof tagMagic);
  chunk.version = tagVersion;
  chunk.flags = (isMixed ? tagMixed : 0) | (report.calls ? tagEstimated : 0);
  chunk.entries = tagged.size();
  chunk.library = isMixed ? 0 : strings.add(options.library);
  std::vector<Constant *> entries;
  entries.reserve(tagged.size());
  for (const Tagged &t : tagged)
    entries.push_back(
        ConstantStruct::getAnon({t.object, b.getInt32(strings.add(t.name)),
                                 b.getInt32(strings.add(t.library))},
                                /*Packed=*/true));
  uint64_t size = sizeof(TagChunk) + entries.size() * sizeof(TagEntry) +
                  strings.text.size();
  strings.text.resize(strings.text.size() + (alignTo(size, 8) - size));
  chunk.bytes = alignTo(size, 8);

  auto bytes = [&](StringRef s) {
    return ConstantDataArray::getRaw(s, s.size(), b.getInt8Ty());
  };
  std::vector<Constant *> parts{
      bytes(StringRef(reinterpret_cast<const char *>(&chunk), sizeof chunk))};
  parts.insert(parts.end(), entries.begin(), entries.end());
  parts.push_back(bytes(strings.text));
  Constant *whole = ConstantStruct::getAnon(context, parts, /*Packed=*/true);
  auto *g =
      new GlobalVariable(m, whole->getType(), /*isConstant=*/true,
                         GlobalValue::PrivateLinkage, whole, "spacer.tags");
  g->setSection(tagSectionName);
  g->setAlignment(Align(8));
  g->setMetadata(LLVMContext::MD_exclude, MDNode::get(context, {}));
  leaveOutOfSanitizers(*g);
  appendToCompilerUsed(m, {g});
  report.tagged = tagged.size();
}

} // namespace spacer
