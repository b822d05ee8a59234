/*
 * Bounds that both halves enforce. A value here is part of the contract: nginx
 * refuses what is beyond it with a clear error, the worker never produces it.
 */
#ifndef FD_PROTOCOL_LIMITS_H
#define FD_PROTOCOL_LIMITS_H

/* -- request bodies ------------------------------------------------------ */
#define FD_BODY_MAX        65536 /* bytes of a JSON body (413 above) */
#define FD_JSON_DEPTH_MAX  16    /* nesting of a request body */
#define FD_JSON_NODES_MAX  4096  /* values and keys of a request body */
#define FD_JSON_KEYS_MAX   256   /* keys of one object */
#define FD_MESSAGE_MAX     16384 /* bytes of a visitor's message */
#define FD_IDEMPOTENCY_MAX 255   /* bytes of an Idempotency-Key */
#define FD_MODEL_ID_MAX    128
#define FD_USER_ID_MAX     256
#define FD_URL_MAX         2048
#define FD_TITLE_MAX       512
#define FD_IDENTITY_MAX    8192 /* bytes of a signed identity token */
#define FD_LANGUAGE_MAX    35   /* BCP 47, RFC 5646 section 4.4.1 */

/* -- answers ------------------------------------------------------------- */
#define FD_EVENT_DATA_MAX  16384   /* bytes of one event's JSON */
#define FD_EVENT_FRAME_MAX 16640   /* the same with its SSE framing */
#define FD_ANSWER_MAX      1048576 /* bytes of a whole answer */
#define FD_EVENTS_MAX      100000  /* events of one epoch */

/* -- times, milliseconds -------------------------------------------------- */
#define FD_JOB_DEADLINE_MS    300000   /* from acceptance to the end of a job */
#define FD_JOB_LINGER_MS      900000   /* fd:job lives on after the deadline */
#define FD_EVENTS_LINGER_MS   600000   /* fd:ev lives on after the end */
#define FD_EVENTS_PRESSED_MS  30000    /* the same, live memory above half */
#define FD_IDEMPOTENCY_TTL_MS 86400000 /* 24 h */
#define FD_HISTORY_TTL_MS     3600000  /* conversation:<session> */
#define FD_PING_MS            10000    /* heartbeat of an open answer */
#define FD_SILENT_PULL_MS     15000    /* a silent reader pulls once */
#define FD_CONTROL_PING_MS    400      /* nginx proves its control channel */
#define FD_CONTROL_ALIVE_MS   1000     /* and trusts it for this long */
#define FD_CALL_DEADLINE_MS   5000     /* a short question (fd:calls) */
#define FD_HEARTBEAT_MS       3000     /* a worker renews its jobs */
#define FD_TAKEOVER_IDLE_MS   10000    /* a job idle for longer is taken over */
#define FD_ABANDONED_MS       30000    /* nobody listened for this long: cancel */
#define FD_SYNC_MS            60000    /* a worker writes keys and limits through */
#define FD_CONFIG_STALE_MS    600000   /* nginx serves /config without Redis */
#define FD_WORKER_LEASE_MS    9000     /* fd:alive entry */

/* -- queue ---------------------------------------------------------------- */
#define FD_QUEUE_LENGTH_MAX 10000
#define FD_QUEUE_BYTES_MAX  67108864
#define FD_JOB_CRASHES_MAX  3
#define FD_JOB_EPOCHS_MAX   10

#endif
