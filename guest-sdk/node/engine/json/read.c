/* JSON in the ordinary case, several times as fast as QuickJS's own. `cc.sh` puts this and write.c into quickjs.c, in front of that.
 *
 * Both ways no code of the handler's runs, so nothing that is looked at changes meanwhile; and whatever is not ordinary (an error,
 * a reviver, an indent, `toJSON`, a getter, a proxy, a Date, a cycle, too many levels) is left to QuickJS from the beginning: what
 * is answered here is what it would answer, and what it throws is what it always did. */

/* More levels than data has. QuickJS looks after its stack where there are more. */
#define MIRRA_JSON_DEPTH_MAX 64

/* Of src/number.rs. */
extern double mirra_parse_number(const uint8_t *text, size_t length);

/* Forgets why it was not done, as QuickJS is going to find out again. */
static void mirra_json_forget(JSContext *ctx)
{
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
}

typedef struct {
    JSContext *ctx;
    const uint8_t *at, *end;
    /* The text is a string's own, in Latin-1; else it is UTF-8. */
    bool is_latin1;
    /* Values of objects and arrays that are not complete. */
    JSValue *values;
    uint32_t count, size;
    /* What the last object of each level looked like: the next one is likely to look the same. */
    JSShape *shapes[MIRRA_JSON_DEPTH_MAX];
} MirraJson;

static bool mirra_json_value(MirraJson *s, int depth, JSValue *value);

static bool mirra_json_push(MirraJson *s, JSValue value)
{
    if (unlikely(s->count == s->size)) {
        /* Such a size fits into no memory, and in bytes not into 32 bits. */
        if (s->size >= 1u << 27) {
            JS_FreeValue(s->ctx, value);
            return false;
        }
        uint32_t size = s->size ? s->size * 2 : 64;
        JSValue *values = js_realloc(s->ctx, s->values, size * sizeof(JSValue));
        if (!values) {
            JS_FreeValue(s->ctx, value);
            return false;
        }
        s->values = values;
        s->size = size;
    }
    s->values[s->count++] = value;
    return true;
}

static void mirra_json_drop(MirraJson *s, uint32_t count)
{
    while (s->count > count)
        JS_FreeValue(s->ctx, s->values[--s->count]);
}

/* The text ends with a zero, which is no space. */
static inline uint8_t mirra_json_skip(MirraJson *s)
{
    while (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')
        s->at++;
    return *s->at;
}

/* Where plain text ends: at a quote, an escape, a control character, and, unless `is_wide`, what is not ASCII. */
static inline const uint8_t *mirra_json_plain(const uint8_t *at, const uint8_t *end, bool is_wide)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    while (end - at >= 8) {
        uint64_t text, low, quotes, escapes;
        memcpy(&text, at, 8);
        /* Below 0x80, what was subtracted from is smaller where the uppermost bit is set. */
        low = text & ~tops;
        quotes = low ^ (ones * '"');
        escapes = low ^ (ones * '\\');
        if ((((low - ones * 0x20) | (quotes - ones) | (escapes - ones)) & ~text & tops) || (!is_wide && (text & tops)))
            break;
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at != '"' && *at != '\\' && (is_wide || *at < 0x80))
        at++;
    return at;
}

/* The code unit or point of an escape, behind the backslash; -1 if it is none. */
static int mirra_json_escape(const uint8_t **at)
{
    const uint8_t *p = *at;
    int c = *p++;
    switch (c) {
    case 'b': c = '\b'; break;
    case 'f': c = '\f'; break;
    case 'n': c = '\n'; break;
    case 'r': c = '\r'; break;
    case 't': c = '\t'; break;
    case '"': case '\\': case '/': break;
    case 'u':
        c = 0;
        for (int i = 0; i < 4; i++) {
            int digit = from_hex(*p++);
            if (digit < 0)
                return -1;
            c = c << 4 | digit;
        }
        break;
    default:
        return -1;
    }
    *at = p;
    return c;
}

/* A string that is not plain. */
static no_inline bool mirra_json_other_string(MirraJson *s, JSValue *value)
{
    StringBuffer out;
    const uint8_t *at = s->at, *next;
    if (string_buffer_init(s->ctx, &out, 48))
        return false;
    for (;;) {
        const uint8_t *from = at;
        int c;
        at = mirra_json_plain(at, s->end, s->is_latin1);
        if (string_buffer_write8(&out, from, at - from) || at == s->end)
            break;
        c = *at++;
        if (c == '"') {
            s->at = at;
            *value = string_buffer_end(&out);
            return !JS_IsException(*value);
        }
        if (c == '\\') {
            c = mirra_json_escape(&at);
        } else if (c >= 0x80) {
            c = utf8_decode(at - 1, &next);
            c = next == at ? -1 : c;
            at = next;
        } else {
            break;
        }
        if (c < 0 || string_buffer_putc(&out, c))
            break;
    }
    string_buffer_free(&out);
    return false;
}

/* Short pieces are copied here: for long ones wasm asks its host. Both have so much room. */
static inline void mirra_json_copy(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length > 64) {
        memcpy(to, from, length);
        return;
    }
    for (; length >= 8; length -= 8, to += 8, from += 8)
        memcpy(to, from, 8);
    for (; length > 0; length--) {
        *to++ = *from++;
        /* Else the compiler makes one copy of the loop, which is the host's again. */
        __asm__ volatile("");
    }
}

static JSValue mirra_json_new_string(JSContext *ctx, const uint8_t *text, size_t length)
{
    JSString *p;
    if (length == 0)
        return js_empty_string(ctx->rt);
    p = js_alloc_string(ctx, length, 0);
    if (!p)
        return JS_EXCEPTION;
    mirra_json_copy((uint8_t *)&p[1], text, length);
    ((uint8_t *)&p[1])[length] = 0;
    return JS_MKPTR(JS_TAG_STRING, p);
}

/* After the quote. */
static bool mirra_json_string(MirraJson *s, JSValue *value)
{
    const uint8_t *end = mirra_json_plain(s->at, s->end, s->is_latin1);
    if (unlikely(*end != '"'))
        return mirra_json_other_string(s, value);
    *value = mirra_json_new_string(s->ctx, s->at, end - s->at);
    s->at = end + 1;
    return !JS_IsException(*value);
}

static bool mirra_json_number(MirraJson *s, JSValue *value)
{
    const uint8_t *start = s->at, *at = start + (*start == '-');
    uint64_t digits = 0;
    if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1])))
        return false;
    while (is_digit(*at) && at - start < 18)
        digits = digits * 10 + (*at++ - '0');
    s->at = at;
    if (*at != '.' && *at != 'e' && *at != 'E' && !is_digit(*at)) {
        int64_t number = *start == '-' ? -(int64_t)digits : (int64_t)digits;
        if (digits == 0 && *start == '-')
            *value = js_float64(-0.0);
        else
            *value = js_int64(number);
        return true;
    }
    while (is_digit(*at))
        at++;
    if (*at == '.') {
        if (!is_digit(*++at))
            return false;
        while (is_digit(*at))
            at++;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '+' || *at == '-')
            at++;
        if (!is_digit(*at))
            return false;
        while (is_digit(*at))
            at++;
    }
    s->at = at;
    *value = js_float64(mirra_parse_number(start, at - start));
    return true;
}

static bool mirra_json_word(MirraJson *s, const char *word, size_t length, JSValue *value, JSValue meaning)
{
    if (s->end - s->at < length || memcmp(s->at, word, length))
        return false;
    s->at += length;
    *value = meaning;
    return true;
}

/* After the bracket. */
static bool mirra_json_array(MirraJson *s, int depth, JSValue *value)
{
    JSContext *ctx = s->ctx;
    uint32_t start = s->count, length;
    JSObject *p;
    if (mirra_json_skip(s) == ']') {
        s->at++;
    } else {
        for (;;) {
            JSValue element;
            if (!mirra_json_value(s, depth, &element) || !mirra_json_push(s, element))
                return false;
            uint8_t next = mirra_json_skip(s);
            s->at++;
            if (next == ']')
                break;
            if (next != ',')
                return false;
        }
    }
    length = s->count - start;
    *value = JS_NewArray(ctx);
    if (JS_IsException(*value))
        return false;
    p = JS_VALUE_GET_OBJ(*value);
    if (length > 0) {
        if (expand_fast_array(ctx, p, length) < 0) {
            JS_FreeValue(ctx, *value);
            return false;
        }
        memcpy(p->u.array.u.values, &s->values[start], length * sizeof(JSValue));
        p->u.array.count = length;
        p->prop[0].u.value = js_int32(length);
        s->count = start;
    }
    return true;
}

/* Whether the key is the next one of the shape; then it is behind us. */
static inline bool mirra_json_is_next(MirraJson *s, JSShape *shape, uint32_t index)
{
    JSShapeProperty *property;
    JSAtomStruct *name;
    if (!shape || index >= (uint32_t)shape->prop_count)
        return false;
    property = &get_shape_prop(shape)[index];
    if (property->atom == JS_ATOM_NULL || __JS_AtomIsTaggedInt(property->atom) || property->flags != JS_PROP_C_W_E)
        return false;
    name = s->ctx->rt->atom_array[property->atom];
    if (name->atom_type != JS_ATOM_TYPE_STRING || name->is_wide_char || s->end - s->at <= name->len)
        return false;
    if (s->at[name->len] != '"' || memcmp(s->at, str8(name), name->len))
        return false;
    if (mirra_json_plain(s->at, s->at + name->len, s->is_latin1) != s->at + name->len)
        return false;
    s->at += name->len + 1;
    return true;
}

static JSAtom mirra_json_key(MirraJson *s)
{
    const uint8_t *end = mirra_json_plain(s->at, s->end, false);
    JSAtom atom;
    if (likely(*end == '"' && end != s->at)) {
        atom = JS_NewAtomLen(s->ctx, (const char *)s->at, end - s->at);
        s->at = end + 1;
    } else {
        JSValue name;
        if (!mirra_json_other_string(s, &name))
            return JS_ATOM_NULL;
        atom = JS_ValueToAtom(s->ctx, name);
        JS_FreeValue(s->ctx, name);
    }
    return atom;
}

/* Takes the value. Of two with the same name the last one counts. */
static bool mirra_json_define(JSContext *ctx, JSObject *p, JSAtom atom, JSValue value)
{
    JSProperty *property;
    if (find_own_property(&property, p, atom)) {
        set_value(ctx, &property->u.value, value);
        return true;
    }
    property = add_property(ctx, p, atom, JS_PROP_C_W_E);
    if (!property) {
        JS_FreeValue(ctx, value);
        return false;
    }
    property->u.value = value;
    return true;
}

/* An object that does not look like the last one: first what was read of it, which does, then its other properties, from the quote
   in front of a key on. */
static no_inline bool mirra_json_other_object(MirraJson *s, int depth, uint32_t start, JSValue *value)
{
    JSContext *ctx = s->ctx;
    JSShape *like = s->shapes[depth];
    uint32_t i, known = s->count - start;
    JSObject *p;
    *value = JS_NewObject(ctx);
    if (JS_IsException(*value))
        return false;
    p = JS_VALUE_GET_OBJ(*value);
    for (i = 0; i < known; i++) {
        JSProperty *property = add_property(ctx, p, get_shape_prop(like)[i].atom, JS_PROP_C_W_E);
        if (!property)
            goto fail;
        property->u.value = s->values[start + i];
        s->values[start + i] = JS_UNDEFINED;
    }
    s->count = start;
    for (uint8_t next = *s->at; next != '}'; next = mirra_json_skip(s)) {
        JSValue element;
        bool is_defined;
        if (next != '"')
            goto fail;
        s->at++;
        JSAtom atom = mirra_json_key(s);
        if (atom == JS_ATOM_NULL)
            goto fail;
        is_defined = mirra_json_skip(s) == ':';
        s->at++;
        is_defined = is_defined && mirra_json_value(s, depth, &element) && mirra_json_define(ctx, p, atom, element);
        JS_FreeAtom(ctx, atom);
        if (!is_defined)
            goto fail;
        next = mirra_json_skip(s);
        if (next == '}')
            break;
        s->at++;
        if (next != ',' || mirra_json_skip(s) != '"')
            goto fail;
    }
    s->at++;
    js_free_shape_null(ctx->rt, like);
    s->shapes[depth] = p->shape->is_hashed ? js_dup_shape(p->shape) : NULL;
    return true;
fail:
    JS_FreeValue(ctx, *value);
    return false;
}

/* After the brace. */
static bool mirra_json_object(MirraJson *s, int depth, JSValue *value)
{
    JSContext *ctx = s->ctx;
    uint32_t start = s->count;
    uint8_t next = mirra_json_skip(s);
    while (next == '"') {
        JSValue element;
        s->at++;
        if (!mirra_json_is_next(s, s->shapes[depth], s->count - start)) {
            s->at--;
            return mirra_json_other_object(s, depth, start, value);
        }
        next = mirra_json_skip(s);
        s->at++;
        if (next != ':' || !mirra_json_value(s, depth, &element) || !mirra_json_push(s, element))
            return false;
        next = mirra_json_skip(s);
        if (next == '}')
            break;
        s->at++;
        if (next != ',' || (next = mirra_json_skip(s)) != '"')
            return false;
    }
    JSShape *shape = s->shapes[depth];
    if (next != '}' || !shape || s->count - start != (uint32_t)shape->prop_count)
        return mirra_json_other_object(s, depth, start, value);
    s->at++;
    s->count = start;
    *value = JS_NewObjectFromShape(ctx, js_dup_shape(shape), JS_CLASS_OBJECT, (JSProperty *)&s->values[start]);
    return !JS_IsException(*value);
}

/* `depth`: of what the value is in. False: it is left to QuickJS, and what was read is on the stack or gone. */
static bool mirra_json_value(MirraJson *s, int depth, JSValue *value)
{
    uint8_t first = mirra_json_skip(s);
    switch (first) {
    case '"':
        s->at++;
        return mirra_json_string(s, value);
    case '{':
    case '[':
        if (++depth >= MIRRA_JSON_DEPTH_MAX)
            return false;
        s->at++;
        return first == '{' ? mirra_json_object(s, depth, value) : mirra_json_array(s, depth, value);
    case 't':
        return mirra_json_word(s, "true", 4, value, JS_TRUE);
    case 'f':
        return mirra_json_word(s, "false", 5, value, JS_FALSE);
    case 'n':
        return mirra_json_word(s, "null", 4, value, JS_NULL);
    default:
        return mirra_json_number(s, value);
    }
}

/* What the text means, or undefined: it is left to QuickJS. It ends with a zero. */
static JSValue mirra_json_parse(JSContext *ctx, const uint8_t *text, size_t length, bool is_latin1)
{
    MirraJson state = { .ctx = ctx, .at = text, .end = text + length, .is_latin1 = is_latin1 }, *s = &state;
    JSValue value;
    bool is_done = mirra_json_value(s, 0, &value);
    if (is_done && (mirra_json_skip(s) != 0 || s->at != s->end)) {
        JS_FreeValue(ctx, value);
        is_done = false;
    }
    mirra_json_drop(s, 0);
    js_free(ctx, s->values);
    for (int i = 0; i < MIRRA_JSON_DEPTH_MAX; i++)
        js_free_shape_null(ctx->rt, s->shapes[i]);
    if (is_done)
        return value;
    mirra_json_forget(ctx);
    return JS_UNDEFINED;
}

/* The same of a string as it lies in memory, if it is all Latin-1. */
static JSValue mirra_json_parse_string(JSContext *ctx, JSValueConst value)
{
    JSValue text = JS_UNDEFINED, parsed = JS_UNDEFINED;
    JSString *p;
    if (JS_VALUE_GET_TAG(value) == JS_TAG_STRING)
        text = js_dup(value);
    else if (JS_VALUE_GET_TAG(value) == JS_TAG_STRING_ROPE)
        text = js_linearize_string_rope(ctx, value);
    if (JS_IsException(text)) {
        mirra_json_forget(ctx);
        return JS_UNDEFINED;
    }
    if (JS_VALUE_GET_TAG(text) == JS_TAG_STRING) {
        p = JS_VALUE_GET_STRING(text);
        if (p->kind == JS_STRING_KIND_NORMAL && !p->is_wide_char)
            parsed = mirra_json_parse(ctx, str8(p), p->len, true);
    }
    JS_FreeValue(ctx, text);
    return parsed;
}
