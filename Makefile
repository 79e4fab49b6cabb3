# SPDX-License-Identifier: GPL-2.0-only
#
# make help lists the targets. A folder builds itself: this file only knows
# which folders there are, which kernels, and which rings of tests.

MAKEFLAGS += --no-print-directory
export V KDIR

# The stock kernels that must work, and what make demo boots.
STOCK := 6.1 6.12
KERNELS := $(STOCK) debug

# Without K=, the module is for KDIR= or the running kernel where its headers
# are installed, and for the 6.12 that scripts/kernel fetches where not.
ifndef K
ifneq ($(or $(KDIR),$(wildcard /lib/modules/$(shell uname -r)/build/Makefile)),)
MODULE_FOR := host
else
MODULE_FOR := 6.12
endif
else
MODULE_FOR := $(K)
endif

.PHONY: all
all: module lib tools

.PHONY: module
module:
	+scripts/module $(MODULE_FOR)

.PHONY: lib
lib:
	+$(MAKE) -C lib

.PHONY: tools
tools: lib
	+$(MAKE) -C tools/machvmctl

# Tests. Each ring ends with a line "N passed, N failed, N skipped";
# scripts/rings adds them up.
# The longest first: they run side by side.
RINGS := selftest style unit guest kunit tools-check lib-check layers genl-check rows

.PHONY: check
check:
	+scripts/rings $(RINGS)

.PHONY: style
style:
	+scripts/style

.PHONY: layers
layers:
	scripts/layers

.PHONY: genl-check
genl-check:
	scripts/genl-check

.PHONY: unit
unit:
	+$(MAKE) -j $(shell nproc) -C selftests/unit run

.PHONY: lib-check
lib-check: lib
	+$(MAKE) -C lib check

.PHONY: tools-check
tools-check: tools
	+$(MAKE) -C tools/machvmctl check

.PHONY: guest
guest:
	+selftests/guest/run $(if $(T),'$(T)')

# The slowest kernel first: they run side by side.
.PHONY: selftest
selftest: lib tools
	+selftests/run $(or $(K),debug $(STOCK))

# Random operations beside a model, for longer than in unit and selftest:
# 1,000,000 steps of the pure logic, 100,000 against the module.
.PHONY: model-check
model-check: lib tools
	+MODEL_STEPS=500000 $(MAKE) -C selftests/unit run T='model.random*'
	+selftests/model-check $(or $(K),6.12)

.PHONY: pressure
pressure: lib
	+selftests/pressure/run $(or $(K),$(STOCK))

# Every order of events in models of the protocols, and of mistakes in them.
.PHONY: model
model:
	+selftests/spin/run

# Everything at once for SECONDS=, in processes and threads that know what memory holds.
.PHONY: stress
stress: lib
	+STRESS_SECONDS=$(or $(SECONDS),60) selftests/stress/run $(or $(K),6.12)

# The same in a kernel that watches for data races.
.PHONY: kcsan
kcsan: lib
	+STRESS_SECONDS=$(or $(SECONDS),60) selftests/kcsan/run

# All of that and everything Linux can do to memory, with too little of it, for MINUTES=.
.PHONY: soak
soak: lib tools
	+MINUTES=$(or $(MINUTES),5) selftests/soak/run $(or $(K),6.12)

# Bytes for the pure logic and for what reads bytes in user space, for SECONDS= a target.
.PHONY: libfuzzer
libfuzzer:
	+selftests/libfuzzer/run $(or $(SECONDS),60) $(T)

# Whatever any call needs is missing once, in the debug kernel.
.PHONY: fail-nth
fail-nth: lib
	+selftests/fail_nth/run $(K)

# Which lines of the module no test executes, in user space or in a kernel that counts.
.PHONY: coverage
coverage: lib tools
	+selftests/coverage/run

# Programs of calls that reach what none before has reached, in the coverage kernel.
.PHONY: fuzz
fuzz:
	+FUZZ_SECONDS=$(or $(SECONDS),60) selftests/fuzz/run

# The module is loaded, used and unloaded 200 times, and nothing grows.
.PHONY: reload
reload: lib
	+selftests/reload/run $(or $(K),6.12)

.PHONY: pager-matrix
pager-matrix: lib
	+selftests/matrix/run $(or $(K),6.12)

# The default memory manager is killed 200 times, at moments that SEED= chooses.
.PHONY: default-pager-kill
default-pager-kill: lib tools
	+$(MAKE) -C selftests pager
	scripts/guest -k $(or $(K),6.12) -t 1800 -e KILL_ROUNDS=200 -e KILL_SEED=$(or $(SEED),1) \
		-f build/selftests/pager_default -f tools/machvmctl/machvmctl \
		-- pager_default global.K13_default_pager_loses_nothing_when_it_is_killed

.PHONY: kunit
kunit:
	+scripts/module kunit$(K:%=-%)
	selftests/kunit $(K)

.PHONY: mutants
mutants:
	+selftests/mutants/run $(T)

.PHONY: rows
rows: lib tools
	+selftests/rows

.PHONY: demo
demo: lib tools
	+selftests/demo/run $(or $(K),6.12)

.PHONY: bench
bench: lib tools
	+bench/run

.PHONY: install
install: all
ifeq ($(MODULE_FOR),host)
	+$(MAKE) -C $(or $(KDIR),/lib/modules/$(shell uname -r)/build) M=$(CURDIR)/build/host \
		INSTALL_MOD_PATH=$(DESTDIR) modules_install
else
	@echo 'install: no headers of the running kernel and no KDIR=: no module installed'
endif
	+$(MAKE) -C lib install
	+$(MAKE) -C tools/machvmctl install

.PHONY: clean
clean:
	rm -rf build
	$(foreach d,lib tools/machvmctl examples selftests,$(MAKE) -C $(d) clean &&) :

.PHONY: help
help:
	@echo 'Building:'
	@echo '  all             module, lib and tools (the default)'
	@echo '  module          machvm.ko; K=6.1|6.12|debug: for that kernel, in build/K;'
	@echo '                  without K for KDIR= or the running kernel, else for 6.12'
	@echo '  lib             libmachvm, shared and static'
	@echo '  tools           machvmctl'
	@echo '  install         install all of it; DESTDIR= to put it elsewhere'
	@echo '  clean           remove what was built (not the cache of kernels)'
	@echo ''
	@echo 'Trying:'
	@echo '  demo            a pager serves a file in a guest; K=6.1|6.12 (6.12)'
	@echo '  bench           instructions per operation beside what Linux offers'
	@echo ''
	@echo 'Testing (each ends "N passed, N failed, N skipped"):'
	@echo '  check           all of the following rings, added up; RINGS="a b" for some'
	@echo '  style           checkpatch, sparse, shellcheck, licence lines'
	@echo '  layers          a source file includes only the rows below it'
	@echo '  genl-check      generated netlink files are what the spec gives'
	@echo '  unit            the pure logic in user space, with sanitizers'
	@echo '  lib-check       the library without the module'
	@echo '  tools-check     machvmctl without the module'
	@echo '  guest           scripts/guest itself: panic, hang and warning must fail'
	@echo '  selftest        programs against the module; K=6.1|6.12|debug (all three),'
	@echo '                  T=pattern selects, LIST=1 lists'
	@echo '  default-pager-kill  the default memory manager is killed 200 times (not in check);'
	@echo '                  K=, SEED=n'
	@echo '  pressure        three times the memory of a guest; K=, T= (not in check)'
	@echo '  pager-matrix    pagers that misbehave, with whatever a client can do; K=, T='
	@echo '                  (6.12; not in check)'
	@echo '  model           spin looks at all orders of events in models of three protocols, and'
	@echo '                  finds mistakes that are made in them (not in check)'
	@echo '  stress          all calls, faults, forks and pagers at once, with 2 and 4 processors;'
	@echo '                  SECONDS=60, SEED=n, K= (6.12; not in check)'
	@echo '  kcsan           the same in a kernel that looks for data races, which takes some'
	@echo '                  ten minutes to build the first time; SECONDS=60, SEED=n (not in check)'
	@echo '  soak            writers that know every byte, stress, and pagers that are killed, in a'
	@echo '                  guest with too little memory, which Linux is told to move about; a'
	@echo '                  line a minute, and one for each run in soak.log of the cache;'
	@echo '                  MINUTES=5, SEED=n, K= (6.12; "6.1 6.12 debug"; not in check)'
	@echo '  libfuzzer       looks for bytes that the pure logic, the library or machvmctl does not'
	@echo '                  bear; what was interesting is kept in the cache; SECONDS=60 a target,'
	@echo '                  T=model|messages|words|trace|vault (not in check; seeds in tools-check)'
	@echo '  fail-nth        each call with its n-th allocation failing, for every n, in the debug'
	@echo '                  kernel; T=, QUICK=1 for some of them (not in check)'
	@echo '  fuzz            ioctls, messages, faults and forks of random programs, by what they reach'
	@echo '                  in the coverage kernel, which takes some ten minutes to build the first'
	@echo '                  time; goes on where the last one ended; SECONDS=60, SEED=n, LANES=2'
	@echo '                  (not in check)'
	@echo '  coverage        lines of the module that are executed by unit, selftest, fail-nth,'
	@echo '                  kunit and reload; one that is not must be in selftests/unreached.txt;'
	@echo '                  RINGS="a b" for these, COVERAGE=FOLDER only looks at what was counted,'
	@echo '                  in build/counted (not in check)'
	@echo '  reload          200 times loaded, used and unloaded: nothing grows, and nothing'
	@echo '                  unloads what is in use; K= (6.12; not in check)'
	@echo '  kunit           KUnit suites in the debug kernel; T=pattern selects'
	@echo '  model-check     random operations beside a model, longer (not in check);'
	@echo '                  K= for that kernel; SEED=n for another run in the guest'
	@echo '  mutants         each broken rule must be caught by a test (not in check)'
	@echo '  rows            each rule of selftests/rows.txt has tests, and a mutant'
	@echo ''
	@echo 'V=1 shows the commands of the build. scripts/kernel keeps the kernels in'
	@echo '$${XDG_CACHE_HOME:-~/.cache}/machvm; scripts/guest -h runs a program in one.'
