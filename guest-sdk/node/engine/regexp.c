/* Regular expressions over strings of bytes, as nearly all strings are. Part of libregexp.c (cc.sh).

   libregexp asks of every character how wide it is, and looks for a match by bytecode of its own in front of the expression's: each
   place is a state that is saved, restored, and left by two jumps. Here, the width is known where the matcher is compiled, which
   therefore is there twice, and a loop in C goes from place to place, past those at which the expression's first instruction
   fails. */

/* What lre_compile puts in front of expressions that are not sticky: split, any, goto. */
#define MIRRA_SEARCH_LEN (5 + 1 + 5)

/* The first place from `p` on where the instruction at `pc` does not fail; NULL if there is none. */
static const uint8_t *mirra_candidate(const REExecContext *s, const uint8_t *pc, const uint8_t *p)
{
    const uint8_t *end = s->cbuf_end;
    switch (*pc) {
    case REOP_line_start:
        return p == s->cbuf ? p : NULL;
    case REOP_char:
        for (uint32_t c = get_u16(pc + 1); p < end; p++)
            if (*p == c)
                return p;
        return NULL;
    case REOP_range:
        /* Ranges stand in order, and most that begin an expression are one or two. */
        for (int n = get_u16(pc + 1); p < end; p++)
            for (int i = 0; i < n && *p >= get_u16(pc + 3 + 4 * i); i++)
                if (*p <= get_u16(pc + 5 + 4 * i))
                    return p;
        return NULL;
    default:
        return p;
    }
}

static intptr_t mirra_exec_bytes(REExecContext *s, uint8_t **capture, const uint8_t *pc, const uint8_t *cptr)
{
    const bool is_sticky = *pc != REOP_split_goto_first;
    const uint8_t *first = pc += is_sticky ? 0 : MIRRA_SEARCH_LEN;
    while (*first == REOP_save_start)
        first += 2;
    for (;; cptr++) {
        intptr_t ret;
        if (!is_sticky && !(cptr = mirra_candidate(s, first, cptr)))
            return 0;
        ret = lre_exec_backtrack(s, 0, capture, pc, cptr);
        if (ret != 0 || is_sticky || cptr == s->cbuf_end)
            return ret;
        /* What was captured before the first choice is not undone. */
        for (int i = 0; i < s->capture_count * 2; i++)
            capture[i] = NULL;
        if (lre_poll_timeout(s))
            return LRE_RET_TIMEOUT;
    }
}

