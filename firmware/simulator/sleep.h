/* Deep sleep: which clocks stop, and the watchdog that ends it.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SLEEP_H
#define SLEEP_H

#include "node.h"

void sleep_attach(struct node *node);
/* simavr calls this when a core falls asleep, before it jumps ahead. */
void sleep_begins(avr_t *avr, avr_cycle_count_t how_long);
/* The core of a node in deep sleep has woken: its timers go on where they stood. */
void sleep_ends(struct node *node);

#endif
