# Frontdesk. `make help` lists what there is.
#
# MODE=release (default), debug or sanitize; each has its own tree under build/,
# so that objects of different modes never mix.

MODE   ?= release
B      := build/$(MODE)
PREFIX ?= /usr/local
VERSION := 0.1.0

PG_INCLUDE := $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
PKGS       := libevent_core libevent_extra libcurl hiredis yajl libsodium libutf8proc libpcre2-8
PKG_CFLAGS  = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS    = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpq -lm -lpthread

CC     ?= gcc
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
          -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wnull-dereference \
          -Wimplicit-fallthrough -Wno-missing-field-initializers
WERROR := $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE

CFLAGS_release  := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(HARDEN)
CFLAGS_debug    := -O0 -g3 -fPIE -DFD_FAILPOINTS
CFLAGS_sanitize := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                   -fno-sanitize-recover=all -fPIE -DFD_FAILPOINTS
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_debug   := -pie
LDFLAGS_sanitize := -pie -fsanitize=address,undefined

ALL_CFLAGS = -std=gnu17 $(CFLAGS_$(MODE)) $(WARN) $(WERROR) -MMD -MP -I. -Iworker -I$(B) \
             -I$(PG_INCLUDE) -DFRONTDESK_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) $(LDFLAGS)

SCRIPTS_LUA := $(wildcard protocol/scripts/*.lua)
PROTOCOL_C  := $(wildcard protocol/*.c)
WORKER_C    := $(filter-out worker/cmd/%,$(wildcard worker/*/*.c))
CMD_C       := $(wildcard worker/cmd/*.c)

PROTOCOL_O := $(PROTOCOL_C:%.c=$(B)/%.o) $(B)/protocol/scripts_text.o
WORKER_O   := $(WORKER_C:%.c=$(B)/%.o)
CMD_O      := $(CMD_C:%.c=$(B)/%.o)
LIB        := $(B)/libfrontdesk.a

UNIT_C := $(wildcard t/unit/test_*.c)
UNIT   := $(UNIT_C:t/unit/%.c=$(B)/t/unit/%)

.PHONY: all help worker module web run test test-long test-n8n unit bench bench-widget fuzz lint format format-check \
        install clean distclean compile_commands.json
.DELETE_ON_ERROR:
.SECONDARY:

all: worker module web

help:
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST))

## make            build the worker, the nginx module and the widget
## make run        everything on this machine, with a demo organisation
## make test       set up and run every test (MODE=sanitize for the C parts)
## make test-long  the exhaustive campaigns
## make test-n8n   the shipped workflows on the real n8n (installs it from npm: 1.8 GB)
## make bench      measure and compare (bench-widget: the widget in Chromium)
## make fuzz       run the fuzz targets (FUZZ_SECONDS=60 each)
## make lint       static analysis and the house rules
## make format     clang-format; format-check only looks
## make install    into DESTDIR and PREFIX

worker: $(B)/frontdesk

$(B)/protocol/scripts_text.c: scripts/embed-lua $(SCRIPTS_LUA)
	@mkdir -p $(@D)
	scripts/embed-lua $(SCRIPTS_LUA) > $@

$(B)/protocol/scripts_text.o: $(B)/protocol/scripts_text.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(LIB): $(PROTOCOL_O) $(WORKER_O)
	@rm -f $@
	ar rcs $@ $^

$(B)/frontdesk: $(CMD_O) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $(CMD_O) $(LIB) $(PKG_LIBS)

# One binary a unit test; it links the whole library, the linker takes what it needs.
$(B)/t/unit/%: $(B)/t/unit/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) -lcmocka $(PKG_LIBS)

.PHONY: unit-binaries
unit-binaries: $(UNIT)

unit: $(UNIT)
	@set -e; for t in $(UNIT); do echo "# $$t"; CMOCKA_MESSAGE_OUTPUT=STDOUT $$t; done

module: $(B)/ngx_http_frontdesk_module.so

MODULE_SRC := $(wildcard ngx_module/*.c ngx_module/*.h protocol/*.c protocol/*.h) config
$(B)/ngx_http_frontdesk_module.so: $(MODULE_SRC) $(B)/protocol/scripts_text.c scripts/build-module
	MODE=$(MODE) scripts/build-module $(abspath $(B))

web: $(B)/web/manifest.json

WEB_SRC := $(wildcard web/widget/budget.json web/widget/lang/*.js web/widget/src/*.js web/widget/src/*/*.js web/widget/src/*/*.css web/demo/* web/demo/*/* \
              web/dashboard/*.* web/dashboard/lang/* web/dashboard/src/*.* web/dashboard/src/*/*.* web/dashboard/src/*/*/*.*)
$(B)/web/manifest.json: scripts/build-web $(WEB_SRC)
	scripts/build-web --out $(B)/web

run:
	@scripts/packages build run
	@$(MAKE) --no-print-directory -s MODE=release worker module
	@exec scripts/run

test:
	@scripts/test

test-long:
	@scripts/test --long

test-n8n:
	@scripts/packages build run test
	@$(MAKE) --no-print-directory MODE=release worker module web
	@t/n8n/run

bench:
	@scripts/packages build run bench
	@$(MAKE) --no-print-directory MODE=release all
	@t/bench/run; run=$$?; t/bench/analytics && exit $$run

bench-widget:
	@scripts/packages build test bench
	@t/bench/widget

# -- fuzzing: clang's libFuzzer, one binary a target, its own objects ------------

FUZZ_SECONDS ?= 60
FB       := build/fuzz
FUZZ_C   := $(wildcard t/fuzz/fuzz_*.c)
FUZZ     := $(FUZZ_C:t/fuzz/%.c=$(FB)/%)
FUZZ_CFLAGS = -std=gnu17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP \
              -I. -Iworker -I$(FB) -I$(PG_INCLUDE) $(PKG_CFLAGS)
FUZZ_O   := $(PROTOCOL_C:%.c=$(FB)/%.o) $(WORKER_C:%.c=$(FB)/%.o) $(FB)/protocol/scripts_text.o

$(FB)/protocol/scripts_text.c: scripts/embed-lua $(SCRIPTS_LUA)
	@mkdir -p $(@D)
	scripts/embed-lua $(SCRIPTS_LUA) > $@

$(FB)/protocol/scripts_text.o: $(FB)/protocol/scripts_text.c
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FB)/%.o: %.c
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -DFRONTDESK_VERSION='"fuzz"' -c -o $@ $<

$(FB)/libfrontdesk.a: $(FUZZ_O)
	@rm -f $@
	ar rcs $@ $^

$(FB)/fuzz_%: t/fuzz/fuzz_%.c $(FB)/libfrontdesk.a
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FB)/libfrontdesk.a $(PKG_LIBS)

.PHONY: fuzz-corpus
# The committed corpus as a regression test: every input once.
fuzz-corpus: $(FUZZ)
	@set -e; for f in $(FUZZ); do n=$${f##*/fuzz_}; \
	    $$f -runs=0 t/fuzz/corpus/$$n >/dev/null 2>$(FB)/$$n.log || { cat $(FB)/$$n.log; exit 1; }; \
	    echo "ok fuzz corpus $$n"; done

fuzz: $(FUZZ)
	@set -e; for f in $(FUZZ); do n=$${f##*/fuzz_}; mkdir -p $(FB)/corpus/$$n; \
	    echo "# $$n"; $$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -timeout=10 \
	    $(FB)/corpus/$$n t/fuzz/corpus/$$n 2>&1 | tail -12; done

# -- house rules ----------------------------------------------------------------

C_FILES := $(wildcard protocol/*.[ch] worker/*/*.[ch] t/unit/*.[ch] t/fuzz/*.[ch] t/bench/*.[ch])

lint:
	@scripts/packages build lint
	@scripts/lint

format:
	clang-format -i $(C_FILES)
	t/browser/node_modules/.bin/prettier --log-level warn --write 'web/{widget,dashboard}/{src,lang}/**/*.{js,jsx,css}'

format-check:
	@clang-format --dry-run -Werror $(C_FILES)

# -- installation -----------------------------------------------------------------

MODULES_DIR ?= /usr/lib/nginx/modules
SHARE       := $(DESTDIR)$(PREFIX)/share/frontdesk
# the web is built where it goes: the widgets of former versions stay beside the new one
install: all
	install -Dm755 $(B)/frontdesk $(DESTDIR)$(PREFIX)/bin/frontdesk
	install -Dm644 $(B)/ngx_http_frontdesk_module.so $(DESTDIR)$(MODULES_DIR)/ngx_http_frontdesk_module.so
	install -d $(SHARE)/migrations $(SHARE)/prompts $(SHARE)/web $(SHARE)/demo
	install -m644 migrations/*.sql $(SHARE)/migrations
	install -m644 conf/prompts/*.txt $(SHARE)/prompts
	scripts/build-web --out $(SHARE)/web
	cp -R conf/demo/. $(SHARE)/demo
	install -m644 conf/models.json $(SHARE)/models.json
	install -Dm644 conf/frontdesk.env.example $(SHARE)/frontdesk.env.example
	install -m644 conf/nginx.conf.example conf/pgbouncer.ini.example conf/haproxy.cfg.example $(SHARE)
	install -Dm755 scripts/frontdesk-backup $(DESTDIR)$(PREFIX)/bin/frontdesk-backup
	install -d $(SHARE)/systemd $(SHARE)/redis $(SHARE)/prometheus
	install -m644 conf/systemd/* $(SHARE)/systemd
	install -m644 conf/redis/* $(SHARE)/redis
	install -m644 conf/prometheus/* $(SHARE)/prometheus

-include $(wildcard $(FB)/*.d $(FB)/*/*.d $(FB)/*/*/*.d)
-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)

clean:
	rm -rf build

distclean: clean
	rm -rf var
