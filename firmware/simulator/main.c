/* A house of JeeNodes running their real firmware: the loop that lets time pass.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All nodes run in one thread, in lock-step quanta. In step mode time passes only by command, so that the same
 * commands give the same output to the last byte; in real-time mode it passes by itself after `go`. It ends when
 * stdin does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ether.h"
#include "mcu.h"
#include "say.h"
#include "script.h"

#define LINE 20000 /* an EEPROM preset in hex is the longest */
#define LAG_NS 200000000 /* further behind than this the clock is set anew instead of running after it */

struct clock house;
struct node nodes[NODES];
int node_count;

struct node *node_named(const char *name)
{
    for (int i = 0; i < node_count; i++)
        if (!strcmp(nodes[i].name, name))
            return &nodes[i];
    return NULL;
}

static ns wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void house_run(ns until, bool waits)
{
    ns began = wall(), from = house.now;
    for (int i = 0; i < node_count; i++)
        uart_poll(&nodes[i]);
    while (house.now < until && !(waits && say_has_come())) {
        ns end = house.now + QUANTUM_NS < until ? house.now + QUANTUM_NS : until;
        for (int i = 0; i < node_count; i++)
            mcu_run(&nodes[i], end);
        house.now = end;
    }
    house.simulated_s += (house.now - from) / 1e9;
    house.wall_s += (wall() - began) / 1e9;
}

/* Take what there is on stdin and do the whole lines of it; false at its end and after `quit`. */
static bool read_commands(void)
{
    static char text[LINE];
    static size_t used;
    static int number;
    ssize_t count = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
    if (count <= 0)
        return count < 0 && errno == EINTR;
    used += count;
    text[used] = 0;
    char *line = text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (!script_line(line, ++number))
            return false;
    }
    used -= line - text;
    memmove(text, line, used);
    if (used == sizeof text - 1) {
        say_error(number + 1, "the line is longer than %d bytes", LINE - 2);
        return false;
    }
    return true;
}

static void run_with_wall(ns *origin)
{
    if (!*origin)
        *origin = wall() - house.now;
    ns due = wall() - *origin;
    if (due > house.now + LAG_NS) {
        *origin += due - house.now;
        due = house.now;
    }
    house_run(due - due % QUANTUM_NS, false);
}

static void real_time(void)
{
    ns origin = 0;
    for (;;) {
        struct pollfd fds[1 + NODES] = {{.fd = STDIN_FILENO, .events = POLLIN}};
        for (int i = 0; i < node_count; i++)
            fds[1 + i] = (struct pollfd){.fd = nodes[i].uart.master, .events = POLLIN};
        poll(fds, 1 + node_count, house.running ? 1 : -1);
        if (fds[0].revents && !read_commands())
            return;
        if (house.running)
            run_with_wall(&origin);
        fflush(stdout);
    }
}

/* simavr tells of what it loads on stdout, where only our own lines belong. */
static void keep_quiet(avr_t *avr, const int level, const char *format, va_list rest)
{
    (void)avr, (void)level, (void)format, (void)rest;
}

int main(int count, char **words)
{
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (int i = 1; i < count; i++) {
        if (!strcmp(words[i], "--real-time")) {
            house.real_time = true;
        } else {
            fprintf(stderr, "usage: %s [--real-time]\nCommands come on stdin; `help` lists them.\n", words[0]);
            return 2;
        }
    }
    avr_global_logger_set(keep_quiet);
    ether_seed(1);
    if (house.real_time)
        real_time();
    else
        while (read_commands())
            ;
    for (int i = 0; i < node_count; i++)
        uart_unplug(&nodes[i]);
    fflush(stdout);
    return 0;
}
