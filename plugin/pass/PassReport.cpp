//===- PassReport.cpp - what the pass did to a module ---------------------===//

#include "PassReport.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace spacer {

Error PassReport::write(StringRef file) const {
  std::error_code ec;
  auto bad = [&] {
    return createStringError("spacer: cannot write the report " + file + ": " +
                             ec.message());
  };
  raw_fd_ostream out(file, ec, sys::fs::OF_Text);
  if (ec)
    return bad();
  json::OStream j(out, 2);
  auto list = [&](StringRef key, const std::vector<std::string> &names) {
    j.attributeArray(key, [&] {
      for (const std::string &n : names)
        j.value(n);
    });
  };
  j.object([&] {
    j.attribute("module", module);
    j.attribute("library", library);
    j.attribute("phase", phase);
    list("units", units);
    j.attributeObject("tied", [&] {
      for (auto &[data, function] : tied)
        j.attribute(data, function);
    });
    list("redirected", redirected);
    j.attributeObject("spared", [&] {
      for (auto &[function, numbers] : spared)
        j.attribute(function, numbers);
    });
    list("borders", borders);
    j.attribute("tagged", tagged);
    j.attribute("calls", calls);
  });
  j.flush();
  out << '\n';
  out.close();
  ec = out.error();
  out.clear_error(); // or it ends the process
  return ec ? bad() : Error::success();
}

} // namespace spacer
