#!/bin/sh
# The C compiler, $MIRRA_CLANG, which sees three lines of QuickJS changed. QuickJS allocates small objects in arenas of its own, by
# size; sanitizers turn that off when it is compiled. Here it is a variable: off where src/alloc.rs decides where objects lie,
# on where a call allocates so much that only speed counts. And what is called when a promise settles (what stands after an
# `await` is called so, too), or when its value turns out to be another promise, goes through src/reactions.rs: the hook that
# QuickJS has for embedders is not called for it.
set -eu
for argument do
  case $argument in
    */quickjs.c)
      sed -i 's/^#define JS_ARENA_LARGE_BLOCKS_ONLY 0$/extern int mirra_places_blocks;\n#define JS_ARENA_LARGE_BLOCKS_ONLY mirra_places_blocks/' "$argument"
      bound='extern JSValue mirra_bound_reaction(JSContext *, JSValueConst);'
      sed -i "s/^        rd->handler = js_dup(handler);$/        $bound rd->handler = mirra_bound_reaction(ctx, handler);/" "$argument"
      sed -i "s/^        args\[1\] = resolution;$/&\n        $bound JSValue own = then; then = mirra_bound_reaction(ctx, own); JS_FreeValue(ctx, own);/" "$argument"
      test "$(grep -c mirra_places_blocks "$argument")" = 2 && test "$(grep -c mirra_bound_reaction "$argument")" = 2 || { echo "quickjs.c is not the one that this script knows" >&2; exit 1; }
      ;;
  esac
done
exec "$MIRRA_CLANG" "$@"
