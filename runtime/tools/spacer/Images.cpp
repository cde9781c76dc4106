//===- Images.cpp - the subcommands that spacer-image does ----------------===//

#include "Images.h"
#include <cstring>
#include <filesystem>
#include <iostream>
#include <unistd.h>

namespace spacer {
namespace {

struct ImageCommand {
  const char *name, *about;
};
constexpr ImageCommand commands[] = {
    {"inspect", "What an image is made of; --plan: how it would be mapped"},
    {"compare", "Pages that images share, and what keeps the others apart"},
    {"verify", "Is each shared page of an image what the atlas says?"},
    {"atlas", "Show, check, export or import an atlas"},
    {"delta", "Write what is new in a library as an object file"},
};

bool isImageCommand(const char *word) {
  for (const ImageCommand &c : commands)
    if (std::strcmp(c.name, word) == 0)
      return true;
  return false;
}

} // namespace

void addImages(CLI::App &app, Session &) {
  for (const ImageCommand &c : commands)
    app.add_subcommand(c.name, c.about);
}

void execImageCommand(int argc, char **argv) {
  const char *word = nullptr;
  bool plan = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--root") == 0 ||
        std::strcmp(argv[i], "--domain") == 0)
      ++i; // its value
    else if (argv[i][0] != '-' && !word)
      word = argv[i];
    if (i >= argc)
      break;
    plan |= std::strcmp(argv[i], "--plan") == 0;
  }
  if (!word || !isImageCommand(word) ||
      (plan && std::strcmp(word, "inspect") == 0))
    return;
  std::error_code none;
  auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  auto program =
      self.parent_path().parent_path() / "lib" / "spacer" / "spacer-image";
  execv(program.c_str(), argv);
  std::cerr << "spacer: " << program.string() << ": " << std::strerror(errno)
            << "; 'spacer " << word
            << "' needs the part of Spacer-Delta that is built with LLVM\n";
  std::_Exit(exitTrouble);
}

} // namespace spacer
