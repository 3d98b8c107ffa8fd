#!/usr/bin/env bash
# Installs what a build folder contains, and uses it as others would: CMake and pkg-config, static and shared, C++, C and
# Fortran, and as a part of another project.
#   tests/cpp/consumer/run.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

# Moved after it was installed: nothing in it may know where it was.
install_and_move() {
  for component in development runtime; do
    cmake --install "$build" --prefix "$work/first" --component $component >"$work/install.log"
  done
  mv "$work/first" "$work/prefix"
  library=$(dirname "$(find "$work/prefix" -name liblindmft.a)")
  if grep -rIF -e "$root" -e "$build" -e "$work/first" "$work/prefix" | grep -v scipy_openblas32; then
    fail "paths of the building machine"
  fi
  if find "$work/prefix" -name '*.py' -o -name '_core*' | grep .; then fail "files of the Python package"; fi
}

# Only what the public headers declare, and instances of the standard library's templates.
check_symbols() {
  nm -D --defined-only --demangle "$library/liblindmft.so" | cut -d ' ' -f 3- >"$work/symbols"
  grep -q '^lindmft::solve(' "$work/symbols" || fail "lindmft::solve is hidden"
  grep -q '^lindmft_solve$' "$work/symbols" || fail "lindmft_solve is hidden"
  if grep -vE '^(lindmft_[a-z_]+$|lindmft::[A-Za-z_]+(\(|::|\[abi)|(vtable|typeinfo|typeinfo name) for lindmft::[A-Za-z]+$)' "$work/symbols" |
    grep -vE '^([a-z]+[a-z :*&<>]* )?(std::|__gnu_cxx::)'; then fail "symbols that are no part of the interface"; fi
  if grep -E '(theory|training|linalg|support|time_grid|optimizer|c_interface)::' "$work/symbols"; then fail "symbols of the inside"; fi
}

# project NAME SOURCE ARGUMENTS...: configured and built in $work/NAME.
project() {
  local name=$1 source=$2
  shift 2
  cmake -S "$source" -B "$work/$name" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" "$@" \
    >"$work/$name.log" 2>&1 || { cat "$work/$name.log"; fail "$name: configure"; }
  cmake --build "$work/$name" >"$work/$name.log" 2>&1 || { cat "$work/$name.log"; fail "$name: build"; }
}

# Theory and training of a table agree in every row within five standard errors.
check_table() {
  awk -F, '
    NR == 1 { if ($0 != "step,theory,training,standard_error") bad = "header: " $0; next }
    NF != 4 || $1 != NR - 2 || !($4 > 0) || ($2 - $3) ^ 2 > 25 * $4 ^ 2 { bad = "row: " $0 }
    END { if (NR != 61) bad = NR " lines"; if (bad) { print bad; exit 1 } }' "$1" || fail "$1"
}

# Two tables have the same numbers, to the seven digits that both print.
same_table() {
  paste -d, "$1" "$2" | awk -F, '
    NR == 1 { if ($1 $2 $3 $4 != $5 $6 $7 $8) bad = "header: " $0; next }
    { for (i = 1; i <= 4; ++i) if (!(($i - $(i + 4)) ^ 2 <= 1e-14 * $i ^ 2)) bad = "row: " $0 }
    END { if (NR != 61) bad = NR " lines"; if (bad) { print bad; exit 1 } }' || fail "$1 and $2 differ"
}

pkg() { PKG_CONFIG_PATH="$1/${library#"$work/prefix/"}/pkgconfig" pkg-config "${@:2}" lindmft; }

install_and_move
check_symbols

for kind in static shared; do
  project "$kind" "$here" -DLIBRARY=$kind
  "$work/$kind/consumer" || fail "the consumer, $kind"
done
[[ $(ldd "$work/shared/consumer") == *"$library/liblindmft.so"* ]] || fail "the shared consumer uses no shared library"
[[ $(ldd "$work/static/consumer") != *liblindmft* ]] || fail "the static consumer uses a shared library"

project cpp "$root/examples/cpp"
"$work/cpp/learning_curve" >"$work/cpp.csv"
project c "$root/examples/c"
"$work/c/learning_curve" >"$work/c.csv"
check_table "$work/cpp.csv"
cmp "$work/cpp.csv" "$work/c.csv" || fail "C and C++ differ"

strict=(-std=c99 -Wall -Wextra -Werror -pedantic)
# shellcheck disable=SC2046
${CC:-cc} "${strict[@]}" "$root/examples/c/first_curve.c" -o "$work/first" $(pkg "$work/prefix" --cflags --libs)
LD_LIBRARY_PATH=$library "$work/first" | cmp - "$root/examples/c/first_curve.txt" || fail "the first program in C"
# shellcheck disable=SC2046
${CC:-cc} "${strict[@]}" "$root/examples/c/learning_curve.c" -o "$work/by_pkg" $(pkg "$work/prefix" --cflags --libs) -lm
LD_LIBRARY_PATH=$library "$work/by_pkg" | cmp - "$work/c.csv" || fail "pkg-config, shared"
cp -R "$work/prefix" "$work/archive"
rm "$work/archive/${library#"$work/prefix/"}"/liblindmft.so*
# shellcheck disable=SC2046
${CC:-cc} -std=c99 "$root/examples/c/learning_curve.c" -o "$work/by_pkg" $(pkg "$work/archive" --static --cflags --libs)
"$work/by_pkg" | cmp - "$work/c.csv" || fail "pkg-config, static"

if command -v "${FC:-gfortran}" >/dev/null; then
  project fortran "$root/examples/fortran" -DCMAKE_Fortran_FLAGS="-std=f2008 -Wall -Wextra -Werror"
  "$work/fortran/learning_curve" >"$work/fortran.csv"
  same_table "$work/fortran.csv" "$work/c.csv"
else
  printf 'skipped: the program in Fortran, without gfortran\n'
fi

# As a part of another project; the guide's program is one that is built so.
cmake -S "$here" -B "$work/inside" -DSOURCE="$root" >"$work/inside.log" 2>&1 || { cat "$work/inside.log"; fail "add_subdirectory"; }
test ! -e "$work/inside/lindmft/lindmftConfig.cmake" || fail "add_subdirectory has something to install"
if commit=$(git -C "$root" rev-parse HEAD 2>/dev/null); then
  cmake -S "$here" -B "$work/fetched" -DREPOSITORY="file://$root" -DCOMMIT="$commit" >"$work/fetched.log" 2>&1 ||
    { cat "$work/fetched.log"; fail "FetchContent"; }
  test -e "$work/fetched/_deps/lindmft-src/CITATION.cff" || fail "FetchContent has cloned nothing"
  test ! -e "$work/fetched/_deps/lindmft-build/lindmftConfig.cmake" || fail "FetchContent has something to install"
fi
