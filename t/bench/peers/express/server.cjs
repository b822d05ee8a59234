// The same admission with Express and ioredis: key look-up, body check, the same script on the
// same Redis. node server.cjs PORT JOBS_SOCKET LIVE_SOCKET SHA
const crypto = require('node:crypto');
const express = require('express');
const Redis = require('ioredis');

const [port, jobsPath, livePath, sha] = process.argv.slice(2);
const jobs = new Redis(jobsPath);
const live = new Redis(livePath);
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json({ limit: '64kb' }));

app.post('/chat', async (req, res) => {
  const key = req.get('x-api-key');
  if (!key) return res.status(401).json({ title: 'no key', status: 401 });
  const digest = crypto.createHash('sha256').update(key).digest('hex');
  const [org, id, , gen] = await live.hmget(`fd:key:${digest}`, 'org', 'id', 'kind', 'gen');
  if (!org) return res.status(401).json({ title: 'unknown key', status: 401 });
  if (typeof req.body.message !== 'string' || req.body.message === '') {
    return res.status(422).json({ title: 'message', status: 422 });
  }
  const job = `0-${crypto.randomBytes(16).toString('hex')}`;
  const session = crypto.randomBytes(24).toString('base64url');
  const body = JSON.stringify(req.body);
  const hash = crypto.createHash('sha256').update(body).digest('hex');
  const reply = await jobs.evalsha(sha, 9, 'fd:jobs:{0}', `fd:job:{0}:${job}`, `fd:sess:{0}:${org}:${session}`,
    `fd:org:{0}:${org}`, `fd:lease:{0}:${org}`, 'fd:load:{0}', `fd:rate:{0}:${org}:${session}`, 'fd:rate:{0}:a:127.0.0.1', 'fd:alive:{0}',
    job, org, session, gen, hash, 300000, 900000, 1000000000, 100000000000, 1000000, 0, 86400000, 1,
    'request', crypto.randomUUID(), 'key', id, 'body', body);
  if (reply[0] !== 'admitted') return res.status(429).json({ title: reply[0], status: 429 });
  res.status(202).json({ job_id: job, session_id: session });
});
app.listen(Number(port), '127.0.0.1');
