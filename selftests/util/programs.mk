# SPDX-License-Identifier: GPL-2.0-only
#
# Included by the Makefile of a folder of harness programs, which sets PROGRAMS:
# each is built in OUT from NAME.c, ../util, and EXTRA if that is set.
# kselftest_harness.h comes from the kernel's source.

CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
PC := PKG_CONFIG_PATH=$(CURDIR)/../../lib:$(PKG_CONFIG_PATH) $(PKG_CONFIG)
SOURCE = $(shell ../../scripts/kernel source)

# Where the programs go.
OUT ?= .

FLAGS = -Wall -Wextra -Wno-sign-compare -Wno-override-init -pthread -I../util \
	-isystem $(SOURCE)/tools/testing/selftests $(shell $(PC) --cflags machvm)
LIBS = $(shell $(PC) --libs machvm)
UTIL := $(wildcard ../util/*.c)
HEADERS := $(wildcard *.h ../*.h ../util/*.h ../../uapi/*.h ../../lib/include/*.h \
	../../lib/include/*/*.h)

ifeq ($(V),)
Q := @
say = @echo '  CC      $(1)'
endif

.PHONY: all clean
all: $(PROGRAMS:%=$(OUT)/%)

$(PROGRAMS:%=$(OUT)/%): $(OUT)/%: %.c $(EXTRA) $(UTIL) $(HEADERS) ../../lib/libmachvm.so
	$(call say,$@)
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -o $@ $< $(EXTRA) $(UTIL) $(LDFLAGS) $(LIBS)

clean:
	rm -f $(PROGRAMS:%=$(OUT)/%)
