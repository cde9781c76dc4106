//===- JsonFields.h - fields of a small JSON file, checked ----------------===//
//
// Our own files are JSON objects with known fields. A reader asks for each; the
// first thing that is wrong is kept, the rest go on with defaults, and one
// question at the end tells.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_JSONFIELDS_H
#define SPACER_RUNTIME_JSONFIELDS_H

#include "Result.h"
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace spacer {

class JsonFields {
public:
  /// \p file is for messages.
  JsonFields(std::string_view text, std::string file) : file(std::move(file)) {
    // The parser's stack grows with the depth of what it reads.
    if (text.size() <= 1 << 20 && depthOf(text) <= 16)
      json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object())
      fail("expected a JSON object");
  }

  void text(const char *name, std::string &to) {
    if (const auto *v = find(name)) {
      if (v->is_string())
        to = v->get_ref<const std::string &>();
      else
        fail(std::string(name) + ": expected a string, found " +
             v->type_name());
    }
  }
  void number(const char *name, uint64_t &to, uint64_t least, uint64_t most) {
    const auto *v = find(name);
    if (!v)
      return;
    if (!v->is_number_unsigned() || v->get<uint64_t>() < least ||
        v->get<uint64_t>() > most)
      return fail(std::string(name) + ": expected " + std::to_string(least) +
                  " to " + std::to_string(most) + ", found " +
                  (v->is_number() ? v->dump() : v->type_name()));
    to = v->get<uint64_t>();
  }

  std::optional<Error> problem() const { return first; }

private:
  const nlohmann::json *find(const char *name) {
    if (!json.is_object())
      return nullptr;
    auto it = json.find(name);
    if (it == json.end()) {
      fail(std::string(name) + " is missing");
      return nullptr;
    }
    return &*it;
  }
  void fail(const std::string &why) {
    if (!first)
      first = Error{EBADMSG, file + ": " + why};
  }
  static size_t depthOf(std::string_view text) {
    size_t depth = 0, most = 0;
    bool inString = false;
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '"')
        inString = !inString;
      else if (inString)
        i += c == '\\'; // what it escapes
      else if (c == '[' || c == '{')
        most = std::max(most, ++depth);
      else if ((c == ']' || c == '}') && depth)
        --depth;
    }
    return most;
  }

  std::string file;
  nlohmann::json json;
  std::optional<Error> first;
};

/// One document and a line end; bytes that are not UTF-8 are replaced.
template <class Json> std::string dumpJson(const Json &json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

} // namespace spacer

#endif
