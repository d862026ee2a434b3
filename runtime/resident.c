/* Models on devices: programs and weights that sessions share. */
#include <stdio.h>
#include <stdlib.h>
#include "runtime/cache.h"
#include "runtime/model.h"
#include "runtime/resident.h"
#include "runtime/status.h"

/* Can D do what P needs? */
static int
check_needs(const struct sinter_device *d, const struct sinter_program *p,
	    struct sinter_error *error)
{
	const struct sinter_device_info *i = &d->info;

	if ((p->features & SINTER_NEEDS_F64) && !i->has_f64)
		return sinter_fail(error, SINTER_UNFIT,
				   "the model needs f64, which '%s' (%s) doesn't have", d->name,
				   i->name);
	if (p->group_items > i->group_items)
		return sinter_fail(error, SINTER_UNFIT,
				   "the model needs groups of %d work-items, '%s' (%s) has %d",
				   (int)p->group_items, d->name, i->name, (int)i->group_items);
	if (p->local_bytes > i->local_bytes)
		return sinter_fail(error, SINTER_UNFIT,
				   "the model needs %zu bytes of local memory, '%s' (%s) has %llu",
				   p->local_bytes, d->name, i->name,
				   (unsigned long long)i->local_bytes);
	return SINTER_OK;
}

/* Copies BYTES at HOST to new memory of the device. */
static int
upload(struct sinter_device *d, const void *host, size_t bytes, struct sinter_memory **out,
       struct sinter_error *error)
{
	const struct sinter_driver *v = d->driver;
	void *queue = NULL;
	int status = sinter_memory_new(d, SINTER_MEMORY_DEVICE, bytes, out, error);

	if (status != SINTER_OK)
		return status;
	status = v->queue_new(d, 0, &queue, error);
	if (status == SINTER_OK) {
		status = v->write(queue, *out, 0, host, bytes, error);
		int finished = v->finish(queue, status == SINTER_OK ? error : NULL);

		status = status == SINTER_OK ? finished : status;
		v->queue_free(d, queue);
	}
	return status;
}

/* The weights where they lie, or a copy of them. */
static int
place_weights(const struct sinter_loaded *l, struct sinter_resident *r, struct sinter_error *error)
{
	const struct sinter_model *m = l->model;
	const void *host = m->weights ? m->weights : l->weights;

	if (!host || !m->weights_bytes)
		return SINTER_OK;
	if (r->device->info.shares_memory)
		return sinter_memory_wrap(r->device, (void *)(uintptr_t)host, m->weights_bytes, 1,
					  &r->weights, error);
	return upload(r->device, host, m->weights_bytes, &r->weights, error);
}

/* What a binary depends on: the text, how it is compiled, and by what. */
static struct sinter_cache_key
key_of(const struct sinter_device *d, const struct sinter_program *p)
{
	struct sinter_cache_key k;

	sinter_cache_key_init(&k);
	sinter_cache_key_text(&k, p->options);
	sinter_cache_key_text(&k, d->info.kind);
	sinter_cache_key_text(&k, d->info.name);
	sinter_cache_key_text(&k, d->info.driver);
	sinter_cache_key_text(&k, d->info.platform);
	for (uint32_t i = 0; i < p->nlines; i++)
		sinter_cache_key_text(&k, p->lines[i]);
	return k;
}

/* The program from the cache; NULL if it isn't there, or the driver refuses it. */
static void *
program_from_cache(struct sinter_device *d, const struct sinter_program *p,
		   const struct sinter_cache_key *k)
{
	struct sinter_source source = { .program = p };
	void *binary = sinter_cache_get(k, &source.binary_bytes), *program = NULL;

	if (!binary)
		return NULL;
	source.binary = binary;
	if (d->driver->program_new(d, &source, &program, NULL) != SINTER_OK)
		sinter_cache_drop(k);
	free(binary);
	return program;
}

static void
program_to_cache(struct sinter_device *d, void *program, const char *model,
		 const struct sinter_cache_key *k)
{
	char label[160];
	void *binary;
	size_t bytes;

	snprintf(label, sizeof(label), "%.60s on %.90s", model, d->info.name);
	if (d->driver->program_binary(d, program, &binary, &bytes, NULL) != SINTER_OK)
		return;
	sinter_cache_put(k, label, binary, bytes);
	free(binary);
}

static int
get_program(struct sinter_device *d, const struct sinter_model *m, void **out,
	    struct sinter_error *error)
{
	struct sinter_source source = { .program = m->program };
	struct sinter_cache_key k = key_of(d, m->program);

	*out = program_from_cache(d, m->program, &k);
	if (*out)
		return SINTER_OK;
	int status = d->driver->program_new(d, &source, out, error);

	if (status == SINTER_OK && sinter_cache_is_on())
		program_to_cache(d, *out, m->name, &k);
	return status;
}

static void
destroy(struct sinter_resident *r)
{
	if (r->program)
		r->device->driver->program_free(r->device, r->program);
	sinter_memory_free(r->weights);
	free(r);
}

static int
make(const struct sinter_loaded *l, struct sinter_device *d, struct sinter_resident **out,
     struct sinter_error *error)
{
	int status = check_needs(d, l->model->program, error);

	if (status != SINTER_OK)
		return status;
	struct sinter_resident *r = calloc(1, sizeof(*r));

	if (!r)
		return sinter_fail(error, SINTER_NO_MEMORY, "out of memory");
	r->device = d;
	status = get_program(d, l->model, &r->program, error);
	if (status == SINTER_OK)
		status = place_weights(l, r, error);
	if (status == SINTER_OK)
		*out = r;
	else
		destroy(r);
	return status;
}

int
sinter_resident_get(struct sinter_loaded *loaded, struct sinter_device *d,
		    struct sinter_resident **out, struct sinter_error *error)
{
	int status = SINTER_OK;

	pthread_mutex_lock(&loaded->mutex);
	struct sinter_resident *r = loaded->residents;

	while (r && r->device != d)
		r = r->next;
	if (!r) {
		status = make(loaded, d, &r, error);
		if (status == SINTER_OK) {
			r->next = loaded->residents;
			loaded->residents = r;
		}
	}
	if (status == SINTER_OK) {
		r->nusers++;
		*out = r;
	}
	pthread_mutex_unlock(&loaded->mutex);
	return status;
}

void
sinter_resident_release(struct sinter_loaded *loaded, struct sinter_resident *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&loaded->mutex);
	if (--r->nusers == 0) {
		struct sinter_resident **p = &loaded->residents;

		while (*p != r)
			p = &(*p)->next;
		*p = r->next;
		destroy(r);
	}
	pthread_mutex_unlock(&loaded->mutex);
}
