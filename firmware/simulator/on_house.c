/* Commands on the air and on time.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "command.h"

#include <string.h>

#include "ether.h"
#include "say.h"
#include "script.h"

bool do_link_nodes(struct call *c)
{
    double dbm = SILENCE;
    struct node *other = node_named(c->word[1]);
    if (!other)
        return call_fails(c, "no such second node");
    if (strcmp(c->word[2], "off") && !call_number(c, 2, -130, -1, &dbm))
        return false;
    ether_link(c->node->number, other->number, dbm);
    return true;
}

static bool percent(struct call *c, unsigned *setting)
{
    double value;
    if (!call_number(c, 0, 0, 100, &value))
        return false;
    *setting = value;
    return true;
}

bool do_loss(struct call *c) { return percent(c, &ether.loss); }
bool do_corrupt(struct call *c) { return percent(c, &ether.corrupt); }
bool do_drop(struct call *c) { return percent(c, &ether.drop); }

bool do_seed(struct call *c)
{
    double value;
    if (!call_number(c, 0, 0, 1e9, &value))
        return false;
    ether_seed(value);
    return true;
}

bool do_run(struct call *c)
{
    double ms;
    if (!call_number(c, 0, 0, 1e9, &ms))
        return false;
    if (house.real_time)
        return call_fails(c, "time passes by itself here");
    house_run(house.now + (ns)(ms * MS), false);
    return true;
}

bool do_until(struct call *c)
{
    double ms;
    struct node *node = c->count > 2 ? node_named(c->word[2]) : NULL;
    if (!call_number(c, 0, 0, 1e9, &ms))
        return false;
    if (house.real_time || (c->count > 2 && !node))
        return call_fails(c, house.real_time ? "time passes by itself here" : "no such node");
    say_wait_for(c->word[1], node);
    house_run(house.now + (ns)(ms * MS), true);
    say_ok("%s", say_has_come() ? "came" : "late");
    say_wait_for("", NULL);
    return false;
}

bool do_go(struct call *c)
{
    (void)c;
    house.running = true;
    return true;
}

bool do_tell_time(struct call *c)
{
    (void)c;
    say_ok("%.3f", house.now / MS);
    return false;
}

bool do_speed(struct call *c)
{
    (void)c;
    say_ok("simulated=%.6f wall=%.6f", house.simulated_s, house.wall_s);
    return false;
}
