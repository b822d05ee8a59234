/* RETRIEVING, by meaning: the question's vector is asked for before the records are
 * searched; without it, words alone find. */
#include "chat/job_states.h"

#include "chat/meaning.h"

#include <stdlib.h>

static void on_vector(void *arg, float *vector, struct meaning_index *index)
{
    struct job *job = arg;
    job->meaning = NULL;
    job->vector = vector;
    job->index = index;
    job_advance(job, &(struct job_event){.type = JOB_EV_VECTOR});
}

bool job_meaning_ask(struct job *job)
{
    if (job->asked_meaning)
        return job->meaning != NULL;
    job->asked_meaning = true;
    job->meaning =
        meaning_ask(job->engine->meaning, job->tenant, job->request.message.s, on_vector, job);
    return job->meaning != NULL;
}

size_t job_meaning_search(const struct job *job, struct arena *a, struct ranked **found)
{
    *found = NULL;
    return job->vector != NULL ? vectors_search(meaning_vectors(job->index), a, job->vector, found)
                               : 0;
}

void job_meaning_end(struct job *job)
{
    if (job->meaning != NULL)
        meaning_cancel(job->meaning);
    job->meaning = NULL;
    meaning_release(job->index);
    job->index = NULL;
    free(job->vector);
    job->vector = NULL;
}
