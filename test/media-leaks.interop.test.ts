import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import type { LeakReport } from './media-leaks-main.ts';

/** `npm run prove -- media-leaks` opens 10,000. */
const CALLS = Number(process.env['ASKFIRST_LEAK_CALLS'] ?? 500);

test('calls that were opened and closed leave nothing behind', { timeout: 3_600_000 }, async () => {
  const program = fileURLToPath(new URL('./media-leaks-main.ts', import.meta.url));
  const args = ['--expose-gc', '--no-warnings', program, String(CALLS)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const report = JSON.parse(await text(child.stdout)) as LeakReport;
  const { before, after } = report;
  assert.equal(report.portsInUse, 0);
  assert.equal(after.sockets, before.sockets, JSON.stringify(report));
  assert.equal(after.timers, before.timers, JSON.stringify(report));
  // The engine's own pool of threads may open one more of its pipes.
  assert.ok(after.descriptors <= before.descriptors + 4, JSON.stringify(report));
  // The last ones may still stand on the stack.
  assert.ok(report.collected >= CALLS - 20, JSON.stringify(report));
  // 13 kB a call were kept where a track was not closed before its connection.
  assert.ok(after.rssMb - before.rssMb <= 15 + CALLS / 120, JSON.stringify(report));
});
