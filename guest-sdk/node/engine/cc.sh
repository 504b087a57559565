#!/bin/sh
# The C compiler, $MIRRA_CLANG, which sees a few lines of QuickJS changed:
#
# - QuickJS allocates small objects in arenas of its own, by size; sanitizers turn that off when it is compiled. Here it is a
#   variable: off where src/alloc.rs decides where objects lie, on where a call allocates so much that only speed counts.
# - An arena that is empty is given back, and made again for the next block: of each size the last one stays.
# - What is called when a promise settles (what stands after an `await` is called so, too), or when its value turns out to be
#   another promise, goes through src/reactions.rs. The hook that QuickJS has for embedders is not called for it.
# - Functions keep their source for `toString`, those inside others once more. Those of the layer do not (src/realm.rs).
# - References to what lies in an image are not counted (immortal.c): that would write to it.
# - Blocks are asked for by name (src/alloc.rs) and not through a table of functions, whose calls are looked up, checked, and handed on by
#   rquickjs once more; an allocation made two of them, and allocating was an eighth of a cold call.
# - A generator that is resumed by an exception begins the interpreter's loop with an instruction that raises it. It used to jump into the
#   middle of the loop. wasm has no such loops: clang makes one out of two, in which every instruction asks where it was entered.
# - Regular expressions over strings of bytes are matched as regexp.c says.
# - JSON is read and written by json/, where it is ordinary.
set -eu
json=$(cd "$(dirname "$0")/json" && pwd)
for argument do
  case $argument in
    */quickjs.c)
      immortal=$(cd "$(dirname "$0")" && pwd)/immortal.c
      counting='#define IMMORTAL 0x40000000\
static inline void mirra_retain(const void *p) { int *count = \&js_rc(p)->ref_count; if (likely(*count < IMMORTAL)) ++*count; }\
static inline int mirra_release(const void *p) { int *count = \&js_rc(p)->ref_count; return likely(*count < IMMORTAL) ? --*count : *count; }'
      allocator='void *mirra_malloc(size_t), *mirra_calloc(size_t, size_t), *mirra_realloc(void *, size_t);\
void mirra_free(void *);\
size_t mirra_usable_size(const void *);'
      bound='extern JSValue mirra_bound_reaction(JSContext *, JSValueConst)'
      sed -i "
        s/rt->mf\.js_\(malloc\|calloc\|realloc\|free\)(rt->malloc_state\.opaque, */mirra_\1(/
        s/rt->mf\.js_malloc_usable_size(b)/mirra_usable_size(b)/
        s/^static JSValue JS_CallInternal(JSContext \*caller_ctx, .*/static const uint8_t mirra_raise[1] = { OP_invalid };\n&/
        /^            if (s->throw_flag)$/{n; s/goto exception;/{ pc = mirra_raise; __asm__(\"\" : \"+r\"(pc)); goto restart; }/}
        s/^        CASE(OP_invalid):$/&\n            if (pc == mirra_raise + 1) { pc = sf->cur_pc; goto exception; }/
        /^static size_t js_malloc_usable_size_unknown(/i $allocator
        s/^#define JS_ARENA_LARGE_BLOCKS_ONLY 0$/extern int mirra_places_blocks;\\n#define JS_ARENA_LARGE_BLOCKS_ONLY mirra_places_blocks/
        s/^        if (unlikely(ar->n_used_blocks == 0)) {$/        if (unlikely(ar->n_used_blocks == 0) \&\& ar->free_link.next != ar->free_link.prev) {/
        s/^        rd->handler = js_dup(handler);$/        $bound; rd->handler = mirra_bound_reaction(ctx, handler);/
        s/^        args\[1\] = resolution;$/&\\n        $bound; JSValue own = then; then = mirra_bound_reaction(ctx, own); JS_FreeValue(ctx, own);/
        s/^    b->source = fd->source;$/    extern int mirra_drops_source; if (mirra_drops_source) { js_free(ctx, fd->source); fd->source = NULL; fd->source_len = 0; }\\n&/
        /^static JSValue JS_ParseJSON_internal(/i #include \"$json/read.c\"\n#include \"$json/write.c\"\n
        s/^    js_parse_init(ctx, s, buf, buf_len, filename, 1);$/    if (!pr \&\& !JS_IsUndefined(val = mirra_json_parse(ctx, (const uint8_t *)buf, buf_len, false))) return val;\n&/
        s/^    str = JS_ToCStringLen(ctx, \&len, argv\[0\]);\$/    if (!(argc > 1 \&\& JS_IsFunction(ctx, argv[1])) \&\& !JS_IsUndefined(obj = mirra_json_parse_string(ctx, argv[0]))) return obj;\n&/
        s/^    jsc->replacer_func = JS_UNDEFINED;$/    if (!JS_IsObject(replacer) \&\& JS_IsUndefined(space0) \&\& !JS_IsUndefined(ret = mirra_json_stringify(ctx, obj))) return ret;\n&/
        s/--JS_REF_COUNT(\([^()]*\))/mirra_release(\1)/g
        s/JS_REF_COUNT(\([^()]*\))--/mirra_release(\1)/g
        s/JS_REF_COUNT(\([^()]*\))++/mirra_retain(\1)/g
        s|^#define JS_REF_COUNT(p) .*|&\n$counting|
        s|^bool JS_IsLiveObject(.*|#include \"$immortal\"\n&|
      " "$argument"
      for change in 3:mirra_raise 3:mirra_malloc 2:mirra_calloc 4:mirra_free 2:mirra_realloc 2:mirra_usable_size \
        2:mirra_places_blocks 1:free_link.next 2:mirra_bound_reaction 1:mirra_drops_source 2:mirra_json_parse 1:mirra_json_stringify \
        10:mirra_release 20:mirra_retain 1:immortal.c; do
        test "$(grep -c "${change#*:}" "$argument")" = "${change%%:*}" || { echo "quickjs.c is not the one that this script knows" >&2; exit 1; }
      done
      ;;
    */libregexp.c)
      regexp=$(cd "$(dirname "$0")" && pwd)/regexp.c
      sed -i "
        s/^static intptr_t lre_exec_backtrack(REExecContext \*s, /static inline __attribute__((always_inline)) intptr_t lre_exec_backtrack(REExecContext *s, int cbuf_type, /
        /^static inline __attribute__((always_inline)) intptr_t lre_exec_backtrack(/,/^}/{
          /^    int cbuf_type;$/d
          /^    cbuf_type = s->cbuf_type;$/d
        }
        s|^int lre_exec(uint8_t \*\*capture,$|#include \"$regexp\"\n&|
        s/^    ret = lre_exec_backtrack(s, \(.*\));$/    ret = s->cbuf_type ? lre_exec_backtrack(s, s->cbuf_type, \1) : mirra_exec_bytes(s, \1);/
      " "$argument"
      for change in 1:"int cbuf_type, uint8_t" 0:"    cbuf_type = s->cbuf_type" 1:engine/regexp.c 1:mirra_exec_bytes; do
        test "$(grep -c "${change#*:}" "$argument")" = "${change%%:*}" || { echo "libregexp.c is not the one that this script knows" >&2; exit 1; }
      done
      ;;
  esac
done
exec "$MIRRA_CLANG" "$@"
