// SPDX-License-Identifier: GPL-2.0-only
/* trace.c - where the tracepoints are made. */
#include "request.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
