// A visitor's walk through the shop that `make run` started on a fresh machine, in a real browser:
//   node t/fresh/walk.mjs http://127.0.0.1:18080 [SCREENSHOT]
import { ask, lastAnswer, launch, settled } from '../browser/harness.mjs';

const [url, picture] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
const faults = [];
page.on('pageerror', (error) => faults.push(error.message));
await page.goto(`${url}/demo/shop`);
await ask(page, 'How long does shipping take?');
await settled(page);
const answer = await lastAnswer(page);
if (picture) await page.screenshot({ path: picture });
await browser.close();
if (faults.length || !/days/.test(answer)) {
  console.error(`the walk ended with ${JSON.stringify({ answer, faults })}`);
  process.exit(1);
}
