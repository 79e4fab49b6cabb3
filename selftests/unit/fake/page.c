// SPDX-License-Identifier: GPL-2.0-only
/* page.c - pages that are counted, and their locks. */
#include "kinc.h"

static struct lock_class_key folio_lock_class;

struct folio *fake_folio_alloc(gfp_t gfp, unsigned int order, const char *file, int line)
{
	struct folio *folio;

	BUG_ON(order);
	if (fake_alloc_fails(gfp, file, line))
		return NULL;
	/* Neither may fail now: the page was one allocation. */
	folio = fake_alloc(sizeof(*folio), 16, GFP_NOWAIT | __GFP_NOFAIL | __GFP_ZERO, NULL, file,
			   line);
	folio->data = fake_alloc(PAGE_SIZE, PAGE_SIZE,
				 GFP_NOWAIT | __GFP_NOFAIL | (gfp & __GFP_ZERO), NULL, file, line);
	atomic_set(&folio->_refcount, 1);
	atomic_set(&folio->_mapcount, -1);
	INIT_LIST_HEAD(&folio->lru);
	fake_lock_init(&folio->dep_map, &folio_lock_class, "folio");
	folio->file = file;
	folio->line = line;
	return folio;
}

void fake_folio_get(struct folio *folio, int refs, const char *file, int line)
{
	if (folio_ref_count(folio) <= 0)
		test_die(file, line, "folio: a reference to a freed or frozen one");
	atomic_add(refs, &folio->_refcount);
}

void fake_folio_put(struct folio *folio, int refs, const char *file, int line)
{
	if (folio_ref_count(folio) < refs)
		test_die(file, line, "folio: put once too often (count %d)",
			 folio_ref_count(folio));
	if (!atomic_sub_and_test(refs, &folio->_refcount))
		return;
	if (folio_test_locked(folio))
		test_die(file, line, "folio: freed while locked");
	if (folio_mapped(folio))
		test_die(file, line, "folio: freed while mapped");
	if (folio->mapping)
		test_die(file, line, "folio: freed with a mapping");
	if (folio_test_private(folio))
		test_die(file, line, "folio: freed with PG_private");
	fake_free(folio->data, NULL, file, line);
	fake_free(folio, NULL, file, line);
}

int fake_folio_lock(struct folio *folio, int kind, const char *file, int line)
{
	/* With one locked, another may be if nobody else can know it yet. */
	int nested = folio->mapping ? 0 : FAKE_LOCK_NESTED;
	int ret = fake_lock(&folio->dep_map, kind | nested, file, line);

	if (!ret)
		__set_bit(PG_locked, &folio->flags);
	return ret;
}

void fake_folio_unlock(struct folio *folio, const char *file, int line)
{
	fake_unlock(&folio->dep_map, 0, file, line);
	__clear_bit(PG_locked, &folio->flags);
}
