// SPDX-License-Identifier: GPL-2.0-only
/*
 * notes.c - see notes.h.
 *
 * The memory is that of a device of QEMU's that has nothing else, ivshmem-plain, as sysfs shows it.
 * A disk would do, but for emulated machines that are slow: a kernel full of checks takes longer
 * than ACPI allows to find out which interrupt a PCI device has, and then has none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "notes.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE "0x1110\n"

static struct notes {
	char text[NOTES_LANES][NOTES_RING][TEXT_MAX];
	char corpus[NOTES_CORPUS];
	uint32_t places[NOTES_PLACES];
} *notes;

_Static_assert(sizeof(struct notes) == 64UL << 20, "the size that run gives the device");

static size_t written;		/* of the corpus */
static unsigned int kept;

/* How many programs each ring has seen. */
static atomic_uint *seen;

/* The memory of the device in that folder of sysfs; -1 if it is another one. */
static int device_open(const char *folder)
{
	char path[256], number[16] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/device", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, number, sizeof(number) - 1) < 0)
		number[0] = 0;
	close(fd);
	if (strcmp(number, DEVICE))
		return -1;
	snprintf(path, sizeof(path), "%s/resource2", folder);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int device_find(void)
{
	glob_t found;
	int fd = -1;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &found))
		return -1;
	for (size_t i = 0; i < found.gl_pathc && fd < 0; i++)
		fd = device_open(found.gl_pathv[i]);
	globfree(&found);
	return fd;
}

bool notes_open(bool keep)
{
	int fd = keep ? device_find() : -1;

	if (keep && fd < 0)
		return false;
	seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE,
		     MAP_SHARED | (keep ? 0 : MAP_ANONYMOUS), fd, 0);
	return seen != MAP_FAILED && notes != MAP_FAILED;
}

void notes_program(unsigned int lane, const struct program *program)
{
	unsigned int number = atomic_load(&seen[lane]);
	char text[TEXT_MAX] = "", *to = notes->text[lane][number % NOTES_RING];
	int used = snprintf(text, sizeof(text), "# %u of lane %u\n", number, lane);

	used += program_write(program, text + used, sizeof(text) - used - 2);
	text[used++] = '\n';
	memcpy(to, text, used + 1);
	atomic_fetch_add(&seen[lane], 1);
}

void notes_last(unsigned int lane, unsigned int back, char *text)
{
	unsigned int nr = atomic_load(&seen[lane]);

	text[0] = 0;
	if (nr > back)
		memcpy(text, notes->text[lane][(nr - 1 - back) % NOTES_RING], TEXT_MAX);
}

/* Those that have come since the last time, behind the others. */
void notes_corpus(const struct program *programs, unsigned int nr)
{
	char text[TEXT_MAX];

	for (; kept < nr && written + TEXT_MAX < NOTES_CORPUS; kept++) {
		int used = snprintf(text, sizeof(text), "# %u places\n", programs[kept].fresh);

		used += program_write(&programs[kept], text + used, sizeof(text) - used - 2);

		text[used++] = '\n';
		text[used] = 0;
		memcpy(notes->corpus + written, text, used + 1);
		written += used;
	}
}

/* All of them; 0 ends the list. */
void notes_places(void)
{
	unsigned int nr = cover_places(notes->places, NOTES_PLACES - 1);

	notes->places[nr] = 0;
}
