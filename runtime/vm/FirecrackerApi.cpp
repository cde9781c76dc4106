//===- FirecrackerApi.cpp - requests to one Firecracker -------------------===//

#include "FirecrackerApi.h"
#include <curl/curl.h>
#include <memory>
#include <sys/un.h>

namespace spacer {

using Json = nlohmann::json;

namespace {

/// An answer may be so long; Firecracker's are a few kilobytes.
constexpr size_t mostBytes = 1 << 20;

size_t collect(char *bytes, size_t, size_t count, void *to) {
  auto &text = *static_cast<std::string *>(to);
  if (text.size() + count > mostBytes)
    return 0; // ends the transfer
  text.append(bytes, count);
  return count;
}

/// Brackets cost the parser memory for each level.
bool shallow(const std::string &text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '[' || c == '{';
    depth -= c == ']' || c == '}';
    if (depth > 64)
      return false;
  }
  return true;
}

} // namespace

Result<Json> FirecrackerApi::request(const char *method, const char *path,
                                     const Json *body) {
  const std::string what = socket.string() + ": " + method + " " + path;
  if (socket.native().size() >= sizeof sockaddr_un::sun_path)
    return Error{ENAMETOOLONG,
                 what + ": the socket's name has " +
                     std::to_string(socket.native().size()) +
                     " bytes, expected at most " +
                     std::to_string(sizeof sockaddr_un::sun_path - 1)};
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<CURL, void (*)(CURL *)> curl(
      ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!curl)
    return Error{ENOMEM, what + ": libcurl cannot start"};
  std::unique_ptr<curl_slist, void (*)(curl_slist *)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"),
      curl_slist_free_all);
  std::string url = std::string("http://localhost") + path, answer;
  // Names that are not UTF-8 cannot be said to Firecracker.
  std::string text;
  if (body)
    text = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  auto set = [&](CURLoption option, auto value) {
    return curl_easy_setopt(curl.get(), option, value) == CURLE_OK;
  };
  bool fine = set(CURLOPT_UNIX_SOCKET_PATH, socket.c_str()) &&
              set(CURLOPT_URL, url.c_str()) &&
              set(CURLOPT_CUSTOMREQUEST, method) &&
              set(CURLOPT_PROXY, "") && // not from the environment
              set(CURLOPT_NOSIGNAL, 1L) &&
              set(CURLOPT_TIMEOUT_MS, long(patience.count())) &&
              set(CURLOPT_WRITEFUNCTION, collect) &&
              set(CURLOPT_WRITEDATA, static_cast<void *>(&answer));
  if (body)
    fine = fine && set(CURLOPT_HTTPHEADER, headers.get()) &&
           set(CURLOPT_POSTFIELDSIZE, long(text.size())) &&
           set(CURLOPT_POSTFIELDS, text.c_str());
  if (!fine)
    return Error{EINVAL, what + ": libcurl lacks an option"};

  CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    int error = code == CURLE_COULDNT_CONNECT      ? ECONNREFUSED
                : code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT
                                                   : EBADMSG;
    return Error{error, what + ": " + curl_easy_strerror(code)};
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  Json json;
  if (!answer.empty()) {
    if (shallow(answer))
      json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object())
      return Error{EBADMSG, what + ": the answer is no JSON object"};
  }
  if (status >= 200 && status < 300)
    return json;
  std::string why = "status " + std::to_string(status);
  if (json.is_object())
    if (auto fault = json.find("fault_message");
        fault != json.end() && fault->is_string())
      why = fault->get<std::string>();
  for (char &c : why)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  return Error{EPROTO, what + ": " + why};
}

Result<Json> FirecrackerApi::get(const char *path) {
  return request("GET", path, nullptr);
}

static Result<void> withoutValue(Result<Json> answer) {
  if (!answer)
    return answer.takeError();
  return {};
}

Result<void> FirecrackerApi::put(const char *path, const Json &body) {
  return withoutValue(request("PUT", path, &body));
}

Result<void> FirecrackerApi::patch(const char *path, const Json &body) {
  return withoutValue(request("PATCH", path, &body));
}

} // namespace spacer
