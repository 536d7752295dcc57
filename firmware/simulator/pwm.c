/* Mean duty of the three PWM outputs a LED node uses.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Integrates what the compare registers say over time, so that a sketch that dithers between two values is seen as the
 * eye sees it. Data sheet ATmega328P, tables 15-8 and 16-4. Knows nothing of colours or gamma.
 */
#include "pwm.h"

#include <math.h>

#include "mcu.h"
#include "say.h"

#define TCCR0A 0x44
#define TCCR0B 0x45
#define OCR0A 0x47
#define OCR0B 0x48
#define TCCR1A 0x80
#define TCCR1B 0x81
#define ICR1 0x86
#define OCR1A 0x88
#define CLOCK_SELECT 7
#define INVERTED 3
#define SMALLEST 0.0005 /* change of a mean that is worth an event */

static const uint16_t hooked[PWM_HOOKS] = {TCCR0A, TCCR0B, OCR0A, OCR0B, TCCR1A, TCCR1B, OCR1A, OCR1A + 1};

struct channel {
    char port;
    int bit;
    uint16_t control_a, control_b, compare;
    int com_shift;
    bool wide;
};

static const struct channel channels[PWM_CHANNELS] = {
    {'D', 6, TCCR0A, TCCR0B, OCR0A, 6, false},
    {'B', 1, TCCR1A, TCCR1B, OCR1A, 6, true},
    {'D', 5, TCCR0A, TCCR0B, OCR0B, 4, false},
};

enum source { NONE, FIXED, FROM_ICR, FROM_OCRA };

struct mode {
    bool slow; /* counts up and down: phase correct */
    enum source source;
    uint16_t top;
};

static const struct mode narrow_modes[8] = {
    [1] = {true, FIXED, 0xff}, [3] = {false, FIXED, 0xff}, [5] = {true, FROM_OCRA, 0}, [7] = {false, FROM_OCRA, 0}};
static const struct mode wide_modes[16] = {
    [1] = {true, FIXED, 0xff}, [2] = {true, FIXED, 0x1ff}, [3] = {true, FIXED, 0x3ff},
    [5] = {false, FIXED, 0xff}, [6] = {false, FIXED, 0x1ff}, [7] = {false, FIXED, 0x3ff},
    [8] = {true, FROM_ICR, 0}, [9] = {true, FROM_OCRA, 0}, [10] = {true, FROM_ICR, 0},
    [11] = {true, FROM_OCRA, 0}, [14] = {false, FROM_ICR, 0}, [15] = {false, FROM_OCRA, 0}};

static unsigned word(const uint8_t *data, uint16_t at, bool wide)
{
    return data[at] | (wide ? data[at + 1] << 8 : 0);
}

double pwm_now(const struct node *node, int number)
{
    const struct channel *c = &channels[number];
    const uint8_t *data = node->avr->data;
    int level = pins_output(node, c->port, c->bit);
    if (level < 0)
        return 0;
    unsigned a = data[c->control_a], b = data[c->control_b], com = a >> c->com_shift & 3;
    const struct mode *mode = c->wide ? &wide_modes[(a & 3) | (b >> 1 & 12)] : &narrow_modes[(a & 3) | (b >> 1 & 4)];
    if (com < 2 || !(b & CLOCK_SELECT) || mode->source == NONE)
        return level;
    unsigned top = mode->source == FIXED ? mode->top
        : word(data, mode->source == FROM_ICR ? ICR1 : (c->wide ? OCR1A : OCR0A), c->wide);
    unsigned compare = word(data, c->compare, c->wide);
    double duty = !top || compare >= top ? 1 : mode->slow ? (double)compare / top : (compare + 1.0) / (top + 1.0);
    return com == INVERTED ? 1 - duty : duty;
}

static void settle(struct node *node, ns now)
{
    struct pwm *pwm = &node->pwm;
    if (now <= pwm->settled)
        return;
    for (int i = 0; i < PWM_CHANNELS; i++)
        pwm->sum[i] += pwm_now(node, i) * (now - pwm->settled);
    pwm->settled = now;
}

static void written(avr_t *avr, avr_io_addr_t addr, uint8_t value, void *param)
{
    struct pwm_hook *hook = param;
    settle(hook->node, mcu_now(hook->node));
    if (hook->write)
        hook->write(avr, addr, value, hook->param);
    else
        avr->data[addr] = value;
}

void pwm_attach(struct node *node)
{
    for (int i = 0; i < PWM_HOOKS; i++) {
        uint16_t io = AVR_DATA_TO_IO(hooked[i]);
        struct pwm_hook *hook = &node->pwm.hook[i];
        *hook = (struct pwm_hook){node, node->avr->io[io].w.c, node->avr->io[io].w.param};
        node->avr->io[io].w.c = written;
        node->avr->io[io].w.param = hook;
    }
}

double pwm_mean(struct node *node, int channel)
{
    struct pwm *pwm = &node->pwm;
    return pwm->settled > pwm->since ? pwm->sum[channel] / (pwm->settled - pwm->since) : pwm_now(node, channel);
}

void pwm_begin(struct node *node)
{
    struct pwm *pwm = &node->pwm;
    pwm->since = pwm->settled;
    for (int i = 0; i < PWM_CHANNELS; i++)
        pwm->sum[i] = 0;
}

void pwm_watch(struct node *node, ns every)
{
    node->pwm.watch_every = every;
    node->pwm.watch_at = mcu_now(node) + every;
    pwm_begin(node);
}

void pwm_advance(struct node *node, ns now)
{
    struct pwm *pwm = &node->pwm;
    settle(node, now);
    if (!pwm->watch_every || now < pwm->watch_at)
        return;
    bool changed = false;
    for (int i = 0; i < PWM_CHANNELS; i++)
        changed |= fabs(pwm_mean(node, i) - pwm->told[i]) >= SMALLEST;
    for (int i = 0; changed && i < PWM_CHANNELS; i++)
        pwm->told[i] = pwm_mean(node, i);
    if (changed)
        say_event(now, "pwm", node, "red=%.5f green=%.5f blue=%.5f", pwm->told[0], pwm->told[1], pwm->told[2]);
    pwm_begin(node);
    pwm->watch_at = now + pwm->watch_every;
}
