/* Everything the simulator says, a line each, on stdout.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SAY_H
#define SAY_H

#include "node.h"

/* An event: time in ms, kind, node, and what there is to say of it. */
void say_event(ns when, const char *kind, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* End `until` at the first event of this kind (and node, unless NULL). */
void say_wait_for(const char *kind, const struct node *node);
bool say_has_come(void);
/* The answer to a command. */
void say_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_error(int line, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
