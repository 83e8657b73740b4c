#!/bin/bash
# The door to Lua against a Lua that checks how it is used: every call of its API (LUA_USE_APICHECK), its own invariants
# (lua_assert), undefined behaviour, and with HARDSTACKTESTS stacks that move whenever they could, so that no pointer
# into one is kept.
#
#   Tests/soak/apicheck.sh            # takes a test build, as `make test` does
#
# Built from Debian's source package of the very version that is installed, in a scratch folder, and put in the place of
# the installed library by LD_LIBRARY_PATH for the tests alone. Needs Debian or Ubuntu, a source of its packages and
# dpkg-dev; without them it says so and ends with status 77: nothing was checked.
#
#   APICHECK_FILTER='LuaHostTests'    # other tests than those of the door and of the script's vocabulary
#   APICHECK_FLAGS='-DHARDSTACKTESTS' # more for the compiler; the default. Lua before 5.4.5 uses freed memory itself when
#                                     # a stack moves under a concatenation, which this shows: '' leaves it out
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "SKIPPED: NOTHING WAS CHECKED: $*" >&2
  exit 77
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-apicheck-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The sources of the installed version, from where its packages come from, without touching the system's lists.
for tool in apt-get dpkg-source pkg-config ldd; do
  command -v "$tool" >/dev/null || skip "there is no $tool"
done
version=$(dpkg-query -W -f '${source:Version}' liblua5.4-0 2>/dev/null) || skip "liblua5.4-0 is no package here"
mkdir -p "$scratch/lists/partial" "$scratch/parts" "$scratch/lib"
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -n 's/^deb /deb-src /p' >"$scratch/sources.list" || true
for file in /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$scratch/parts/${file##*/}"
done
apt=(-q -o "Dir::Etc::SourceList=$scratch/sources.list" -o "Dir::Etc::SourceParts=$scratch/parts"
  -o "Dir::State::Lists=$scratch/lists" -o APT::Sandbox::User=root)
pushd "$scratch" >/dev/null
apt-get "${apt[@]}" update >update.log 2>&1 || skip "apt-get update: $(tail -1 update.log)"
apt-get "${apt[@]}" source --download-only "lua5.4=$version" >source.log 2>&1 ||
  skip "apt-get source: $(tail -1 source.log)"
dpkg-source --no-check -x lua5.4_*.dsc lua >extract.log 2>&1 || skip "dpkg-source: $(tail -1 extract.log)"

# What Lua's own ltests.h says of lua_assert; the rest of that file would replace the allocator.
cat >check.h <<'C'
#undef NDEBUG
#include <assert.h>
#define lua_assert(c) assert(c)
C
sources=$(find lua/src -name '*.c' ! -name lua.c ! -name luac.c ! -name onelua.c ! -name ltests.c)
# shellcheck disable=SC2086
${CC:-cc} -std=gnu99 -O1 -g -fPIC -shared -fno-omit-frame-pointer -w -DLUA_COMPAT_5_3 -DLUA_USE_LINUX \
  -DLUA_USE_APICHECK -include check.h ${APICHECK_FLAGS--DHARDSTACKTESTS} \
  -fsanitize=undefined -fsanitize-undefined-trap-on-error $sources \
  -Wl,-soname,liblua5.4.so.0 -Wl,--version-script=lua/debian/version-script -o lib/liblua5.4.so.0 -lm -ldl

# That the library does check: a value popped from an empty stack must abort.
cat >wrong.c <<'C'
#include <lauxlib.h>
int main(int count, char **arguments) {
  lua_State *L = luaL_newstate();
  (void)arguments;
  if (count > 1) lua_settop(L, -2);
  return 0;
}
C
# shellcheck disable=SC2046
${CC:-cc} wrong.c $(pkg-config --cflags --libs lua5.4) -o wrong
LD_LIBRARY_PATH=$scratch/lib ./wrong || { echo "a right use of the checking library fails" >&2; exit 1; }
(ulimit -c 0; LD_LIBRARY_PATH=$scratch/lib ./wrong twice) 2>wrong.log && status=0 || status=$?
grep -q 'invalid new top' wrong.log && [ "$status" != 0 ] ||
  { echo "a wrong use of the checking library passes: it checks nothing" >&2; exit 1; }
popd >/dev/null

build=(build -c release -Xswiftc -enable-testing --build-tests --scratch-path .build/testing)
${SWIFT:-swift} "${build[@]}"
folder=$(${SWIFT:-swift} "${build[@]}" --show-bin-path)
test=$(find -H "$folder/" -maxdepth 1 -name '*.xctest' -type f | head -1)
# And that it is the one in use.
used=$(LD_LIBRARY_PATH=$scratch/lib ldd "$test" | sed -n 's/.*liblua5\.4\.so\.0 => \([^ ]*\).*/\1/p')
[ "$used" = "$scratch/lib/liblua5.4.so.0" ] || { echo "the tests use \"$used\", not the checking library" >&2; exit 1; }
echo "Lua $version with API checks and assertions: $used"
LD_LIBRARY_PATH=$scratch/lib "$test" --testing-library swift-testing \
  --filter "${APICHECK_FILTER:-LuaHostTests|ScriptingTests.FuzzTests|ScriptingTests.SandboxWalkTests}"
