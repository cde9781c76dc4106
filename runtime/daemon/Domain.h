//===- Domain.h - one sharing domain as the daemon has it -----------------===//
//
// The domain's pool on disk, its pages in memory (held by the keeper), the
// leases of the processes that use its objects, and the working sets that its
// sessions teach. Any thread.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_DOMAIN_H
#define SPACER_RUNTIME_DOMAIN_H

#include "HostPool.h"
#include "Keeper.h"
#include "WorkingSet.h"
#include <map>
#include <mutex>

namespace spacer {

class Domain {
public:
  /// Opens the pool; takes its memory over from the keeper if that has it,
  /// else makes room for \p capacityPages and hands it to the keeper.
  static Result<std::shared_ptr<Domain>> open(const std::string &directory,
                                              const std::string &name,
                                              uint64_t capacityPages,
                                              KeeperLink &link);

  const std::string name;
  const std::shared_ptr<HostPool> &host() const { return memory; }

  /// Sees what was imported since.
  Result<void> refresh();
  /// Leases \p object to \p pid and gives its map: the lease is counted, each
  /// needs a release(). ENOENT; ENOSPC if it has pages beyond the capacity.
  Result<std::shared_ptr<const PageMap>> lease(const std::string &object,
                                               pid_t pid);
  /// Once more for the same process: a session that outlives a connection.
  void leaseAgain(const std::string &object, pid_t pid);
  void release(const std::string &object, pid_t pid);

  /// What to prefetch for a new session.
  PageOrder workingSet(const std::string &object, uint64_t guestPages);
  /// A session has touched these.
  void learn(const std::string &object, const PageOrder &order,
             uint64_t guestPages);
  /// Writes working sets that have grown into the pool; failure only logs, and
  /// is tried again at the next call. May wait for another writer.
  void saveWorkingSets();

private:
  Domain(std::string name, std::string directory)
      : name(std::move(name)), directory(std::move(directory)) {}

  struct Learned {
    PageOrder order;
    bool grown = false;
  };
  Learned &learned(const std::string &object);

  std::string directory;
  std::shared_ptr<PagePool> pool;
  std::shared_ptr<HostPool> memory;
  std::mutex catalogLock; ///< the calls of PagePool that are for one thread
  std::map<std::pair<std::string, pid_t>, uint64_t> leases;
  bool leaseComplained = false;
  /// Maps in use: all connections and sessions of an object share one.
  std::map<std::string, std::weak_ptr<const PageMap>> maps;
  std::mutex orderLock;
  std::map<std::string, Learned> orders;
};

} // namespace spacer

#endif
