/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machvm.h - all that this library adds to Mach.  Not the ioctl interface, <linux/machvm.h>.
 */
#ifndef _MACHVM_H_
#define _MACHVM_H_

#include <machvm/machvm.h>
#include <machvm/pager.h>

#endif /* _MACHVM_H_ */
