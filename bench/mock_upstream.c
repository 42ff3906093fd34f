/* Mock OpenAI-compatible upstream: one thread, epoll, keep-alive, no allocation a request.
 *
 * build: gcc -O2 -Wall -Wextra -o mock_upstream mock_upstream.c
 * run:   ./mock_upstream PORT          (PORT 0: a free one; the port is printed on the first line)
 *
 * POST .../chat/completions     -> a fixed JSON chat.completion with usage; or, when the body says
 *                                  "stream":true, SSE: role frame, N content frames (each its own
 *                                  HTTP chunk and its own send), finish, usage, [DONE].
 *                                  Content frame k leaves k*DELAY after the request came.
 * GET  /_ctl?chunks=N&delay=MS&usage=0|1  -> N, DELAY and whether usage is told, from now on
 *                                            (100, 0 and 1)
 * GET  /_stats                  -> {"requests":..,"streams":..,"frames":..,"connections":..}
 * GET  anything else            -> a small 200 JSON that reads as a model list (routers probe it)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_BYTES 65536

typedef struct conn {
    int fd, streaming, frame, total, want_out, queued;
    size_t in_len;
    char *in;
    int64_t next_ns, delay_ns;
    const char *out;
    size_t out_len;
    struct conn *after, *before; /* the queue of streams, by the time of their next frame */
} conn;

typedef struct { char bytes[4096]; size_t len; } packet;

static int ep, chunks_now = 100, usage_now = 1;
static int64_t delay_now_ns;
static unsigned long n_requests, n_streams, n_frames, n_connections;
static conn queue;
static packet plain, plain_without_usage, head, token, finish, usage, done, models, stats;

static const char ANSWER[] =
    "{\"id\":\"chatcmpl-mock00000000000000000000000001\",\"object\":\"chat.completion\","
    "\"created\":1700000000,\"model\":\"mock-model\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"M0CK-OK The quick brown fox jumps over the lazy dog, "
    "and this sentence goes on for a while so that the answer has about the size that a short "
    "real answer has.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":32,"
    "\"total_tokens\":51,\"prompt_tokens_details\":{\"cached_tokens\":0},"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0}},\"service_tier\":\"default\","
    "\"system_fingerprint\":\"fp_mock\"}";

static const char MODELS[] =
    "{\"object\":\"list\",\"status\":\"ok\",\"model_path\":\"mock-model\","
    "\"served_model_name\":\"mock-model\",\"is_generation\":true,\"data\":[{\"id\":\"mock-model\","
    "\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"mock\",\"root\":\"mock-model\","
    "\"max_model_len\":32768}]}";

#define EVENT \
    "data: {\"id\":\"chatcmpl-mock00000000000000000000000001\"," \
    "\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock-model\"," \
    "\"system_fingerprint\":\"fp_mock\",\"choices\":["

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void set_json(packet *p, const char *json, const char *headers) {
    p->len = sprintf(p->bytes,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     headers, strlen(json), json);
}

static void set_chunk(packet *p, const char *before, const char *event, const char *after) {
    p->len = sprintf(p->bytes, "%s%zx\r\n%s\r\n%s", before, strlen(event), event, after);
}

static void set_usage(void) {
    char event[1024];
    sprintf(event, EVENT "],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":%d,"
                         "\"total_tokens\":%d}}\n\n", chunks_now, chunks_now + 19);
    set_chunk(&usage, "", event, "");
}

static void prepare(void) {
    set_json(&plain, ANSWER, "x-request-id: req_mock\r\n");
    char *cut = strdup(ANSWER), *from = strstr(cut, "\"usage\""), *to = strstr(cut, "\"service");
    memmove(from, to, strlen(to) + 1);
    set_json(&plain_without_usage, cut, "x-request-id: req_mock\r\n");
    free(cut);
    set_json(&models, MODELS, "");
    set_chunk(&head,
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
              "Cache-Control: no-cache\r\nx-request-id: req_mock\r\n"
              "Transfer-Encoding: chunked\r\n\r\n",
              EVENT "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                    "\"logprobs\":null,\"finish_reason\":null}]}\n\n", "");
    set_chunk(&token, "", EVENT "{\"index\":0,\"delta\":{\"content\":\"t0k \"},"
                                "\"logprobs\":null,\"finish_reason\":null}]}\n\n", "");
    set_chunk(&finish, "", EVENT "{\"index\":0,\"delta\":{},\"logprobs\":null,"
                                 "\"finish_reason\":\"stop\"}]}\n\n", "");
    set_chunk(&done, "", "data: [DONE]\n\n", "0\r\n\r\n");
    set_usage();
}

static void unqueue(conn *c) {
    if (!c->queued) return;
    c->before->after = c->after;
    c->after->before = c->before;
    c->queued = 0;
}

static void enqueue(conn *c) { /* from the tail: one step while all delays are equal */
    conn *p = queue.before;
    while (p != &queue && p->next_ns > c->next_ns) p = p->before;
    c->before = p;
    c->after = p->after;
    p->after->before = c;
    p->after = c;
    c->queued = 1;
}

static void drop(conn *c) {
    unqueue(c);
    close(c->fd);
    free(c->in);
    free(c);
}

static void watch(conn *c, uint32_t what) {
    struct epoll_event e = {.events = what, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static int put(conn *c, const packet *p) { /* 0 all sent, 1 the rest waits, -1 dead */
    ssize_t sent = send(c->fd, p->bytes, p->len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return -1;
    if (sent < 0) sent = 0;
    if ((size_t)sent == p->len) return 0;
    c->out = p->bytes + sent;
    c->out_len = p->len - sent;
    c->want_out = 1;
    watch(c, EPOLLIN | EPOLLOUT);
    return 1;
}

static int answer_all(conn *c);

static int next_frame(conn *c, int64_t now) { /* -1 dead */
    int i = c->frame++;
    if (i == c->total + 1 && !usage_now) i = c->frame++; /* one frame fewer */
    n_frames++;
    if (i >= c->total + 2) {
        c->streaming = 0;
        int r = put(c, &done);
        return r == 0 ? answer_all(c) : r < 0 ? -1 : 0;
    }
    int r = put(c, i < c->total ? &token : i == c->total ? &finish : &usage);
    if (r < 0) return -1;
    if (c->frame < c->total) c->next_ns += c->delay_ns;
    else if (!c->delay_ns) c->next_ns = now;
    if (r == 0) enqueue(c);
    return 0;
}

static int start_stream(conn *c) {
    n_streams++;
    c->streaming = 1;
    c->frame = 0;
    c->total = chunks_now;
    c->delay_ns = delay_now_ns;
    c->next_ns = now_ns();
    int r = put(c, &head);
    if (r == 0) enqueue(c);
    return r;
}

static void control(const char *line) {
    const char *q = strstr(line, "chunks=");
    if (q) chunks_now = atoi(q + 7);
    q = strstr(line, "delay=");
    if (q) delay_now_ns = (int64_t)(atof(q + 6) * 1e6);
    q = strstr(line, "usage=");
    if (q) usage_now = atoi(q + 6);
    set_usage();
}

static int answer(conn *c, const char *body, size_t body_len) { /* as put() */
    n_requests++;
    char *line_end = strstr(c->in, "\r\n");
    *line_end = 0;
    int chat = strstr(c->in, "chat/completions") != NULL;
    int ctl = strstr(c->in, "/_ctl") != NULL, stat = strstr(c->in, "/_stats") != NULL;
    if (ctl) control(c->in);
    *line_end = '\r';
    if (stat) {
        char json[256];
        sprintf(json, "{\"requests\":%lu,\"streams\":%lu,\"frames\":%lu,\"connections\":%lu}",
                n_requests, n_streams, n_frames, n_connections);
        set_json(&stats, json, "");
        return put(c, &stats);
    }
    if (!chat || memcmp(c->in, "POST", 4)) return put(c, &models);
    if (memmem(body, body_len, "\"stream\":true", 13) ||
        memmem(body, body_len, "\"stream\": true", 14))
        return start_stream(c);
    return put(c, usage_now ? &plain : &plain_without_usage);
}

static int answer_all(conn *c) { /* every whole request in c->in; -1 dead */
    while (c->in_len && !c->streaming && !c->want_out) {
        c->in[c->in_len] = 0;
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end) return 0;
        size_t head_len = end - c->in + 4, total = head_len;
        *end = 0;
        char *length = strcasestr(c->in, "\r\ncontent-length:");
        int chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked") != NULL;
        *end = '\r';
        if (chunked) {
            char *last = strstr(c->in + head_len, "0\r\n\r\n");
            if (!last) return 0;
            total = last - c->in + 5;
        } else if (length) {
            total += strtoul(length + 17, NULL, 10);
        }
        if (total > IN_BYTES) return -1;
        if (c->in_len < total) return 0;
        if (answer(c, c->in + head_len, total - head_len) < 0) return -1;
        c->in_len -= total;
        memmove(c->in, c->in + total, c->in_len);
    }
    return 0;
}

static void accept_all(int listener) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->in = malloc(IN_BYTES + 1);
        n_connections++;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}

static int flush_out(conn *c) { /* -1 dead */
    ssize_t sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    c->out += sent;
    c->out_len -= sent;
    if (c->out_len) return 0;
    c->want_out = 0;
    watch(c, EPOLLIN);
    if (!c->streaming) return answer_all(c);
    enqueue(c);
    return 0;
}

static int read_in(conn *c) { /* -1 dead */
    if (c->in_len >= IN_BYTES) return -1;
    ssize_t got = recv(c->fd, c->in + c->in_len, IN_BYTES - c->in_len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return -1;
    if (got < 0) return 0;
    c->in_len += got;
    return answer_all(c);
}

static void send_due_frames(void) { /* at most one frame a stream */
    int64_t now = now_ns();
    conn *c = queue.after, *last = queue.before;
    while (c != &queue && c->next_ns <= now) {
        conn *after = c->after;
        int stop = c == last;
        unqueue(c);
        if (next_frame(c, now) < 0) drop(c);
        if (stop) break;
        c = after;
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    if (bind(listener, (void *)&a, n) || listen(listener, 4096)) return -1;
    getsockname(listener, (void *)&a, &n);
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1); /* the default slack of 50 us would be added to every frame */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prepare();
    queue.after = queue.before = &queue;
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 9100);
    if (listener < 0) return perror("bind or listen"), 1;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, events[512];
    ep = epoll_create1(0);
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        struct timespec wait = {0, 0}, *timeout = NULL;
        if (queue.after != &queue) {
            int64_t left = queue.after->next_ns - now_ns();
            if (left > 0) wait = (struct timespec){left / 1000000000, left % 1000000000};
            timeout = &wait;
        }
        int n = epoll_pwait2(ep, events, 512, timeout, NULL);
        for (int i = 0; i < n; i++) {
            conn *c = events[i].data.ptr;
            if (!c) { accept_all(listener); continue; }
            if ((events[i].events & EPOLLOUT) && c->want_out && flush_out(c) < 0) {
                drop(c);
                continue;
            }
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && read_in(c) < 0) drop(c);
        }
        if (queue.after != &queue) send_due_frames();
    }
}
