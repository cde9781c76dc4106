//===- RawKvm.cpp - a guest in 64-bit ring 0, without an operating system -===//
//
// Long mode from the first instruction: page tables that map the first two GiB
// to themselves in 2 MiB pages, segments given by value, no interrupts. The
// loop is entered with its arguments in registers and ends with HLT.
//
// Source: Intel SDM volume 3 (paging, system registers), Linux
// Documentation/virt/kvm/api.rst.
//
//===----------------------------------------------------------------------===//

#include "RawKvm.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace spacer::test {
namespace {

constexpr uint64_t boxAt = 1 << 30; ///< where the second slot stands
constexpr uint64_t boxBytes = 0x6000;
// In the box: PML4, PDPT, two page directories, code.
constexpr uint64_t pdptAt = 0x1000, directoryAt = 0x2000, codeAt = 0x4000;
constexpr uint64_t sumCode = 0, writeCode = 64;

// rdi address, rcx pages, rdx distance, rbx value, rax sum.
constexpr uint8_t sumLoop[] = {
    0x48, 0x03, 0x07, // add rax, [rdi]
    0x48, 0x01, 0xd7, // add rdi, rdx
    0x48, 0xff, 0xc9, // dec rcx
    0x75, 0xf5,       // jnz -11
    0xf4,             // hlt
};
constexpr uint8_t writeLoop[] = {
    0x48, 0x89, 0x1f, // mov [rdi], rbx
    0x48, 0x01, 0xd7, // add rdi, rdx
    0x48, 0xff, 0xc9, // dec rcx
    0x75, 0xf5,       // jnz -11
    0xf4,             // hlt
};

void fillBox(uint8_t *box) {
  auto *words = reinterpret_cast<uint64_t *>(box);
  constexpr uint64_t present = 1, writable = 2, large = 1 << 7;
  words[0] = (boxAt + pdptAt) | present | writable;
  for (uint64_t g = 0; g < 2; ++g) {
    words[pdptAt / 8 + g] =
        (boxAt + directoryAt + g * 0x1000) | present | writable;
    for (uint64_t i = 0; i < 512; ++i)
      words[(directoryAt + g * 0x1000) / 8 + i] =
          (g << 30 | i << 21) | present | writable | large;
  }
  std::memcpy(box + codeAt + sumCode, sumLoop, sizeof sumLoop);
  std::memcpy(box + codeAt + writeCode, writeLoop, sizeof writeLoop);
}

kvm_segment segment(uint16_t selector, uint8_t type, bool code) {
  kvm_segment s{};
  s.limit = 0xffffffff;
  s.selector = selector;
  s.type = type;
  s.present = s.s = s.g = 1;
  s.l = code;
  s.db = !code;
  return s;
}

int longMode(int vcpu) {
  kvm_sregs r;
  if (ioctl(vcpu, KVM_GET_SREGS, &r) < 0)
    return -errno;
  r.cs = segment(8, 11, true);
  r.ds = r.es = r.fs = r.gs = r.ss = segment(16, 3, false);
  r.cr3 = boxAt;
  r.cr4 = 1 << 5;                                   // PAE
  r.cr0 = 1u << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1; // PG WP NE ET PE
  r.efer = 1 << 8 | 1 << 10;                        // LME LMA
  return ioctl(vcpu, KVM_SET_SREGS, &r) < 0 ? -errno : 0;
}

int addSlot(int vm, unsigned slot, uint64_t guest, uint64_t bytes, void *host) {
  kvm_userspace_memory_region region{slot, 0, guest, bytes,
                                     reinterpret_cast<uintptr_t>(host)};
  return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

} // namespace

int RawKvm::start(void *memory, uint64_t bytes) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0)
    return -errno;
  void *box = mmap(nullptr, boxBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0 || box == MAP_FAILED)
    return -errno;
  fillBox(static_cast<uint8_t *>(box));
  if (int e = addSlot(vm, 0, 0, bytes, memory))
    return e;
  if (int e = addSlot(vm, 1, boxAt, boxBytes, box))
    return e;
  vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (vcpu < 0 || size < 0)
    return -errno;
  shared =
      mmap(nullptr, size_t(size), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  return shared == MAP_FAILED ? -errno : longMode(vcpu);
}

int64_t RawKvm::sum(uint64_t first, uint64_t pages, uint64_t stride) {
  return run(sumCode, first, pages, stride, 0);
}

int64_t RawKvm::write(uint64_t first, uint64_t pages, uint64_t stride,
                      uint64_t value) {
  return run(writeCode, first, pages, stride, value);
}

int64_t RawKvm::run(uint64_t code, uint64_t first, uint64_t pages,
                    uint64_t stride, uint64_t value) {
  kvm_regs r{};
  r.rip = boxAt + codeAt + code;
  r.rflags = 2;
  r.rdi = first * 4096;
  r.rcx = pages;
  r.rdx = stride * 4096;
  r.rbx = value;
  if (ioctl(vcpu, KVM_SET_REGS, &r) < 0)
    return -errno;
  auto *state = static_cast<kvm_run *>(shared);
  for (;;) {
    if (ioctl(vcpu, KVM_RUN, 0) < 0) {
      if (errno == EINTR || errno == EAGAIN)
        continue;
      return -errno;
    }
    if (state->exit_reason == KVM_EXIT_HLT)
      break;
    return -1000 - int64_t(state->exit_reason);
  }
  if (ioctl(vcpu, KVM_GET_REGS, &r) < 0)
    return -errno;
  return int64_t(r.rax);
}

} // namespace spacer::test
