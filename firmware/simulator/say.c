/* Everything the simulator says, a line each, on stdout.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An event is `<ms> <kind> <node> ...`; a command is answered by exactly one line that begins with `ok` or `error`.
 */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char awaited[32];
static const struct node *awaited_of;
static bool came;

void say_wait_for(const char *kind, const struct node *node)
{
    snprintf(awaited, sizeof awaited, "%s", kind);
    awaited_of = node;
    came = false;
}

bool say_has_come(void)
{
    return came;
}

void say_event(ns when, const char *kind, const struct node *node, const char *format, ...)
{
    va_list rest;
    printf("%llu.%03llu %s %s ", (unsigned long long)(when / 1000000), (unsigned long long)(when / 1000 % 1000), kind,
           node->name);
    va_start(rest, format);
    vprintf(format, rest);
    va_end(rest);
    putchar('\n');
    if (!strcmp(kind, awaited) && (!awaited_of || awaited_of == node))
        came = true;
}

void say_ok(const char *format, ...)
{
    va_list rest;
    printf("ok ");
    va_start(rest, format);
    vprintf(format, rest);
    va_end(rest);
    putchar('\n');
    fflush(stdout);
}

void say_error(int line, const char *format, ...)
{
    va_list rest;
    printf("error line %d: ", line);
    va_start(rest, format);
    vprintf(format, rest);
    va_end(rest);
    putchar('\n');
    fflush(stdout);
}
