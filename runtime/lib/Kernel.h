//===- Kernel.h - kernel interfaces newer than the headers ----------------===//
//
// Debian 12 builds against Linux 6.1 headers; what came later is declared here
// with the kernel's own names and values, and found out at run time.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_KERNEL_H
#define SPACER_RUNTIME_KERNEL_H

#include <cstdint>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>

// Linux 6.6, include/uapi/linux/userfaultfd.h.
#ifndef UFFDIO_POISON
#define _UFFDIO_POISON (0x08)
struct uffdio_poison {
  struct uffdio_range range;
  __u64 mode;
  __s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, _UFFDIO_POISON, struct uffdio_poison)
#define UFFDIO_POISON_MODE_DONTWAKE ((__u64)1 << 0)
#define UFFD_FEATURE_POISON (1 << 14)
#endif

// Linux 6.7, include/uapi/linux/fs.h.
#ifndef PAGEMAP_SCAN
#define PAGE_IS_WPALLOWED (1 << 0)
#define PAGE_IS_WRITTEN (1 << 1)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PAGE_IS_HUGE (1 << 6)
struct page_region {
  __u64 start;
  __u64 end;
  __u64 categories;
};
struct pm_scan_arg {
  __u64 size;
  __u64 flags;
  __u64 start;
  __u64 end;
  __u64 walk_end;
  __u64 vec;
  __u64 vec_len;
  __u64 max_pages;
  __u64 category_inverted;
  __u64 category_mask;
  __u64 category_anyof_mask;
  __u64 return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#endif

// Linux 6.4, include/uapi/linux/prctl.h.
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

// Linux 6.5, include/uapi/asm-generic/socket.h.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#endif
