#!/bin/sh
# The C compiler, $MIRRA_CLANG, which sees one line of QuickJS changed. QuickJS allocates small objects in arenas of its own, by
# size; sanitizers turn that off when it is compiled. Here it is a variable: off where src/alloc.rs decides where objects lie,
# on where a call allocates so much that only speed counts.
set -eu
for argument do
  case $argument in
    */quickjs.c)
      sed -i 's/^#define JS_ARENA_LARGE_BLOCKS_ONLY 0$/extern int mirra_places_blocks;\n#define JS_ARENA_LARGE_BLOCKS_ONLY mirra_places_blocks/' "$argument"
      grep -q mirra_places_blocks "$argument" || { echo "quickjs.c is not the one that this script knows" >&2; exit 1; }
      ;;
  esac
done
exec "$MIRRA_CLANG" "$@"
