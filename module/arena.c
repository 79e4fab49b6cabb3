// SPDX-License-Identifier: GPL-2.0-only
/*
 * arena.c - finds the map of a process, or makes one.
 * Callers: task.c for the map of the caller; vma.c at fork and at the end.
 * Never: touches entries.
 * Locks: setup_lock around all of the making, outside mmap_lock; table_lock, a leaf.
 *
 * Windows are mappings of files of one inode of ours, whose offsets equal the addresses, so that
 * the page tables of the process, and of its forked relatives, are found through its i_mapping.
 */
#include "arena.h"
#include <linux/fs_context.h>
#include <linux/magic.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/mm.h>
#include "layout.h"
#include "map.h"
#include "page.h"
#include "pmap.h"
#include "stats.h"
#include "user.h"
#include "vm.h"

#define ARENA_MAGIC 0x4d564d31

struct address_space *machvm_page_mapping;

static struct vfsmount *arena_mnt;
static struct inode *page_inode;
static const struct file_operations *proc_mem_fops;

static DEFINE_MUTEX(setup_lock);
static DEFINE_SPINLOCK(table_lock);
static DEFINE_HASHTABLE(table, 8);	/* maps by mm; entries are not references */

static int arena_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, ARENA_MAGIC) ? 0 : -ENOMEM;
}

/* No .owner: the mount would pin the module for ever.  The files pin it. */
static struct file_system_type arena_fs = {
	.name = "machvm",
	.init_fs_context = arena_init_fs_context,
	.kill_sb = kill_anon_super,
};

struct machvm_map *machvm_arena_find(struct mm_struct *mm)
{
	struct machvm_pmap *pmap;
	struct machvm_map *map;

	spin_lock(&table_lock);
	hash_for_each_possible(table, pmap, hash, (unsigned long)mm) {
		map = pmap->map;
		if (pmap->mm == mm && refcount_inc_not_zero(&map->refs)) {
			spin_unlock(&table_lock);
			return map;
		}
	}
	spin_unlock(&table_lock);
	return NULL;
}

/*
 * From now on the process has this map.
 * Context: mmap_lock held for writing, so that machvm_arena_retire() cannot have run before.
 */
void machvm_arena_publish(struct machvm_map *map)
{
	spin_lock(&table_lock);
	hash_add(table, &map->pmap->hash, (unsigned long)map->pmap->mm);
	spin_unlock(&table_lock);
}

/* The next call of the process starts a new map. */
void machvm_arena_retire(struct machvm_map *map)
{
	spin_lock(&table_lock);
	hash_del(&map->pmap->hash);
	spin_unlock(&table_lock);
}

/*
 * A VMA is gone, or was to be made; with the last one goes all that was mapped.
 * Context: mmap_lock, which munmap(2) has taken for writing and then made a read lock: even so
 * nobody else can be changing what is locked.
 */
void machvm_arena_leave(struct machvm_map *map)
{
	struct machvm_pmap *pmap = map->pmap;

	if (!atomic_dec_and_test(&pmap->vmas))
		return;
	machvm_arena_retire(map);
	machvm_vm_clear(map);
	pmap->mm->locked_vm -= pmap->locked;
	pmap->locked = 0;
	if (pmap->file)
		fput(pmap->file);
	pmap->file = NULL;
}

/*
 * A map with the Linux side that belongs to it, and the right to make a VMA, to be given back by
 * machvm_arena_leave().  Returns NULL if there is no memory.
 */
struct machvm_map *machvm_arena_create(u64 min, u64 max, struct mm_struct *mm,
				       struct inode *inode, struct machvm_user *user)
{
	struct machvm_pmap *pmap = kzalloc(sizeof(*pmap), GFP_KERNEL_ACCOUNT);
	struct machvm_map *map;

	if (!pmap)
		return NULL;
	map = machvm_map_create(min, max, user);
	if (!map) {
		kfree(pmap);
		return NULL;
	}
	mmgrab(mm);
	pmap->mm = mm;
	ihold(inode);
	pmap->inode = inode;
	pmap->map = map;
	atomic_set(&pmap->vmas, 1);
	mutex_init(&pmap->layout);
	INIT_HLIST_NODE(&pmap->hash);
	xa_init_flags(&pmap->notes, XA_FLAGS_ACCOUNT);
	map->pmap = pmap;
	map->windowed = true;
	machvm_count(MACHVM_STAT_MAPS, 1);
	return map;
}

/* The Linux side goes with the map's last reference. */
void machvm_pmap_free(struct machvm_map *map)
{
	machvm_notes_free(map);
	iput(map->pmap->inode);
	if (map->pmap->barren)
		mmdrop(map->pmap->barren);
	mmdrop(map->pmap->mm);
	kfree(map->pmap);
	machvm_count(MACHVM_STAT_MAPS, -1);
}

/* As machvm_arena_leave(), with no lock held. */
void machvm_arena_leave_unlocked(struct machvm_map *map)
{
	if (atomic_add_unless(&map->pmap->vmas, -1, 1))
		return;
	mmap_write_lock(map->pmap->mm);
	machvm_arena_leave(map);
	mmap_write_unlock(map->pmap->mm);
}

static struct inode *arena_inode(void)
{
	struct inode *inode = alloc_anon_inode(arena_mnt->mnt_sb);

	if (!IS_ERR(inode))
		i_size_write(inode, MAX_LFS_FILESIZE);
	return inode;
}

/*
 * The file that windows of the map are mapped from.  Windows that were inherited are mapped from
 * the parent's, of the same inode.
 * Context: pmap->layout held.
 */
struct file *machvm_arena_file(struct machvm_map *map)
{
	struct inode *inode = map->pmap->inode;
	struct file *file;

	if (map->pmap->file)
		return map->pmap->file;
	ihold(inode);
	__module_get(THIS_MODULE);	/* __fput drops it; alloc_file_pseudo takes none */
	file = alloc_file_pseudo(inode, arena_mnt, "[machvm]", O_RDWR, &machvm_arena_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
	} else {
		map->pmap->file = file;
	}
	return file;
}

static struct machvm_map *map_new(void)
{
	struct machvm_user *user = machvm_user_current();
	struct machvm_map *map;
	struct inode *inode;

	if (!user)
		return NULL;
	inode = arena_inode();
	if (IS_ERR(inode)) {
		machvm_user_put(user);
		return NULL;
	}
	map = machvm_arena_create(0, MACHVM_ADDRESS_END, current->mm, inode, user);
	iput(inode);
	machvm_user_put(user);
	return map;
}

static struct machvm_map *arena_new(void)
{
	struct machvm_map *map = map_new();
	int err;

	if (!map)
		return ERR_PTR(-ENOMEM);
	err = machvm_layout_first(map);
	machvm_arena_leave_unlocked(map);
	if (!err)
		return map;
	machvm_map_put(map);
	return ERR_PTR(err);
}

/**
 * machvm_arena_current - the map of the calling process, made at its first call
 *
 * Return: the map with a reference; ERR_PTR(-EINTR, -ENOMEM, -EINVAL for a kernel thread, or what
 * mmap answers where the address space is full).
 * Context: no lock held; takes mmap_lock.
 */
struct machvm_map *machvm_arena_current(void)
{
	struct machvm_map *map;

	if (!current->mm)
		return ERR_PTR(-EINVAL);
	map = machvm_arena_find(current->mm);
	if (map)
		return map;
	if (mutex_lock_killable(&setup_lock))
		return ERR_PTR(-EINTR);
	map = machvm_arena_find(current->mm);
	if (!map)
		map = arena_new();
	mutex_unlock(&setup_lock);
	return map;
}

/*
 * An open /proc/PID/mem names a process: opening it was the permission check.  The file is
 * recognised by procfs's own operations, learnt when the module was loaded.
 * Return: the map with a reference, NULL if the process has none, ERR_PTR(-EBADF).
 */
struct machvm_map *machvm_arena_of_proc_mem(struct file *file, fmode_t mode)
{
	if (!proc_mem_fops || file->f_op != proc_mem_fops || (file->f_mode & mode) != mode)
		return ERR_PTR(-EBADF);
	if (!file->private_data)
		return NULL;
	return machvm_arena_find(file->private_data);
}

static void learn_proc_mem(void)
{
	struct file *file = filp_open("/proc/self/mem", O_RDONLY, 0);

	if (IS_ERR(file)) {
		pr_notice("no /proc: maps of other processes cannot be shown\n");
		return;
	}
	if (file_inode(file)->i_sb->s_magic == PROC_SUPER_MAGIC)
		proc_mem_fops = file->f_op;
	filp_close(file, NULL);
}

int machvm_arena_init(void)
{
	arena_mnt = kern_mount(&arena_fs);
	if (IS_ERR(arena_mnt))
		return PTR_ERR(arena_mnt);
	page_inode = alloc_anon_inode(arena_mnt->mnt_sb);
	if (IS_ERR(page_inode)) {
		kern_unmount(arena_mnt);
		return PTR_ERR(page_inode);
	}
	machvm_page_mapping = page_inode->i_mapping;
	learn_proc_mem();
	return 0;
}

void machvm_arena_exit(void)
{
	iput(page_inode);
	kern_unmount(arena_mnt);
}
