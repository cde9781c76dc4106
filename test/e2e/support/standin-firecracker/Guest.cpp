//===- Guest.cpp - what the stand-in's guest does -------------------------===//

#include "Guest.h"
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace standin {

static constexpr uint64_t pageBytes = 4096;

/// The first eight bytes of a page name it; the rest follows from them.
static void fillPage(uint8_t *to, uint64_t page, uint64_t seed) {
  uint64_t x = seed * 0x9e3779b97f4a7c15 + page;
  for (unsigned i = 0; i < pageBytes / 8; ++i) {
    x = x * 6364136223846793005 + 1442695040888963407;
    std::memcpy(to + i * 8, &x, 8);
  }
}

static uint64_t readWord(const uint8_t *p) {
  return *reinterpret_cast<const volatile uint64_t *>(p);
}
static void writeWord(uint8_t *p, uint64_t v) {
  *reinterpret_cast<volatile uint64_t *>(p) = v;
}

/// What went wrong, "" if nothing did.
static std::string storm(Machine &machine, unsigned threads, uint64_t pages,
                         uint64_t rounds, uint64_t first) {
  std::atomic<uint64_t> wrong = 0, removed = 0;
  std::vector<std::thread> all;
  for (unsigned t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      uint64_t start = first + t * pages;
      for (uint64_t round = 0; round < rounds; ++round) {
        // Single pages and longer stretches, in an order that jumps about.
        uint64_t length = 1 + (round * 7 + t) % 8;
        uint64_t at = start + round * 13 % (pages - length + 1);
        uint64_t mark = (round << 8) | (t + 1);
        for (uint64_t p = at; p < at + length; ++p)
          writeWord(machine.at(p * pageBytes, pageBytes), mark);
        for (uint64_t p = at; p < at + length; ++p)
          wrong += readWord(machine.at(p * pageBytes, pageBytes)) != mark;
        machine.discard(at * pageBytes, length * pageBytes);
        removed += length;
        for (uint64_t p = at; p < at + length; ++p) {
          const uint8_t *page = machine.at(p * pageBytes, pageBytes);
          wrong += readWord(page) != 0 || readWord(page + 4088) != 0;
        }
      }
    });
  for (std::thread &t : all)
    t.join();
  return wrong ? std::to_string(wrong) + " wrong words" : "";
}

static std::string execute(Machine &machine, const std::string &line) {
  std::istringstream in(line);
  std::string word;
  in >> word;
  uint64_t first = 0, pages = 0;
  auto range = [&] {
    if (!(in >> first >> pages) || !pages)
      throw Fault("expected FIRST PAGES");
  };
  auto page = [&](uint64_t p) { return machine.at(p * pageBytes, pageBytes); };
  if (word == "fill") {
    uint64_t seed = 0;
    range();
    in >> seed;
    for (uint64_t p = first; p < first + pages; ++p)
      fillPage(page(p), p, seed);
  } else if (word == "touch") {
    range();
    uint64_t sum = 0;
    for (uint64_t p = first; p < first + pages; ++p)
      sum += *static_cast<volatile uint8_t *>(page(p));
    return std::to_string(sum);
  } else if (word == "dirty") {
    unsigned value = 0;
    range();
    in >> value;
    for (uint64_t p = first; p < first + pages; ++p)
      *static_cast<volatile uint8_t *>(page(p)) = uint8_t(value);
  } else if (word == "dump") {
    std::string path;
    range();
    in >> path;
    std::ofstream out(path, std::ios::binary);
    std::string copy(pageBytes, 0);
    for (uint64_t p = first; p < first + pages; ++p) {
      std::memcpy(copy.data(), page(p), pageBytes); // the guest's own read
      out << copy;
    }
    if (!out.flush())
      throw Fault(path + ": cannot write");
  } else if (word == "remove") {
    range();
    machine.discard(first * pageBytes, pages * pageBytes);
  } else if (word == "storm") {
    unsigned threads = 0;
    uint64_t rounds = 0;
    if (!(in >> threads >> pages >> rounds >> first) || pages < 8)
      throw Fault("expected THREADS PAGES ROUNDS FIRST, at least 8 pages");
    if (auto why = storm(machine, threads, pages, rounds, first); !why.empty())
      throw Fault(why);
  } else if (word == "kvm") {
    uint32_t value = 0;
    in >> word;
    range();
    in >> value;
    auto sum = runOnKvm(machine, word == "write", first, pages, value);
    return sum ? std::to_string(*sum) : "none";
  } else if (word == "args") {
    return reinterpret_cast<char *>(machine.at(0x20000, pageBytes));
  } else if (word == "crash") {
    kill(getpid(), SIGKILL);
  } else if (word == "exit") {
    _exit(0);
  } else {
    throw Fault("no command '" + word + "'");
  }
  return "";
}

void runGuest(Machine &machine) {
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.empty())
      continue;
    std::string answer;
    try {
      auto vcpu = machine.run();
      std::string text = execute(machine, line);
      answer = "ok" + (text.empty() ? "" : " " + text);
    } catch (const Fault &e) {
      answer = std::string("error ") + e.what();
    }
    std::cout << answer << std::endl;
  }
}

} // namespace standin
