# AddressSanitizer with UndefinedBehaviorSanitizer; the first finding ends the program.
#   cmake -S . -B build-asan -G Ninja -C cmake/caches/asan-ubsan.cmake
# LLVM's and lld's own code is not instrumented, so findings are ours. libclang-rt-19-dev is needed.
set(CMAKE_C_COMPILER clang-19 CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(SPACER_SANITIZE "address,undefined" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-fno-sanitize-recover=all" CACHE STRING "")
