// Main-thread time from the widget's script to its launcher, layout shift, and long tasks while an
// answer of 200 tokens a second streams in. Medians of rounds; exits with 3 if an aim was missed.
//   BENCH_ROUNDS=5 t/bench/widget
import { ask, launcher, settled, startLab } from '../browser/harness.mjs';
import { KEY } from '../browser/mock-api.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const THROTTLE = 4;
const TOKENS_A_SECOND = 200;
const TOKENS = 2000;

const ANSWER = `## Shipping

Parcels leave the shop **the same day** when ordered before noon, and take _two to four_ working days. See [our page](https://shop.example/shipping).

- Israel: 2 days, free from \`199\`
- Europe: 5 to 7 days
- elsewhere: about two weeks

| zone | days | price |
|---|---|---|
| Israel | 2 | 25 |
| Europe | 6 | 90 |

\`\`\`
track D-1002
\`\`\`

> Orders of Friday leave on Sunday.

`;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function openPage(lab, path) {
  const context = await lab.browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.shift = 0;
    window.shifted = [];
    window.longTasks = [];
    const observe = (type, visit) =>
      new PerformanceObserver((list) => list.getEntries().forEach(visit)).observe({
        type,
        buffered: true,
      });
    observe('layout-shift', (entry) => {
      if (entry.hadRecentInput) return; // what the visitor asked for
      window.shift += entry.value;
      window.shifted.push(
        ...entry.sources.map(({ node }) => `${node?.nodeName}.${node?.className ?? ''}`),
      );
    });
    observe('longtask', (entry) => window.longTasks.push(entry.duration));
  });
  const cdp = await context.newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
  await page.goto(lab.mock.url + path, { waitUntil: 'load' });
  return { context, page };
}

/** An empty page: what its main thread does behind the script's start is the widget's. */
async function measureLauncher(lab) {
  const { context, page } = await openPage(lab, '/blank');
  await page.waitForTimeout(300);
  await lab.browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'blink.user_timing'],
  });
  await page.evaluate((key) => {
    window.painted = new Promise((resolve) => {
      const onReady = () =>
        requestAnimationFrame(() => {
          performance.mark('launcher-frame');
          resolve();
        });
      window.Frontdesk = { q: [['on', 'ready', onReady]] };
    });
    setTimeout(() => {
      const script = document.createElement('script');
      script.async = true;
      script.src = '/widget.js';
      script.dataset.clientKey = key;
      document.head.append(script);
    }, 100);
  }, KEY);
  await page.evaluate(() => window.painted);
  await launcher(page).waitFor();
  const { traceEvents } = JSON.parse(await lab.browser.stopTracing());
  await context.close();
  return readTrace(traceEvents);
}

function readTrace(events) {
  const { thread, mark } = threadOf(events, 'launcher-frame');
  const scripts = thread.filter(
    ({ name, args }) => name === 'EvaluateScript' && /\/widget\.js$/.test(args.data?.url),
  );
  const start = Math.min(...scripts.map(({ ts }) => ts));
  // the mark stands in the task that draws the frame
  const tasks = tasksOf(thread).filter(({ ts, dur }) => ts + dur > start && ts < mark.ts);
  const times = tasks.map(({ tdur }) => tdur / 1000);
  return {
    busy: times.reduce((sum, time) => sum + time, 0),
    longest: Math.max(...times),
    wall: (Math.max(...tasks.map(({ ts, dur }) => ts + dur)) - start) / 1000,
  };
}

/** The events of the thread on which the page set this mark. */
function threadOf(events, name) {
  const mark = events.find((event) => event.name === name);
  return { mark, thread: events.filter(({ pid, tid }) => pid === mark.pid && tid === mark.tid) };
}

/** tdur is the thread's own time, throttled as it is: what other processes take is not the widget's. */
function tasksOf(thread) {
  return thread.filter(({ name, tdur }) => /(^|::)RunTask$/.test(name) && tdur !== undefined);
}

/** As many tokens as the clock says, so that a busy machine does not slow the stream down. */
function plan() {
  const words = ANSWER.match(/\s*\S{1,6}/g);
  const steps = [];
  let start = 0;
  let sent = 0;
  const due = () => {
    start ||= performance.now();
    const until = Math.min(TOKENS, ((performance.now() - start) * TOKENS_A_SECOND) / 1000 + 1);
    const events = [];
    while (sent < until) events.push(['delta', { text: words[sent++ % words.length] }]);
    return events;
  };
  const rest = () => {
    const events = [];
    while (sent < TOKENS) events.push(['delta', { text: words[sent++ % words.length] }]);
    return events;
  };
  for (let i = 0; i < (TOKENS / TOKENS_A_SECOND) * 100; i++) steps.push(due, 10);
  return [500, ...steps, rest, ['done', { finish_reason: 'stop' }]];
}

async function measureStream(lab) {
  const { context, page } = await openPage(lab, '/demo/shop');
  await launcher(page).waitFor();
  await launcher(page).click();
  await page.waitForTimeout(1000);
  lab.mock.plan = plan();
  await lab.browser.startTracing(page, { categories: ['toplevel', 'blink.user_timing'] });
  await page.evaluate(() => performance.mark('asked'));
  await ask(page, 'Tell me everything.');
  await page.locator('.turns .user').waitFor();
  await page.evaluate(() => {
    window.longTasks.length = 0;
    performance.mark('streaming');
  });
  const start = performance.now();
  await settled(page);
  const seconds = (performance.now() - start) / 1000;
  await page.waitForTimeout(500);
  const { traceEvents } = JSON.parse(await lab.browser.stopTracing());
  const { shift, shifted, longTasks } = await page.evaluate(() => ({ shift, shifted, longTasks }));
  await context.close();
  if (shift > 0) console.error(`shifted: ${shifted}`);

  const { thread, mark } = threadOf(traceEvents, 'streaming');
  const tasks = tasksOf(thread);
  const asking = tasks.filter(({ ts }) => ts < mark.ts).map(({ tdur }) => tdur / 1000);
  const times = tasks.filter(({ ts }) => ts >= mark.ts).map(({ tdur }) => tdur / 1000);
  const busy = times.reduce((sum, time) => sum + time, 0);
  return {
    shift,
    asking: Math.max(...asking),
    long: times.filter((time) => time > 50).length,
    longest: Math.max(...times),
    reported: longTasks.length,
    share: busy / seconds / 10,
    seconds,
  };
}

const lab = await startLab();
let missed = 0;

function row(name, values, format, aim, isMet) {
  const value = median(values);
  const verdict = aim === undefined ? '' : isMet(value) ? 'met' : 'SHORT';
  if (verdict === 'SHORT') missed++;
  console.log(
    `| ${name} | ${format(value)} | ${values.map(format).join(' ')} | ${aim ?? ''} | ${verdict} |`,
  );
}

try {
  const starts = [];
  const streams = [];
  await measureLauncher(lab); // the browser's own first times
  for (let i = 0; i < ROUNDS; i++) {
    // three of the short ones: a shared machine makes each a few milliseconds more or less
    for (let start = 0; start < 3; start++) starts.push(await measureLauncher(lab));
    streams.push(await measureStream(lab));
  }
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log(`| processor ${THROTTLE}x slower, ${ROUNDS} rounds | median | rounds | aim | |`);
  console.log('|---|---|---|---|---|');
  const column = (list, name) => list.map((entry) => entry[name]);
  row(
    'main thread, script start to visible launcher',
    column(starts, 'busy'),
    ms,
    'under 50 ms',
    (v) => v < 50,
  );
  row('its longest task', column(starts, 'longest'), ms);
  row('by the clock, the configuration asked for in between', column(starts, 'wall'), ms);
  row(
    'cumulative layout shift: load, open, a whole answer',
    column(streams, 'shift'),
    (v) => v.toFixed(4),
    '0',
    (v) => v === 0,
  );
  row('the longest task when a question is sent', column(streams, 'asking'), ms);
  row(
    `tasks over 50 ms, ${TOKENS} tokens at ${TOKENS_A_SECOND} a second`,
    column(streams, 'long'),
    String,
    'none',
    (v) => v === 0,
  );
  row('the longest of these', column(streams, 'longest'), ms);
  row('over 50 ms by the clock, other processes included', column(streams, 'reported'), String);
  row('main thread busy meanwhile', column(streams, 'share'), (v) => `${v.toFixed(0)} %`);
  row('the answer took', column(streams, 'seconds'), (v) => `${v.toFixed(1)} s`);
} finally {
  await lab.close();
}
process.exitCode = missed ? 3 : 0;
