/* Reads one HTTP/1.1 answer at a time off a byte stream, and counts texts in it. For loadgen.c. */
#ifndef ANSWER_H
#define ANSWER_H
#include <stdlib.h>
#include <string.h>

/* Counts a text that does not overlap itself, also where reads cut it in two. */
typedef struct { const char *text; int len, at; long hits; } matcher;

enum answer_event { MORE, BODY, END, TOO_LONG };
enum answer_state { HEAD, BY_LENGTH, CHUNKED, TO_CLOSE, WHOLE };
enum chunk_state { SIZE, SIZE_REST, DATA, DATA_END, TRAILER };

typedef struct {
    enum answer_state state;
    enum chunk_state chunk;
    int status, close_after, head_len;
    long left;
    char head[16384];
} answer;

static void expect_text(matcher *m, const char *text) {
    *m = (matcher){.text = text, .len = strlen(text)};
}

static void match(matcher *m, const char *b, long n) {
    const char *end = b + n;
    while (b < end) {
        if (!m->at && !(b = memchr(b, m->text[0], end - b))) return;
        if (*b == m->text[m->at]) {
            b++;
            if (++m->at == m->len) { m->hits++; m->at = 0; }
        } else if (m->at) {
            m->at = 0;
        } else {
            b++;
        }
    }
}

static void expect_answer(answer *a) {
    a->state = HEAD;
    a->status = a->close_after = a->head_len = 0;
    a->head[0] = 0;
}

static int hex(char ch) {
    return ch >= '0' && ch <= '9' ? ch - '0'
         : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
         : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static long read_head(answer *a, const char *b, long n) { /* bytes used; -1: too long */
    int old = a->head_len;
    long room = (long)sizeof a->head - 1 - old, k = n < room ? n : room;
    if (k <= 0) return -1;
    memcpy(a->head + old, b, k);
    a->head_len += k;
    a->head[a->head_len] = 0;
    char *end = strstr(a->head, "\r\n\r\n"), *length;
    if (!end) return k;
    end[2] = 0;
    k = end + 4 - a->head - old;
    a->status = atoi(a->head + 9);
    a->close_after = strcasestr(a->head, "\r\nconnection: close") != NULL;
    a->left = 0;
    if (a->status == 100) {
        a->head_len = 0;
    } else if (strcasestr(a->head, "\r\ntransfer-encoding: chunked")) {
        a->state = CHUNKED;
        a->chunk = SIZE;
    } else if ((length = strcasestr(a->head, "\r\ncontent-length:"))) {
        a->left = atol(length + 17);
        a->state = a->left ? BY_LENGTH : WHOLE;
    } else {
        a->state = TO_CLOSE;
        a->close_after = 1;
    }
    return k;
}

static void read_chunk_line(answer *a, char ch) { /* everything of the coding but the data */
    if (a->chunk == SIZE && hex(ch) >= 0) {
        a->left = a->left * 16 + hex(ch);
        return;
    }
    if (a->chunk == SIZE) a->chunk = SIZE_REST;
    if (ch != '\n') {
        if (a->chunk == TRAILER && ch != '\r') a->left++;
    } else if (a->chunk == DATA_END) {
        a->chunk = SIZE;
    } else if (a->chunk == SIZE_REST) {
        a->chunk = a->left ? DATA : TRAILER;
    } else if (a->left) { /* the end of a trailer line */
        a->left = 0;
    } else {
        a->state = WHOLE;
    }
}

/* Take from *b, *n until something is to be told: BODY (a piece of it), END (the whole answer has
 * come), TOO_LONG (its head), or MORE when all bytes are used. */
static enum answer_event next_event(answer *a, const char **b, long *n, const char **piece,
                                    long *piece_len) {
    while (a->state != WHOLE) {
        if (*n <= 0) return MORE;
        long k = *n;
        int data = a->state == TO_CLOSE || a->state == BY_LENGTH ||
                   (a->state == CHUNKED && a->chunk == DATA);
        if (a->state == HEAD) {
            if ((k = read_head(a, *b, k)) < 0) return TOO_LONG;
        } else if (!data) {
            read_chunk_line(a, **b);
            k = 1;
        } else if (a->state != TO_CLOSE) {
            if (k > a->left) k = a->left;
            a->left -= k;
            if (!a->left && a->state == BY_LENGTH) a->state = WHOLE;
            if (!a->left && a->state == CHUNKED) a->chunk = DATA_END;
        }
        *piece = *b;
        *piece_len = k;
        *b += k;
        *n -= k;
        if (data) return BODY;
    }
    return END;
}
#endif
