# compress: two commands are enough for most days.
#   make quickstart   install what is missing, build, run pipelines/quickstart.lua
#   make test         everything that must always pass
# Others: build, lib (libcompress, without Swift), install and uninstall (PREFIX=/usr/local), deb (a Debian package), test-exports (what is written, in
# other runtimes, and what Keras writes), figures (whether documented figures still hold), bench-peers (times beside
# other runtimes'), bench-zeros (times with zeros beside those without), soak (long checks), sanitize, clean.

PACKAGES := liblua5.4-dev libsqlite3-dev zlib1g-dev libjpeg-dev libpng-dev libhdf5-dev libedit-dev libcurl4-openssl-dev pkg-config libjs-chart.js
SWIFT    ?= swift
# For running the kernels for ARM on other machines.
NEON      = gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
BIN       = .build/release/compress
LIBDIR    = out/lib
PREFIX   ?= /usr/local
# Tests are compiled with testability: in a folder of their own, so that neither build undoes the other.
TEST      = $(SWIFT) test -c release --scratch-path .build/testing

.PHONY: quickstart build lib install uninstall deb test test-exports figures bench-peers bench-zeros soak sanitize deps neon-deps clean

quickstart: build
	$(BIN) run pipelines/quickstart.lua --out out/quickstart

# Swift's libraries go into the program, so that it runs where Swift is not installed; its symbols stay out.
build: deps
	$(SWIFT) build -c release --static-swift-stdlib -Xlinker -s

# The runtime as a C library, for programs of one's own; takes a C compiler alone. docs/library.md says how for other machines.
# Beside it what `compress bench --on` copies to other machines, for x86-64 and ARM.
lib:
	@RUNNERS=all PREFIX='$(PREFIX)' CC='$(CC)' AR='$(AR)' OBJCOPY='$(OBJCOPY)' STRIP='$(STRIP)' packaging/library.sh '$(LIBDIR)'

# The program, its manual page, completions for bash, zsh and fish, the editor's stubs and the documents, below
# DESTDIR/PREFIX, and the library where `make lib` has made it. Builds nothing, so that it can be root's command; BIN=PATH
# installs what was built elsewhere.
install:
	@PROGRAM='$(BIN)' LIBRARY='$(LIBDIR)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' packaging/install.sh install

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' packaging/install.sh uninstall

# out/compress_VERSION_ARCHITECTURE.deb, for this release of Debian or Ubuntu and later ones.
deb: build
	@PROGRAM='$(BIN)' packaging/deb.sh out

# The NEON kernels run under qemu, unless its packages or those of the compiler cannot be had; then it says so.
test: deps neon-deps
	Tests/KernelChecks/neon.sh || [ $$? = 77 ]
	$(TEST)

# Writes the zoo, quantized and pruned, for other runtimes, and compares what these answer; reads what Keras writes, and
# compares; packs, beside what other compressors make of it; and compiles the C it writes: Tests/exports. Runtimes come from
# PyPI; without it nothing of theirs is checked, and it says so.
test-exports: build
	PROGRAM=$(BIN) Tests/exports/onnx.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/tflite.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/keras.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/packed.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/packed-curve.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/csource.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/library.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/exports/device.sh || [ $$? = 77 ]

# Runs the cheap commands behind the figures in README, docs and headers, and compares: Tests/figures. For example:
# make figures DATA=/data ALL=1 ONLY=lenet THREADS=1
figures: build
	PROGRAM=$(BIN) Tests/figures/figures.sh

# Ours beside other runtimes on the same files: NETWORKS=lab_cnn,resnet50 ROUNDS=3 THREADS=1,2.
bench-peers: build
	PROGRAM=$(BIN) NETWORKS=$(NETWORKS) ROUNDS=$(ROUNDS) THREADS=$(THREADS) Tests/peers/bench.sh

bench-zeros: build
	python3 Tests/peers/zeros.py --program $(BIN) $(if $(NETWORKS),--networks $(NETWORKS)) $(if $(THREADS),--threads $(THREADS)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS))

# What takes longer than anyone wants to wait for each time: a hundred killed runs, a million damaged files, the fuzzer
# of the script's vocabulary at length, scripts that mean harm with the limits as they are, the C targets under the
# address sanitizer, Lua's door against a Lua that checks its use, where its sources can be had, the Debian package,
# installed and removed, a Swift package that depends on the engine, and completions in the shells there are. A million
# files are written on the way: in memory, where there is such a place.
soak: build sanitize
	TMPDIR=$$([ -w /dev/shm ] && echo /dev/shm || echo "$${TMPDIR:-/tmp}") COMPRESS_SOAK=1 $(TEST)
	Tests/soak/apicheck.sh || [ $$? = 77 ]
	Tests/soak/packed.sh || [ $$? = 77 ]
	mkdir -p out/seeds && COMPRESS_SEEDS=$$PWD/out/seeds $(TEST) --filter DamagedPlansTests
	SEEDS=out/seeds Tests/soak/library.sh || [ $$? = 77 ]
	SWIFT='$(SWIFT)' Tests/soak/swift-package.sh || [ $$? = 77 ]
	Tests/soak/pytorch-networks.sh || [ $$? = 77 ]
	PROGRAM=$(BIN) Tests/soak/deb.sh || [ $$? = 77 ]
	@if command -v zsh >/dev/null; then PROGRAM=$(BIN) Tests/soak/completions.zsh || [ $$? = 77 ]; \
	else echo "SKIPPED: completions in shells of their own: there is no zsh to drive them" >&2; fi
	$(MAKE) test-exports

# Lua's door with every call of the walk, the kernels, and what reads untrusted bytes, in a build of their own: address
# errors anywhere, undefined behaviour in C (it traps, so that no runtime library of the compiler's is needed). Leaks are
# not looked for: Swift keeps the addresses of what weak references need in a form that the leak checker cannot read.
sanitize: deps
	ASAN_OPTIONS=detect_leaks=0 COMPRESS_WALK=whole \
	  $(SWIFT) test -c release --sanitize=address --scratch-path .build/sanitized \
	  -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined \
	  --filter 'KernelsTests|CompiledPlansTests|LuaHostTests|FormatsTests|DatasetsTests|FilesTests|SandboxWalkTests'

# Debian and Ubuntu packages that are not there yet; asks for root only when something is missing.
deps:
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.1 or newer is needed: https://www.swift.org/install/linux" >&2; exit 1; }
	@missing=""; for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=""; else sudo=sudo; fi; \
	  $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; \
	fi

# The same for the tests alone. Whoever is not root is not asked for it here: the kernels of this machine need none of it.
neon-deps:
	@[ "$$(uname -m)" = aarch64 ] || dpkg-query -W $(NEON) >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && \
	  { apt-get install -y -q --no-install-recommends $(NEON) || { apt-get update -q && \
	    apt-get install -y -q --no-install-recommends $(NEON); }; }; } || echo "not installed: $(NEON)" >&2

clean:
	rm -rf .build out
