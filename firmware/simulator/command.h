/* One command: its words, and the help to check them.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "node.h"

#define WORDS 8
#define MS 1000000.0

struct call {
    int line;
    int count;
    char *word[WORDS]; /* without the command itself */
    struct node *node; /* the first word, for commands on a node */
};

/* Say what was wrong with it; false. */
bool call_fails(const struct call *call, const char *text);
/* Read the word as a number in a range; false: it was none, and that has been said. 0 if there is no such word. */
bool call_number(const struct call *call, int at, double low, double high, double *value);

/* Each does its command: true for a plain `ok`, false when it has answered by itself. */
bool do_make(struct call *c);
bool do_power(struct call *c);
bool do_reset(struct call *c);
bool do_dip(struct call *c);
bool do_brownout(struct call *c);
bool do_upset(struct call *c);
bool do_hang(struct call *c);
bool do_pin(struct call *c);
bool do_adc(struct call *c);
bool do_supply(struct call *c);
bool do_hyt131(struct call *c);
bool do_ds18b20(struct call *c);
bool do_eeprom(struct call *c);
bool do_wear(struct call *c);
bool do_duty(struct call *c);
bool do_watch(struct call *c);
bool do_plug(struct call *c);
bool do_unplug(struct call *c);
bool do_type(struct call *c);
bool do_link_nodes(struct call *c);
bool do_loss(struct call *c);
bool do_corrupt(struct call *c);
bool do_drop(struct call *c);
bool do_seed(struct call *c);
bool do_run(struct call *c);
bool do_until(struct call *c);
bool do_go(struct call *c);
bool do_tell_time(struct call *c);
bool do_speed(struct call *c);

#endif
