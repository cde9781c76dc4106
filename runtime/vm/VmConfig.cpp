//===- VmConfig.cpp - what a VM is, and where its files are ---------------===//

#include "VmConfig.h"
#include "JsonFields.h"
#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace spacer {

std::string VmConfig::json() const {
  nlohmann::ordered_json j = {
      {"format", 1},        {"name", name},           {"driver", driver},
      {"machine", machine}, {"accel", accel},         {"memoryMiB", memoryMiB},
      {"image", image},     {"arguments", arguments}, {"snapshot", snapshot},
      {"domain", domain},   {"created", created}};
  return dumpJson(j);
}

Result<VmConfig> VmConfig::parse(std::string_view text,
                                 const std::string &file) {
  JsonFields fields(text, file);
  VmConfig c;
  uint64_t format = 0, created = 0;
  fields.number("format", format, 1, 1);
  fields.text("name", c.name);
  fields.text("driver", c.driver);
  fields.text("machine", c.machine);
  fields.text("accel", c.accel);
  fields.number("memoryMiB", c.memoryMiB, 1, uint64_t(1) << 24);
  fields.text("image", c.image);
  fields.text("arguments", c.arguments);
  fields.text("snapshot", c.snapshot);
  fields.text("domain", c.domain);
  fields.number("created", created, 0, INT64_MAX);
  c.created = int64_t(created);
  if (auto problem = fields.problem())
    return *problem;
  return c;
}

Result<std::string> resolveAccel(std::string_view word) {
  if (word == "tcg" || word == "kvm")
    return std::string(word);
  if (word != "auto")
    return Error{EINVAL, "accelerator '" + std::string(word) +
                             "': expected auto, tcg or kvm"};
  bool processor = access("/sys/module/kvm_intel", F_OK) == 0 ||
                   access("/sys/module/kvm_amd", F_OK) == 0;
  UniqueFd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  return std::string(processor && kvm ? "kvm" : "tcg");
}

} // namespace spacer
