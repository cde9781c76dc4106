//===- MemoryFile.cpp - a snapshot's memory as one sealed file ------------===//

#include "MemoryFile.h"
#include <algorithm>
#include <fcntl.h>

namespace spacer {

Result<UniqueFd> makeMemoryFile(const PageMap &map, const PagePool &pool,
                                const std::string &name) {
  UniqueFd file(::memfd_create(name.substr(0, 200).c_str(),
                               MFD_CLOEXEC | MFD_ALLOW_SEALING));
  uint64_t bytes = map.guestPages() * pageBytes;
  if (!file || ::ftruncate(file.get(), off_t(bytes)))
    return systemError("memory file of " + name);
  if (bytes) {
    void *start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         file.get(), 0);
    if (start == MAP_FAILED)
      return systemError("memory file of " + name);
    Mapping memory(start, bytes); // gone before the seal
    constexpr uint64_t atOncePages = 1024;
    for (const PageRun &run : map.runs())
      for (uint64_t done = 0; done < run.pages; done += atOncePages) {
        uint64_t pages = std::min(atOncePages, run.pages - done);
        auto read = pool.read(
            run.pool + done,
            memory.bytes().subspan((run.guest.value + done) * pageBytes,
                                   pages * pageBytes));
        if (!read)
          return read.takeError();
      }
  }
  if (::fcntl(file.get(), F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
    return systemError("memory file of " + name + ": cannot seal");
  return file;
}

} // namespace spacer
