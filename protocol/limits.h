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

/* -- completions: bodies of the OpenAI-compatible door ---------------------- */
#define FD_COMPLETION_BODY_MAX   1048576 /* bytes (413 above) */
#define FD_COMPLETION_DEPTH_MAX  28      /* a tool's schema nests ten levels */
#define FD_COMPLETION_NODES_MAX  32768
#define FD_COMPLETION_TOOLS_MAX  128
#define FD_COMPLETION_CALLS_MAX  128    /* of one assistant's message */
#define FD_COMPLETION_ID_MAX     16384  /* of a call: some providers sign in it */
#define FD_COMPLETION_TOKENS_MAX 262144 /* of an answer that is asked for */

/* -- answers ------------------------------------------------------------- */
#define FD_EVENT_DATA_MAX  16384   /* bytes of one event's JSON */
#define FD_EVENT_FRAME_MAX 16640   /* the same with its SSE framing */
#define FD_ANSWER_MAX      1048576 /* bytes of a whole answer */
#define FD_EVENTS_MAX      100000  /* events of one epoch */

/* -- tools ------------------------------------------------------------------ */
#define FD_TOOLS_MAX          64     /* that a model is offered */
#define FD_TOOL_ROUNDS_MAX    6      /* of calls in one answer */
#define FD_TOOL_ROUND_MAX     8      /* calls of one round */
#define FD_TOOL_CALLS_MAX     20     /* calls of one answer */
#define FD_TOOL_ARGUMENTS_MAX 16384  /* bytes of one call's arguments */
#define FD_TOOL_RESULTS_MAX   131072 /* bytes of results that one answer's model is shown */
#define FD_TOOL_SUMMARY_MAX   4096   /* bytes of what a visitor or an operator is asked */
#define FD_CALLBACK_MAX       32768  /* bytes of an outcome that comes late */
#define FD_CONFIRM_MS         240000 /* a visitor's word is waited for, while the deadline */
#define FD_CONFIRM_RESERVE_MS 30000  /* leaves this much for what is said about it */
#define FD_APPROVAL_S         259200 /* an operator's word, seconds */

/* -- times, milliseconds -------------------------------------------------- */
#define FD_JOB_DEADLINE_MS    300000   /* from acceptance to the end of a job */
#define FD_JOB_LINGER_MS      900000   /* fd:job lives on after the deadline */
#define FD_EVENTS_LINGER_MS   600000   /* fd:ev lives on after the end */
#define FD_EVENTS_PRESSED_MS  30000    /* the same, live memory above half */
#define FD_IDEMPOTENCY_TTL_MS 86400000 /* 24 h */
#define FD_HISTORY_TTL_MS     3600000  /* conversation:<session> */
#define FD_CACHE_MS           300000   /* an answer may be given again */
#define FD_CACHE_LEAD_MS      30000    /* others wait so long for the same question's answer */
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

/* -- plans ------------------------------------------------------------------ */
#define FD_THROTTLE_DIVISOR 10 /* over the quota: a tenth of the requests a minute */

#endif
