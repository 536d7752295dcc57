/* Mean duty of the three PWM outputs a LED node uses.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PWM_H
#define PWM_H

#include <stdbool.h>
#include <stdint.h>

#include <simavr/sim_avr.h>

#define PWM_CHANNELS 3 /* in the order red OC0A (PD6), green OC1A (PB1), blue OC0B (PD5) */
#define PWM_HOOKS 8

struct node;

struct pwm_hook {
    struct node *node;
    avr_io_write_t write;
    void *param;
};

struct pwm {
    uint64_t since; /* the window began */
    uint64_t settled;
    double sum[PWM_CHANNELS]; /* of duty times ns since then */
    struct pwm_hook hook[PWM_HOOKS];
    uint64_t watch_every, watch_at; /* report by itself; 0: never */
    double told[PWM_CHANNELS];
};

void pwm_attach(struct node *node);
/* Duty at this moment, 0..1. */
double pwm_now(const struct node *node, int channel);
/* Mean duty since the window began. */
double pwm_mean(struct node *node, int channel);
/* Begin a new window. */
void pwm_begin(struct node *node);
/* Report every so often whenever a mean has changed. */
void pwm_watch(struct node *node, uint64_t every);
void pwm_advance(struct node *node, uint64_t now);

#endif
