//===- FirecrackerApi.h - requests to one Firecracker ---------------------===//
//
// Firecracker is driven by HTTP over a Unix socket: GET, PUT and PATCH with
// JSON bodies; 200 or 204, or a JSON object with `fault_message`. One object
// talks to one socket; every call is one request.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_FIRECRACKERAPI_H
#define SPACER_RUNTIME_FIRECRACKERAPI_H

#include "Result.h"
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace spacer {

class FirecrackerApi {
public:
  /// \p patience: for the whole of one request.
  explicit FirecrackerApi(
      std::filesystem::path socket,
      std::chrono::milliseconds patience = std::chrono::seconds(60))
      : socket(std::move(socket)), patience(patience) {}

  /// The answer's JSON; null for an answer without a body. EPROTO with the
  /// fault_message if Firecracker refuses, ECONNREFUSED if nobody listens,
  /// ETIMEDOUT, EBADMSG if what answers is no Firecracker.
  Result<nlohmann::json> get(const char *path);
  Result<void> put(const char *path, const nlohmann::json &body);
  Result<void> patch(const char *path, const nlohmann::json &body);

private:
  Result<nlohmann::json> request(const char *method, const char *path,
                                 const nlohmann::json *body);

  std::filesystem::path socket;
  std::chrono::milliseconds patience;
};

} // namespace spacer

#endif
