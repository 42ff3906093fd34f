/* HTTP load generator for LLM gateways: one thread, epoll, keep-alive, every answer checked.
 *
 * build: gcc -O2 -Wall -Wextra -o loadgen loadgen.c
 * run:   ./loadgen -p PORT [-u PATH] [-m MODEL] [-c CONNECTIONS] [-d SECONDS] [-r RATE] [-s] ...
 *
 *   -r RATE  open loop: request k is due at (k + jitter)/RATE seconds whatever became of those
 *            before it, and its latency counts from that moment, not from the moment it was sent.
 *            The jitter, uniform in [0,1) with a fixed seed, keeps streams from ticking in step.
 *            A due request takes an idle connection or opens one, -c at most; then it waits.
 *            Without -r: closed loop, each connection sends again as soon as it is answered.
 *   -S MS    closed loop: the first requests are spread over this time
 *   -d S     no request starts after this; those under way may end for -q seconds more (5)
 *   -N N     no more than N requests
 *   -s       streaming; -n CHUNKS expected in each stream (100)
 *   -L       lenient: usage and [DONE] are not required
 *   -H 'Name: value'   a header, repeatable
 *
 * A good answer is status 200 with the mock's marker and usage, or exactly CHUNKS content frames,
 * usage and one [DONE]. Requests that were due and never finished (`unfinished`, `unsent`) count
 * in the percentiles with the time they had waited, a lower bound. `late_p99` is this program's own
 * delay in sending a request for which a connection was free. Prints one JSON line, times in ms.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

typedef struct { int64_t *ns; long n; } samples;

typedef struct {
    int fd, busy, answered;
    int64_t due, start_at; /* when the request was due; closed loop: when the next one starts */
    answer answer;
    matcher token, done, usage, marker;
} conn;

static int port, max_conns = 1, streaming, expected = 100, lenient, ep, n_headers, request_len;
static double seconds = 5, rate, stagger_ms, drain_s = 5;
static long max_requests = INT64_MAX;
static const char *path = "/v1/chat/completions", *model = "mock-model", *headers[32];
static char request[65536], first_bad[400];
static conn *conns;
static int *idle, n_idle, open_now, open_max;
static long sent, ok, bad_status, bad_body, broken, connect_errors, reconnects, chunks, waited;
static samples latency, ttft, late;
static uint64_t seed = 20261121;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double uniform(void) { /* xorshift64* */
    seed ^= seed >> 12; seed ^= seed << 25; seed ^= seed >> 27;
    return (double)((seed * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

static void keep(samples *s, int64_t ns) {
    if ((s->n & (s->n - 1)) == 0) s->ns = realloc(s->ns, (s->n ? 2 * s->n : 1) * sizeof *s->ns);
    s->ns[s->n++] = ns;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double quantile_ms(const samples *s, double q) {
    return s->n ? s->ns[(long)((s->n - 1) * q)] / 1e6 : -1;
}

static void note_bad(const conn *c, const char *what) {
    if (first_bad[0]) return;
    snprintf(first_bad, sizeof first_bad, "%s: status %d tokens %ld done %ld usage %ld: %.200s",
             what, c->answer.status, c->token.hits, c->done.hits, c->usage.hits, c->answer.head);
    for (char *p = first_bad; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < 32) *p = ' ';
}

static void hang_up(conn *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static int connect_to(conn *c) {
    int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->answered = 0;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (void *)&a, sizeof a)) { connect_errors++; hang_up(c); return 0; }
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    return 1;
}

static void free_conn(conn *c) {
    c->busy = 0;
    open_now--;
    idle[n_idle++] = c - conns;
}

static int start(conn *c, int64_t due) { /* 0: no connection could be made */
    c->due = due;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (c->fd < 0 && !connect_to(c)) return 0;
        expect_text(&c->token, "t0k");
        expect_text(&c->done, "[DONE]");
        expect_text(&c->usage, "total_tokens");
        expect_text(&c->marker, "M0CK-OK");
        expect_answer(&c->answer);
        if (send(c->fd, request, request_len, MSG_NOSIGNAL) == request_len) {
            sent++;
            c->busy = 1;
            if (++open_now > open_max) open_max = open_now;
            return 1;
        }
        hang_up(c);
        reconnects++;
    }
    c->busy = 0;
    return 0;
}

static void answered(conn *c) {
    int64_t now = now_ns();
    int whole = streaming ? c->token.hits == expected && (lenient || c->done.hits == 1)
                          : c->marker.hits == 1;
    int good = whole && (lenient || c->usage.hits >= 1);
    if (c->answer.status != 200) bad_status++;
    else if (good) ok++;
    else bad_body++;
    if (!good || c->answer.status != 200) note_bad(c, "bad answer");
    keep(&latency, now - c->due);
    c->answered++;
    c->start_at = now;
    if (c->answer.close_after) { hang_up(c); reconnects++; }
    free_conn(c);
}

static void body(conn *c, const char *b, long n) {
    long before = c->token.hits;
    if (streaming) match(&c->token, b, n);
    else match(&c->marker, b, n);
    match(&c->done, b, n);
    if (!streaming || c->token.hits >= expected) match(&c->usage, b, n);
    chunks += c->token.hits - before;
    if (!before && c->token.hits) keep(&ttft, now_ns() - c->due);
}

static void feed(conn *c, const char *b, long n) {
    const char *piece;
    long piece_len;
    while (c->busy) {
        switch (next_event(&c->answer, &b, &n, &piece, &piece_len)) {
            case MORE: return;
            case BODY: body(c, piece, piece_len); break;
            case TOO_LONG: c->answer.close_after = 1; /* fall through */
            case END: answered(c);
        }
    }
}

static void closed_by_peer(conn *c) {
    hang_up(c);
    if (!c->busy) { reconnects++; return; }
    if (c->answer.state == TO_CLOSE) { answered(c); return; }
    if (c->answer.state == HEAD && !c->answer.head_len && c->answered) { /* it had been closing while idle */
        reconnects++;
        sent--;
        open_now--;
        if (start(c, c->due)) return;
        open_now++;
    }
    broken++;
    note_bad(c, "closed early");
    keep(&latency, now_ns() - c->due);
    c->start_at = now_ns();
    free_conn(c);
}

static int options(int argc, char **argv) {
    int o;
    while ((o = getopt(argc, argv, "p:u:m:c:d:r:S:N:q:sn:LH:")) > 0) switch (o) {
        case 'p': port = atoi(optarg); break;
        case 'u': path = optarg; break;
        case 'm': model = optarg; break;
        case 'c': max_conns = atoi(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'S': stagger_ms = atof(optarg); break;
        case 'N': max_requests = atol(optarg); break;
        case 'q': drain_s = atof(optarg); break;
        case 's': streaming = 1; break;
        case 'n': expected = atoi(optarg); break;
        case 'L': lenient = 1; break;
        case 'H': if (n_headers < 32) headers[n_headers++] = optarg; break;
        default: return 0;
    }
    return port > 0 && max_conns > 0;
}

static void build_request(void) {
    char json[4096];
    int n = snprintf(json, sizeof json,
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
        "assistant.\"},{\"role\":\"user\",\"content\":\"Say something about the quick brown fox, "
        "please, in one sentence.\"}],\"temperature\":0.7,\"max_tokens\":256%s}", model,
        streaming ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "");
    request_len = sprintf(request, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Content-Type: application/json\r\nAccept: */*\r\nContent-Length: %d\r\n", path, port, n);
    for (int i = 0; i < n_headers; i++)
        request_len += snprintf(request + request_len, 2048, "%s\r\n", headers[i]);
    request_len += sprintf(request + request_len, "\r\n%s", json);
}

static void poll_answers(int64_t until) {
    static char buffer[262144];
    struct epoll_event events[512];
    int64_t left = until - now_ns();
    if (left < 0) left = 0;
    struct timespec wait = {left / 1000000000, left % 1000000000};
    int n = epoll_pwait2(ep, events, 512, &wait, NULL);
    for (int i = 0; i < n; i++) {
        conn *c = events[i].data.ptr;
        if (c->fd < 0) continue;
        ssize_t got = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) closed_by_peer(c);
        else feed(c, buffer, got);
    }
}

static int64_t due_of(long k, int64_t t0) { return t0 + (int64_t)((k + uniform()) / rate * 1e9); }

static long run_open(int64_t t0, int64_t end) { /* -> requests due and never sent */
    long k = 0;
    int blocked = 0;
    int64_t due = due_of(0, t0), give_up = end + (int64_t)(drain_s * 1e9);
    for (;;) {
        int64_t now = now_ns();
        while (k < max_requests && due < end && due <= now && n_idle && now < give_up) {
            if (!start(&conns[idle[n_idle - 1]], due)) break;
            n_idle--;
            if (blocked) waited++;
            else keep(&late, now_ns() - due);
            due = due_of(++k, t0);
            blocked = 0;
        }
        int more = k < max_requests && due < end;
        if (more && due <= now && !n_idle) blocked = 1;
        if (now >= give_up || (!more && !open_now)) break;
        poll_answers(more && n_idle && due > now ? due : blocked || !more ? give_up : now + 1000000);
    }
    long unsent = 0;
    for (; k < max_requests && due < end; due = due_of(++k, t0), unsent++) {
        keep(&latency, now_ns() - due);
        if (streaming) keep(&ttft, now_ns() - due);
    }
    return unsent;
}

static void run_closed(int64_t t0, int64_t end) {
    int64_t give_up = end + (int64_t)(drain_s * 1e9);
    for (int i = 0; i < max_conns; i++)
        conns[i].start_at = t0 + (int64_t)(stagger_ms * 1e6 * i / max_conns);
    for (;;) {
        int64_t now = now_ns(), soon = end;
        int more = now < end && sent < max_requests;
        for (int i = n_idle; more && i-- > 0;) {
            conn *c = &conns[idle[i]];
            if (c->start_at > now) { if (c->start_at < soon) soon = c->start_at; continue; }
            int mine = idle[i];
            idle[i] = idle[--n_idle];
            if (!start(c, now)) { c->start_at = soon = now + 50000000; idle[n_idle++] = mine; }
            if (sent >= max_requests) break;
        }
        if ((!more && !open_now) || now >= give_up) break;
        poll_answers(more && sent < max_requests ? soon : give_up);
    }
}

static void report(double elapsed_s, long unsent) {
    long unfinished = 0;
    for (int i = 0; i < max_conns; i++) {
        if (!conns[i].busy) continue;
        unfinished++;
        keep(&latency, now_ns() - conns[i].due);
        if (streaming && !conns[i].token.hits) keep(&ttft, now_ns() - conns[i].due);
    }
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double cpu = u.ru_utime.tv_sec + u.ru_stime.tv_sec
               + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    samples *all[] = {&latency, &ttft, &late};
    for (int i = 0; i < 3; i++) qsort(all[i]->ns, all[i]->n, sizeof(int64_t), ascending);
    printf("{\"elapsed_s\":%.3f,\"sent\":%ld,\"ok\":%ld,\"bad_status\":%ld,\"bad_body\":%ld,"
           "\"broken\":%ld,\"connect_errors\":%ld,\"reconnects\":%ld,\"unfinished\":%ld,"
           "\"unsent\":%ld,\"waited\":%ld,\"open_max\":%d,\"chunks\":%ld,\"samples\":%ld,",
           elapsed_s, sent, ok, bad_status, bad_body, broken, connect_errors, reconnects,
           unfinished, unsent, waited, open_max, chunks, latency.n);
    printf("\"lat_p50\":%.4f,\"lat_p90\":%.4f,\"lat_p99\":%.4f,\"lat_max\":%.4f,"
           "\"ttft_n\":%ld,\"ttft_p50\":%.4f,\"ttft_p99\":%.4f,\"ttft_max\":%.4f,"
           "\"late_p50\":%.4f,\"late_p99\":%.4f,\"cpu_s\":%.4f,\"first_bad\":\"%s\"}\n",
           quantile_ms(&latency, .5), quantile_ms(&latency, .9), quantile_ms(&latency, .99),
           quantile_ms(&latency, 1), ttft.n, quantile_ms(&ttft, .5), quantile_ms(&ttft, .99),
           quantile_ms(&ttft, 1), quantile_ms(&late, .5), quantile_ms(&late, .99), cpu, first_bad);
}

int main(int argc, char **argv) {
    if (!options(argc, argv)) return fprintf(stderr, "see the head of loadgen.c\n"), 2;
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    build_request();
    ep = epoll_create1(0);
    conns = calloc(max_conns, sizeof *conns);
    idle = calloc(max_conns, sizeof *idle);
    for (int i = 0; i < max_conns; i++) {
        conns[i].fd = -1;
        idle[n_idle++] = max_conns - 1 - i;
    }
    for (int i = 0; rate <= 0 && i < max_conns; i++) connect_to(&conns[i]);
    int64_t t0 = now_ns() + 5000000, end = t0 + (int64_t)(seconds * 1e9);
    long unsent = 0;
    if (rate > 0) unsent = run_open(t0, end);
    else run_closed(t0, end);
    report((now_ns() - t0) / 1e9, unsent);
    return 0;
}
