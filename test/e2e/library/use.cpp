// A C++ program that reads a pool: use-cpp POOL-DIRECTORY FILE
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <spacer/spacer.h>
#include <sys/mman.h>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  std::ifstream in(argv[2], std::ios::binary);
  std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
  file.resize((file.size() + 4095) / 4096 * 4096);
  spacer_pool *pool = nullptr;
  spacer_plan *plan = nullptr;
  void *memory =
      mmap(nullptr, file.size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool good =
      spacer_pool_open(&pool, argv[1], "default", SPACER_POOL_READ) == 0 &&
      spacer_plan_make(&plan, pool, "file", nullptr) == 0 &&
      spacer_plan_map(plan, memory, file.size(), PROT_READ) == 0 &&
      std::memcmp(memory, file.data(), file.size()) == 0;
  if (!good)
    std::cerr << "memory is not the file: " << spacer_error() << '\n';
  spacer_plan_free(plan);
  spacer_pool_close(pool);
  return !good;
}
