/* What all radios have in common: a supply, an interrupt line, an ear in the ether.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "radio.h"

#include <string.h>

#include "ether.h"
#include "mcu.h"
#include "say.h"

#define LINE_PORT 'D'
#define LINE_BIT 2

const struct radio_kind *radio_named(const char *name)
{
    const struct radio_kind *kinds[] = {&rfm12b_kind, &rfm69_kind};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

void radio_drive_line(struct node *node)
{
    if (!node->radio.kind)
        return;
    bool level = node->radio.powered ? node->radio.kind->interrupt_line(node) : node->radio.kind == &rfm12b_kind;
    const struct port_levels *levels = &node->pins.port[LINE_PORT - 'B'];
    bool is = levels->level >> LINE_BIT & 1, driven = levels->driven >> LINE_BIT & 1;
    if (!driven || is != level)
        pins_drive(node, LINE_PORT, LINE_BIT, level);
}

void radio_power(struct node *node, bool on)
{
    if (!node->radio.kind)
        return;
    if (node->radio.powered)
        node->radio.kind->power_off(node);
    node->radio.powered = on;
    node->radio.power_at = 0;
    if (on)
        node->radio.kind->power_on(node);
    radio_drive_line(node);
}

void radio_brownout(struct node *node, ns away)
{
    if (!node->radio.kind || !node->powered)
        return;
    radio_power(node, false);
    node->radio.power_at = mcu_now(node) + away;
    radio_advance(node, mcu_now(node));
}

ns radio_next(const struct node *node)
{
    if (!node->radio.kind)
        return NEVER;
    if (!node->radio.powered)
        return node->radio.power_at ? node->radio.power_at : NEVER;
    ns next = node->radio.kind->next(node);
    if (node->radio.kind->listens(node)) {
        ns arrives = ether_next(node);
        next = arrives < next ? arrives : next;
    }
    return next;
}

void radio_advance(struct node *node, ns now)
{
    if (!node->radio.kind)
        return;
    if (!node->radio.powered) {
        if (!node->radio.power_at || node->radio.power_at > now) {
            ether_take(node, now);
            return;
        }
        radio_power(node, true);
        say_event(now, "radio", node, "power is back");
    }
    ether_take(node, now);
    if (node->radio.kind->next(node) <= now)
        node->radio.kind->advance(node, now);
    radio_drive_line(node);
}
