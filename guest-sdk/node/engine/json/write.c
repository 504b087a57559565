/* What read.c is for JSON.parse, for JSON.stringify. */

/* Of src/number.rs: answers how many bytes, at most 32. */
extern size_t mirra_print_number(double number, uint8_t *text);

typedef struct {
    JSContext *ctx;
    StringBuffer *out;
    /* What is being written. */
    JSObject *open[MIRRA_JSON_DEPTH_MAX];
} MirraJsonOut;

static bool mirra_json_write(MirraJsonOut *s, int depth, JSValueConst value);

static inline bool mirra_json_put(MirraJsonOut *s, uint8_t c)
{
    StringBuffer *out = s->out;
    if (unlikely(out->len >= out->size || out->is_wide_char))
        return string_buffer_putc8(out, c) == 0;
    ((uint8_t *)&out->str[1])[out->len++] = c;
    return true;
}

static inline bool mirra_json_puts(MirraJsonOut *s, const uint8_t *text, int length)
{
    StringBuffer *out = s->out;
    if (unlikely(length > out->size - out->len || out->is_wide_char))
        return string_buffer_write8(out, text, length) == 0;
    mirra_json_copy((uint8_t *)&out->str[1] + out->len, text, length);
    out->len += length;
    return true;
}

static bool mirra_json_write_string(MirraJsonOut *s, JSString *p)
{
    static const char escapes[] = "uuuuuuuubtnufruu";
    const uint8_t *at, *end;
    if (p->is_wide_char)
        return string_buffer_concat_value_free(s->out, JS_ToQuotedString(s->ctx, JS_MKPTR(JS_TAG_STRING, p))) == 0;
    at = str8(p);
    end = at + p->len;
    if (!mirra_json_put(s, '"'))
        return false;
    while (at < end) {
        const uint8_t *from = at;
        at = mirra_json_plain(at, end, true);
        if (!mirra_json_puts(s, from, at - from))
            return false;
        if (at < end) {
            uint8_t c = *at++, kind = c < 16 ? escapes[c] : c < 32 ? 'u' : c;
            uint8_t escape[6] = { '\\', kind, '0', '0', '0' + (c >> 4), "0123456789abcdef"[c & 15] };
            if (!mirra_json_puts(s, escape, kind == 'u' ? 6 : 2))
                return false;
        }
    }
    return mirra_json_put(s, '"');
}

/* Whether something of that prototype may have a `toJSON`. */
static bool mirra_json_is_special(JSContext *ctx, JSObject *prototype)
{
    for (; prototype; prototype = prototype->shape->proto) {
        if (prototype->class_id == JS_CLASS_PROXY || find_own_property1(prototype, JS_ATOM_toJSON))
            return true;
    }
    return false;
}

static bool mirra_json_write_array(MirraJsonOut *s, int depth, JSObject *p)
{
    /* One with holes is not fast, or longer than what it has. */
    if (!p->fast_array || JS_VALUE_GET_TAG(p->prop[0].u.value) != JS_TAG_INT || JS_VALUE_GET_INT(p->prop[0].u.value) != p->u.array.count)
        return false;
    if (find_own_property1(p, JS_ATOM_toJSON) || !mirra_json_put(s, '['))
        return false;
    for (uint32_t i = 0; i < p->u.array.count; i++) {
        JSValueConst value = p->u.array.u.values[i];
        uint32_t tag = JS_VALUE_GET_TAG(value);
        bool is_nothing = tag == JS_TAG_UNDEFINED || tag == JS_TAG_SYMBOL;
        if ((i > 0 && !mirra_json_put(s, ',')) || !mirra_json_write(s, depth, is_nothing ? JS_NULL : value))
            return false;
    }
    return mirra_json_put(s, ']');
}

/* A property, if it is one that JSON has. */
static bool mirra_json_write_property(MirraJsonOut *s, int depth, JSAtom atom, JSValueConst value, bool *has_content)
{
    uint32_t tag = JS_VALUE_GET_TAG(value);
    char digits[16];
    if (tag == JS_TAG_UNDEFINED || tag == JS_TAG_SYMBOL)
        return true;
    if (*has_content && !mirra_json_put(s, ','))
        return false;
    *has_content = true;
    if (__JS_AtomIsTaggedInt(atom)) {
        size_t length = snprintf(digits, sizeof(digits), "\"%u\"", __JS_AtomToUInt32(atom));
        if (!mirra_json_puts(s, (const uint8_t *)digits, length))
            return false;
    } else if (!mirra_json_write_string(s, s->ctx->rt->atom_array[atom])) {
        return false;
    }
    return mirra_json_put(s, ':') && mirra_json_write(s, depth, value);
}

/* Whether the name is a number that may have to come before others. */
static inline bool mirra_json_is_number(JSContext *ctx, JSAtom atom)
{
    uint32_t number;
    if (__JS_AtomIsTaggedInt(atom))
        return true;
    return is_digit(*str8(ctx->rt->atom_array[atom])) && JS_AtomIsArrayIndex(ctx, &number, atom);
}

/* Names that are numbers come first, in their order. */
static no_inline bool mirra_json_write_sorted(MirraJsonOut *s, int depth, JSObject *p)
{
    JSPropertyEnum *names;
    uint32_t count;
    bool has_content = false, is_written = true;
    /* It counts where it is not listed, too. */
    if (find_own_property1(p, JS_ATOM_toJSON))
        return false;
    if (JS_GetOwnPropertyNamesInternal(s->ctx, &names, &count, p, JS_GPN_ENUM_ONLY | JS_GPN_STRING_MASK))
        return false;
    for (uint32_t i = 0; i < count && is_written; i++) {
        JSProperty *property;
        JSShapeProperty *kind = find_own_property(&property, p, names[i].atom);
        is_written = kind && !(kind->flags & JS_PROP_TMASK)
            && mirra_json_write_property(s, depth, names[i].atom, property->u.value, &has_content);
    }
    js_free_prop_enum(s->ctx, names, count);
    return is_written;
}

static bool mirra_json_write_object(MirraJsonOut *s, int depth, JSObject *p)
{
    JSShape *shape = p->shape;
    bool has_content = false;
    if (!mirra_json_put(s, '{'))
        return false;
    for (int i = 0; i < shape->prop_count; i++) {
        JSShapeProperty *property = &get_shape_prop(shape)[i];
        JSAtom atom = property->atom;
        if (atom == JS_ATOM_NULL)
            continue;
        if (atom == JS_ATOM_toJSON || (property->flags & JS_PROP_TMASK))
            return false;
        if (unlikely(mirra_json_is_number(s->ctx, atom))) {
            /* Nothing was written yet, or it is not ordinary enough. */
            if (has_content)
                return false;
            return mirra_json_write_sorted(s, depth, p) && mirra_json_put(s, '}');
        }
        if (!(property->flags & JS_PROP_ENUMERABLE) || s->ctx->rt->atom_array[atom]->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        if (!mirra_json_write_property(s, depth, atom, p->prop[i].u.value, &has_content))
            return false;
    }
    return mirra_json_put(s, '}');
}

static bool mirra_json_write_number(MirraJsonOut *s, double number)
{
    uint8_t text[32];
    if (!isfinite(number))
        return mirra_json_puts(s, (const uint8_t *)"null", 4);
    return mirra_json_puts(s, text, mirra_print_number(number, text));
}

static bool mirra_json_write_open(MirraJsonOut *s, int depth, JSObject *p)
{
    if (depth >= MIRRA_JSON_DEPTH_MAX || (p->class_id != JS_CLASS_OBJECT && p->class_id != JS_CLASS_ARRAY))
        return false;
    for (int i = 0; i < depth; i++) {
        if (s->open[i] == p)
            return false;
    }
    if ((depth == 0 || p->shape->proto != s->open[depth - 1]->shape->proto) && mirra_json_is_special(s->ctx, p->shape->proto))
        return false;
    s->open[depth] = p;
    return p->class_id == JS_CLASS_ARRAY ? mirra_json_write_array(s, depth + 1, p) : mirra_json_write_object(s, depth + 1, p);
}

/* False: it is left to QuickJS. */
static bool mirra_json_write(MirraJsonOut *s, int depth, JSValueConst value)
{
    char digits[16];
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_STRING:
        return mirra_json_write_string(s, JS_VALUE_GET_STRING(value));
    case JS_TAG_STRING_ROPE: {
        JSValue text = js_linearize_string_rope(s->ctx, value);
        bool is_written = !JS_IsException(text) && mirra_json_write_string(s, JS_VALUE_GET_STRING(text));
        JS_FreeValue(s->ctx, text);
        return is_written;
    }
    case JS_TAG_INT:
        return mirra_json_puts(s, (const uint8_t *)digits, i32toa(digits, JS_VALUE_GET_INT(value)));
    case JS_TAG_FLOAT64:
        return mirra_json_write_number(s, JS_VALUE_GET_FLOAT64(value));
    case JS_TAG_BOOL:
        return JS_VALUE_GET_BOOL(value) ? mirra_json_puts(s, (const uint8_t *)"true", 4) : mirra_json_puts(s, (const uint8_t *)"false", 5);
    case JS_TAG_NULL:
        return mirra_json_puts(s, (const uint8_t *)"null", 4);
    case JS_TAG_OBJECT:
        return mirra_json_write_open(s, depth, JS_VALUE_GET_OBJ(value));
    default:
        return false;
    }
}

/* The text, or undefined: it is left to QuickJS. */
static JSValue mirra_json_stringify(JSContext *ctx, JSValueConst value)
{
    StringBuffer out;
    MirraJsonOut state = { .ctx = ctx, .out = &out };
    /* No more than a small answer needs. */
    if (string_buffer_init(ctx, &out, 120) == 0 && mirra_json_write(&state, 0, value))
        return string_buffer_end(&out);
    string_buffer_free(&out);
    mirra_json_forget(ctx);
    return JS_UNDEFINED;
}
