//===- KvmGuest.cpp - a vCPU over the stand-in's memory -------------------===//
//
// Machine code without an operating system: 32-bit protected mode, no paging,
// flat segments. Memory is the machine's own, so a page that the vCPU touches
// and that is lazy faults inside the kernel. Code and its argument block lie in
// a slot of their own above the memory.
//
//===----------------------------------------------------------------------===//

#include "Guest.h"
#include <cstring>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace standin {

static constexpr uint64_t codeAddress = 0xe0000000;

// In:  [0] write?  [4] first address  [8] pages  [12] value;  out: [16] sum
static constexpr uint8_t code[] = {
    0xbb, 0x00, 0x10, 0x00, 0xe0,       //       mov ebx, 0xe0001000
    0x8b, 0x73, 0x04,                   //       mov esi, [ebx+4]
    0x8b, 0x4b, 0x08,                   //       mov ecx, [ebx+8]
    0x8b, 0x53, 0x0c,                   //       mov edx, [ebx+12]
    0x31, 0xc0,                         //       xor eax, eax
    0x85, 0xc9,                         // loop: test ecx, ecx
    0x74, 0x1a,                         //       jz done
    0x83, 0x3b, 0x00,                   //       cmp dword [ebx], 0
    0x75, 0x0a,                         //       jne write
    0x03, 0x06,                         //       add eax, [esi]
    0x03, 0x86, 0xfc, 0x0f, 0x00, 0x00, //       add eax, [esi+4092]
    0xeb, 0x02,                         //       jmp next
    0x89, 0x16,                         // write: mov [esi], edx
    0x81, 0xc6, 0x00, 0x10, 0x00, 0x00, // next: add esi, 4096
    0x49,                               //       dec ecx
    0xeb, 0xe2,                         //       jmp loop
    0x89, 0x43, 0x10,                   // done: mov [ebx+16], eax
    0xf4,                               //       hlt
};

static int need(int value, const char *what) {
  if (value < 0)
    throw Fault(std::string("kvm: ") + what + ": " + std::strerror(errno));
  return value;
}

static void addSlot(int vm, unsigned slot, uint64_t guest, uint64_t bytes,
                    void *host) {
  kvm_userspace_memory_region region{slot, 0, guest, bytes, uint64_t(host)};
  need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory slot");
}

std::optional<uint32_t> runOnKvm(Machine &machine, bool write,
                                 uint64_t firstPage, uint64_t pages,
                                 uint32_t value) {
  // Made once: the guest loop is one thread.
  static int vcpu = -1;
  static uint8_t *box = nullptr;
  static kvm_run *run = nullptr;
  if (vcpu < 0) {
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
      return {};
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0)
      return {};
    unsigned slot = 0;
    for (const GuestRegion &r : machine.memory())
      addSlot(vm, slot++, r.guest, r.bytes, r.host);
    box = static_cast<uint8_t *>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::memcpy(box, code, sizeof code);
    addSlot(vm, slot, codeAddress, 8192, box);
    vcpu = need(ioctl(vm, KVM_CREATE_VCPU, 0), "vcpu");
    int bytes = need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "run size");
    run = static_cast<kvm_run *>(mmap(
        nullptr, size_t(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0));
    if (run == MAP_FAILED)
      throw Fault("kvm: run area");
  }
  uint32_t in[] = {write, uint32_t(firstPage * 4096), uint32_t(pages), value,
                   0};
  std::memcpy(box + 4096, in, sizeof in);

  kvm_sregs system;
  need(ioctl(vcpu, KVM_GET_SREGS, &system), "get registers");
  kvm_segment flat{};
  flat.limit = ~0u;
  flat.present = flat.s = flat.db = flat.g = 1;
  flat.type = 3; // data, accessed, writable
  flat.selector = 16;
  system.ds = system.es = system.fs = system.gs = system.ss = flat;
  flat.type = 11; // code, accessed, readable
  flat.selector = 8;
  system.cs = flat;
  system.cr0 |= 1;
  need(ioctl(vcpu, KVM_SET_SREGS, &system), "set registers");
  kvm_regs registers{};
  registers.rip = codeAddress;
  registers.rflags = 2;
  need(ioctl(vcpu, KVM_SET_REGS, &registers), "set registers");
  for (;;) {
    int result = ioctl(vcpu, KVM_RUN, 0);
    if (result < 0 && errno == EINTR)
      continue;
    need(result, "run");
    if (run->exit_reason == KVM_EXIT_HLT)
      break;
    throw Fault("kvm: exit reason " + std::to_string(run->exit_reason));
  }
  uint32_t sum;
  std::memcpy(&sum, box + 4096 + 16, sizeof sum);
  return sum;
}

} // namespace standin
