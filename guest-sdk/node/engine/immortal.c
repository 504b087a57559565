/* Reference counts of what lies in an image. `cc.sh` puts this into quickjs.c, as its own functions do not show what they count.
 *
 * Whoever uses an object counts a reference, and that is a write: a call that reads a few thousand objects of its image would pay
 * for every page that they lie on. So what is there when an image is taken is made immortal: its count is so high that it
 * is left alone from then on. Nothing of it could be freed anyway, as the instance is thrown away after the call. */

/* Shapes and names that a call may add without moving all of an image's into a larger table, which would write to each of them. */
#define ROOM_IN_TABLES 512

/* A count that stray references do not lead below IMMORTAL, nor past what an int holds. */
#define IMMORTAL_COUNT 0x60000000

static void make_immortal(void *block)
{
    if (JS_REF_COUNT(block) < IMMORTAL)
        JS_REF_COUNT(block) = IMMORTAL_COUNT;
}

/* Objects are in the list of the cycle collector. Texts and long numbers are not. */
static void make_value_immortal(JSValueConst value)
{
    if (JS_VALUE_HAS_REF_COUNT(value))
        make_immortal(JS_VALUE_GET_PTR(value));
}

static void make_values_immortal(JSGCObjectHeader *header)
{
    switch (JS_GC_TYPE(header)) {
    case JS_GC_OBJ_TYPE_JS_OBJECT: {
        JSObject *object = (JSObject *)header;
        JSShapeProperty *described = get_shape_prop(object->shape);
        for (int i = 0; i < object->shape->prop_count; i++)
            if (described[i].atom != JS_ATOM_NULL && !(described[i].flags & JS_PROP_TMASK))
                make_value_immortal(object->prop[i].u.value);
        if (object->fast_array && (object->class_id == JS_CLASS_ARRAY || object->class_id == JS_CLASS_ARGUMENTS))
            for (uint32_t i = 0; i < object->u.array.count; i++)
                make_value_immortal(object->u.array.u.values[i]);
        break;
    }
    case JS_GC_OBJ_TYPE_FUNCTION_BYTECODE: {
        JSFunctionBytecode *code = (JSFunctionBytecode *)header;
        for (int i = 0; i < code->cpool_count; i++)
            make_value_immortal(code->cpool[i]);
        break;
    }
    case JS_GC_OBJ_TYPE_VAR_REF: {
        JSVarRef *variable = (JSVarRef *)header;
        if (variable->is_detached)
            make_value_immortal(*variable->pvalue);
        break;
    }
    default:
        break;
    }
}

/* All that there is. Writes nothing to what is immortal already: a handler's image differs from its language's by its own objects. */
void mirra_make_immortal(JSRuntime *rt)
{
    struct list_head *el;
    list_for_each(el, &rt->gc_obj_list) {
        JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
        make_immortal(header);
        make_values_immortal(header);
    }
    for (int i = JS_ATOM_NULL + 1; i < rt->atom_size; i++)
        if (!atom_is_free(rt->atom_array[i]))
            make_immortal(rt->atom_array[i]);
    /* Without memory for it, calls are as slow as they would be. */
    while (2 * (rt->shape_hash_count + ROOM_IN_TABLES) > rt->shape_hash_size)
        if (resize_shape_hash(rt, rt->shape_hash_bits + 1))
            break;
    if (rt->atom_count + ROOM_IN_TABLES >= rt->atom_count_resize)
        JS_ResizeAtomHash(rt, rt->atom_hash_size * 2);
}
