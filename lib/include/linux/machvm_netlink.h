/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the build tree only: an install puts the header itself here. */
#include "../../../uapi/machvm_netlink.h"
