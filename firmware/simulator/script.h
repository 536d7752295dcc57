/* The commands on stdin.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "node.h"

/* Do one line; `number` names it in an error. False: it was `quit`. */
bool script_line(char *line, int number);

/* What main.c offers to the commands. */
struct clock {
    ns now;
    bool real_time;
    bool running; /* real time: `go` was said */
    double simulated_s, wall_s; /* spent running */
};

extern struct clock house;

/* Let time pass up to `until`, or (when `waits`) to the event that say_wait_for() names. */
void house_run(ns until, bool waits);

#endif
