// SPDX-License-Identifier: Apache-2.0
// What a node may ask, item by item.
#pragma once

#include "delivery/app.h"

// Of nodes_handler.on_item.
void dispatch_item(void *app, struct node *n, const Pb__StreamItem *item);
// Answers of the engine: to the node the command came from, counted and logged.
void dispatch_verdict(struct app *a, const struct command *c, const struct outcome *o);
// A command that gets none.
void dispatch_dropped(struct app *a, const struct command *c);
// Before the first verdict.
void dispatch_metrics(struct app *a);
