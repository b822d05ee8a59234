/*
 * Every Redis key, channel and group, as printf formats. `{%s}` is the shard:
 * all keys that one script touches carry it. Who owns which key, its role
 * (jobs or live) and its life are in docs/architecture.md.
 */
#ifndef FD_PROTOCOL_KEYS_H
#define FD_PROTOCOL_KEYS_H

/* -- jobs role: accepted work, AOF always, noeviction ---------------------- */
#define FD_KEY_META         "fd:meta"               /* hash: version, shards, session_key (hex) */
#define FD_KEY_JOBS         "fd:jobs:{%s}"          /* shard */
#define FD_KEY_JOB          "fd:job:{%s}:%s"        /* shard, job */
#define FD_KEY_IDEMPOTENCY  "fd:idem:{%s}:%s:%s:%s" /* shard, org, session or key id, sha256 hex */
#define FD_KEY_SESSION      "fd:sess:{%s}:%s:%s"    /* shard, org, session: running job */
#define FD_KEY_SESSION_RATE "fd:rate:{%s}:%s:%s"    /* shard, org, session: GCRA */
#define FD_KEY_ADDRESS_RATE "fd:rate:{%s}:a:%s"     /* shard, address: GCRA of session starts */
#define FD_KEY_LEASE        "fd:lease:{%s}:%s"      /* shard, org: zset job -> deadline ms */
#define FD_KEY_ORG          "fd:org:{%s}:%s"        /* shard, org: hash, see FD_ORG_* */
#define FD_KEY_LOAD         "fd:load:{%s}"          /* shard: hash {bytes} of the queue */
#define FD_KEY_ALIVE        "fd:alive:{%s}"         /* shard: zset worker -> lease end ms */
#define FD_KEY_DEAD         "fd:dead:{%s}"          /* shard: stream {job, org, reason} */

/* -- live role: everything can be rebuilt or replayed ---------------------- */
#define FD_KEY_EVENTS     "fd:ev:%s"  /* job: stream {f} (and {o} at n = 0) */
#define FD_CHANNEL_EVENTS "fd:ch:%s"  /* job: SSE frames, the stream's wake-up */
#define FD_KEY_CALLS      "fd:calls"  /* stream, see call.h */
#define FD_CHANNEL_REPLY  "fd:re:%s"  /* nginx process: answers to its calls */
#define FD_KEY_APIKEY     "fd:key:%s" /* sha256 hex: hash, see FD_APIKEY_* */
#define FD_KEY_SYNCED     "fd:keys:synced"
#define FD_KEY_ENDED      "fd:ended"      /* zset: user's session -> its claims expire, unix s */
#define FD_KEY_SEEN       "fd:seen"       /* stream, FD_SEEN_*: sites that asked for a config */
#define FD_KEY_TICKET     "fd:ticket:%s"  /* ticket: who may read which job, once */
#define FD_KEY_CONFIG     "fd:cfg:%s"     /* org: body of GET /api/v1/config */
#define FD_KEY_CACHE      "cache:%s"      /* question: JSON {digest, text}, 5 min */
#define FD_KEY_CACHE_LEAD "cache:%s:lead" /* who answers it now: job id, then the digest */
#define FD_KEY_HISTORY    "conversation:%s:%s"         /* org, session: list of JSON messages */
#define FD_KEY_SUMMARY    "conversation:%s:%s:summary" /* JSON {text, messages}; "" = none */
#define FD_KEY_PAUSED     "fd:human:%s:%s" /* org, session: a person has it, ask PostgreSQL */
/* what happens to a conversation and in an organisation: streams, and channels of the same name */
#define FD_KEY_SESSION_EVENTS "fd:sev:%s"     /* session */
#define FD_KEY_ORG_EVENTS     "fd:oev:%s"     /* org */
#define FD_KEY_LOOK           "fd:look:%s:%s" /* org, conversation: zset "<actor> <name>" -> ms */
#define FD_KEY_INTEGRATION    "fd:int:%s:%s"  /* org, sha256 hex: what a client's API said */
#define FD_CHANNEL_CONTROL    "fd:ctl"        /* hints, see FD_CONTROL_* */

#define FD_GROUP_WORKERS "workers"

/* fields of fd:org */
#define FD_ORG_GENERATION "gen"   /* bumped when a key, a limit or the plan changes */
#define FD_ORG_RPM        "rpm"   /* requests a minute */
#define FD_ORG_CHATS      "chats" /* concurrent answers */
#define FD_ORG_QUOTA      "quota" /* messages a UTC month; 0 = none */
#define FD_ORG_SLOW       "slow"  /* requests a minute over the quota; 0 = refused */
#define FD_ORG_MONTH      "month" /* YYYYMM that `used` counts */
#define FD_ORG_USED       "used"
#define FD_ORG_TAT        "tat" /* GCRA: theoretical arrival time, ms */

/* fields of fd:key, in the order nginx reads them */
#define FD_APIKEY_ORG        "org"
#define FD_APIKEY_ID         "id"
#define FD_APIKEY_KIND       "kind"    /* pk or sk */
#define FD_APIKEY_GENERATION "gen"     /* fd:org gen at the time of writing */
#define FD_APIKEY_ORIGINS    "origins" /* space separated; publishable keys */
#define FD_APIKEY_EXPIRES    "exp"     /* unix s, 0 = never; rotation's overlap */
#define FD_APIKEY_SCOPE      "scope"   /* read, write or admin; none: admin */

/* fields of fd:seen, which nginx keeps at some FD_SEEN_MAX entries */
#define FD_SEEN_ORG     "org"
#define FD_SEEN_KEY     "key"     /* id */
#define FD_SEEN_ORIGIN  "origin"  /* or "null" */
#define FD_SEEN_VERSION "version" /* of the widget; may be missing */
#define FD_SEEN_ALLOWED "allowed" /* 1, or 0: it was refused */
#define FD_SEEN_MAX     "10000"

/* hints on fd:ctl: "<word> <argument>" */
#define FD_CONTROL_CANCEL  "cancel"  /* job id */
#define FD_CONTROL_CONFIRM "confirm" /* job id: a visitor said something about a call */
#define FD_CONTROL_HUMAN   "human"   /* session: a person has taken it over */
#define FD_CONTROL_CHANNEL "channel" /* org: something came in or goes out by a channel */
#define FD_CONTROL_ORG     "org"     /* org id: settings, limits or config changed */
#define FD_CONTROL_KEY     "key"     /* sha256 hex: revoked or changed */
#define FD_CONTROL_SESSION "session" /* id of a user's session that is over */

#endif
