//===- Protocol.h - what spacerd and its clients say to each other --------===//
//
// docs/protocol.md in C++: one request is one packet of a SOCK_SEQPACKET
// socket, a JSON object with descriptors beside it. What comes in was written
// by someone who may be hostile: a packet has a greatest size, its nesting is
// counted before a parser sees it, every field is checked for its type and
// range, a field that the operation does not know is refused, and descriptors
// that nobody asked for are closed.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_PROTOCOL_H
#define SPACER_RUNTIME_PROTOCOL_H

#include "Fd.h"
#include "MemoryMap.h"
#include "Names.h"
#include "Result.h"
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace spacer {

inline constexpr size_t packetMaxBytes = 64 << 10;
/// Descriptors that are received with one packet; more are refused.
inline constexpr size_t packetMaxFds = 8;
/// Ranges of one session, in all packets: as many as a process can have
/// mappings.
inline constexpr size_t attachMaxRanges = 65'530;

enum class LazyPolicy {
  Cold, ///< hot pages are brought in first, cold ones are lazy
  All,  ///< whatever is not in memory is lazy
  None, ///< everything is brought in first
};

struct OpenRequest {
  std::string object;
  uint64_t mappings = 10'000; ///< at least 1
  LazyPolicy lazy = LazyPolicy::Cold;
};
/// Ranges for an attach that follows, where one packet does not hold them.
struct RangesRequest {
  std::vector<LazyRange> ranges;
};
struct AttachRequest {
  std::string object, name;
  std::vector<LazyRange> ranges;
};
struct ReleaseRequest {};
struct StatsRequest {};
struct ReloadRequest {};
struct DrainRequest {
  uint64_t session = 0;
};
using Request =
    std::variant<OpenRequest, RangesRequest, AttachRequest, ReleaseRequest,
                 StatsRequest, ReloadRequest, DrainRequest>;

/// The word in "op".
const char *nameOf(const Request &request);
/// The numbers of descriptors that come with it: least and most.
std::pair<size_t, size_t> fdsOf(const Request &request);
/// Ranges: each whole pages, not empty, its end neither past 2^64 nor past
/// 2^52 guest pages; whether they overlap is for checkRanges(). EINVAL with one
/// line for whatever is no request.
Result<Request> parseRequest(std::string_view text);
std::string encode(const Request &request);
/// The requests that carry \p request: for an attach with more ranges than one
/// packet holds, some of `ranges` and then the attach with the rest.
std::vector<std::string> encodePackets(const Request &request);

/// Sorts \p ranges by address. EINVAL if none is there, two overlap (as
/// addresses or as guest pages), or one ends past \p guestPages.
Result<void> checkRanges(std::vector<LazyRange> &ranges, uint64_t guestPages);

struct Answer {
  std::optional<uint64_t> guestPages, session;
};
std::string encode(const Answer &answer);
std::string encode(const Error &error);
/// The answer, or the error that the other side reports; EPROTO if \p text is
/// neither.
Result<Answer> parseAnswer(std::string_view text);

struct Packet {
  std::string text;
  std::vector<UniqueFd> fds; ///< close-on-exec
};

/// recv(2) that also takes the descriptors that come along: the kernel would
/// close them in this thread, which may wait (see the daemon's Closer.h).
ssize_t receiveAll(int socket, std::span<char> to, int &flags,
                   std::vector<UniqueFd> &fds);
/// The next packet, or nothing at the end of the connection. EAGAIN: none yet
/// (non-blocking socket, or its timeout). EMSGSIZE: too long, or too many
/// descriptors; all of it is gone then, its descriptors to \p refused if that
/// is given.
Result<std::optional<Packet>>
receivePacket(int socket, std::vector<UniqueFd> *refused = nullptr);
/// EMSGSIZE if \p text is longer than a packet. Never raises SIGPIPE.
Result<void> sendPacket(int socket, std::string_view text,
                        std::span<const int> fds = {});
/// A blocking SEQPACKET connection, close-on-exec. ENAMETOOLONG if \p path has
/// more than 107 bytes.
Result<UniqueFd> connectTo(const std::string &path);
/// Sends one request and waits for its answer; \p fds receives what came with
/// it. ECONNRESET if the connection ended before.
Result<Answer> call(int socket, std::string_view text,
                    std::span<const int> fdsToSend = {},
                    std::vector<UniqueFd> *fds = nullptr);

} // namespace spacer

#endif
