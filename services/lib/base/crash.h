// SPDX-License-Identifier: Apache-2.0
// Named places where a test lets a process die at once. Compiled to nothing unless the build has
// CAUSEWAY_CRASH_POINTS on.
#pragma once

// CRASH_POINT("delivery.before_commit"): with CAUSEWAY_CRASH=<name>:<n> in the environment the
// process kills itself with SIGKILL when it passes this point the nth time (n from 1).
#ifdef CAUSEWAY_CRASH_POINTS
#define CRASH_POINT(name) crash_point_pass(name)
#else
#define CRASH_POINT(name) ((void) 0)
#endif

// Use CRASH_POINT instead.
void crash_point_pass(const char *name);
