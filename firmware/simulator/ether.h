/* The air between the nodes.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef ETHER_H
#define ETHER_H

#include "node.h"

#define SILENCE (-200) /* dBm */

struct ether_settings {
    unsigned loss, corrupt; /* percent, for each receiver of each packet by itself */
    unsigned drop; /* so many of the next packets reach nobody */
};

extern struct ether_settings ether;

void ether_seed(uint64_t seed);
uint32_t ether_random(void);
/* Level at which two nodes hear each other. */
void ether_link(int a, int b, int dbm);

/* A transmission: the switch was thrown at `switched`, bits flow from `start`. */
void ether_begin(struct node *from, ns switched, ns start);
void ether_byte(struct node *from, uint8_t value, ns start, ns end);
void ether_end(struct node *from, ns now);

/* Strongest carrier at a node of those that were on at `when`. */
int ether_level(const struct node *at, ns when);
/* When the next byte that this node might hear ends. */
ns ether_next(const struct node *at);
/* Give the node's radio every byte that has ended by `now`. */
void ether_take(struct node *at, ns now);

#endif
