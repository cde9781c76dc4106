# ThreadSanitizer.
#   cmake -S . -B build-tsan -G Ninja -C cmake/caches/tsan.cmake
# libLLVM and lld are not instrumented: their locks are unseen, so run with --threads=1 where lld's
# own thread pool would raise alarms. libclang-rt-19-dev is needed.
set(CMAKE_C_COMPILER clang-19 CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(SPACER_SANITIZE "thread" CACHE STRING "")
