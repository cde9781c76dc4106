# As much of a Unikraft build as plugin/unikraft/Makefile.uk sees: the functions that it calls, two libraries of Unikraft's,
# an external one and the application's, and the platform's. Prints what the library added.
.DEFAULT_GOAL := image
qstrip = $(strip $(subst ",,$(1)))
uc = $(shell printf '%s' '$(1)' | tr a-z A-Z)
lc = $(shell printf '%s' '$(1)' | tr A-Z a-z)
have_clang = $(if $(findstring clang,$(CC)),y,n)
CC := gcc
LD := $(CC)
CC_VER_MAJOR ?= 19
CC_VERSION = $(CC_VER_MAJOR).1
CONFIG_LIBSPACER ?= y
CONFIG_ARCH_X86_64 ?= y
CONFIG_PLAT_KVM ?= y
CONFIG_UK_ARCH = x86_64
CONFIG_UK_BASE = /uk
CONFIG_UK_APP = $(CURDIR)/app
BUILD_DIR = $(CURDIR)
UK_VERSION = 0
UK_SUBVERSION = 17
UK_EXTRAVERSION = 0
Q = @
RM = rm -f
LDFLAGS-y :=
CFLAGS-y :=
COMPFLAGS-y :=
LIBLDFLAGS-y :=
UK_LIBS := appmine libukboot
LIBUKBOOT_BASE := /uk/lib/ukboot
APPMINE_BASE := $(CONFIG_UK_APP)
include $(LIBRARY)/Makefile.uk
UK_LIBS += libmusl liblwip libother
LIBMUSL_BASE := /libs/musl
LIBMUSL_VERSION := 1.2.3
LIBLWIP_BASE := /libs/lwip
LIBLWIP_BRANCH := UNIKRAFT-2_1_x
LIBOTHER_BASE := /libs/other
UK_LIBS += libinside
LIBINSIDE_BASE := $(CONFIG_UK_APP)/workdir/libs/inside
UK_PLATS := kvm
KVM_LIBS := libkvmplat
LIBKVMPLAT_BASE := /uk/plat/kvm
image: $(UK_LDEPS)
	@touch $@; echo "compile: $(COMPFLAGS-y)"; echo "c: $(CFLAGS-y)"; echo "library: $(LIBLDFLAGS-y)"; echo 'link: $(LDFLAGS-y)'
	@cat $(BUILD_DIR)/spacer.rsp
mine:
menuconfig:
	@echo configured
