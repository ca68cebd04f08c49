import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';

import { Client } from 'pg';
import { chromium, type Browser, type Page } from 'playwright-core';

import { seedKpis } from '../bench/kpi-seed.ts';
import type { BrakesView } from '../src/brakes/brake-schemas.ts';
import { startProduct, type Product } from '../src/cli/product.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { readSettings } from '../src/settings.ts';
import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { needsProgram, programPath } from './peers.ts';
import { eventually } from './product-peers.ts';

/** The figures in a real Chromium: from nothing, to a line that braked, down to single calls. */
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'];
const STEP_MS = 20_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A folder for pictures, for whoever wants to look at them. */
const PICTURES = process.env['ASKFIRST_PICTURES'];

suite('the figures in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let store: TestDatabase;
  let client: Client;
  let product: Product;
  let dataDir: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    store = await testDatabase();
    client = new Client({ connectionString: store.connectionString });
    await client.connect();
    dataDir = await mkdtemp(join(tmpdir(), 'askfirst-figures-'));
    product = await startProduct({
      settings: readSettings({
        PORT: '0',
        ASKFIRST_DATA_DIR: dataDir,
        DATABASE_URL: store.connectionString,
        ASKFIRST_MEDIA_PORTS: '44600-44699',
        ASKFIRST_MEDIA_WORKERS: '1',
      }),
      log: silentLog,
      simulator: { port: 0, pbxPort: 0 },
    });
    const executablePath = programPath('chromium') ?? '';
    browser = await chromium.launch({ executablePath, args: FLAGS });
    page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.setDefaultTimeout(STEP_MS);
    page.on('console', (said) => {
      if (said.type() === 'error') complaints.push(said.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  after(async () => {
    await browser?.close();
    await product?.close();
    await client?.end();
    await store?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const picture = async (name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    await page.screenshot({ path: join(PICTURES, `figures-${name}.png`), fullPage: true });
  };

  async function seed(rows: number, first: number, daysAgo: [number, number], yes: number) {
    const { rows: lines } = await client.query<{ id: string; account_id: string }>(
      'select id, account_id from lines',
    );
    const hour = Math.floor(systemClock.now() / HOUR_MS) * HOUR_MS;
    await seedKpis(client, {
      accountId: lines[0]?.account_id ?? '',
      lines: lines.map(({ id }) => id),
      rows,
      first,
      from: hour - daysAgo[0] * DAY_MS,
      until: hour - daysAgo[1] * DAY_MS,
      yes,
    });
  }

  test('before anything happened the page says so', async () => {
    const { server, sandbox } = product;
    await page.goto(`${server.url}/#key=${sandbox?.apiKey}`);
    await page.getByRole('link', { name: 'Figures' }).click();
    await page.getByText('Nothing was asked or called in this time.', { exact: false }).waitFor();
    await page.getByRole('heading', { name: 'Brakes' }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await picture('empty');
  });

  test('five figures with targets, numbers and intervals', async () => {
    await seed(4_000, 0, [30, 2], 65);
    await page.reload();
    const tile = page.getByRole('listitem').filter({ hasText: 'Permission grant rate' });
    await tile.getByText('on target').waitFor();
    await tile.getByText(/^[\d,]+ of [\d,]+/).waitFor();
    await tile.getByText('target: above 60.0 %').waitFor();
    await tile.getByText(/95 % sure: \d+\.\d to \d+\.\d %/).waitFor();
    for (const title of ['Call answer rate', 'Customer satisfaction', 'Opt-out rate']) {
      await page.getByRole('heading', { name: title, exact: true }).waitFor();
    }
    assert.deepEqual(await axeFaults(page), []);
    await picture('wide-light');
  });

  test('a figure is taken apart, narrowed, and followed to its calls', async () => {
    await page.getByLabel('Take apart by').selectOption('country');
    await page.getByRole('button', { name: 'Only DE' }).click();
    await page.getByRole('button', { name: /Country: DE/ }).waitFor();
    await page.getByRole('button', { name: 'Counted (numerator of Call answer rate)' }).click();
    const list = page.getByRole('region', { name: 'Call answer rate: counted' });
    const first = list.locator('tbody tr').first();
    await first.getByText(/^call_/).waitFor();
    const newest = await first.innerText();
    await list.getByRole('button', { name: 'Earlier' }).click();
    await eventually('older calls', async () => (await first.innerText()) !== newest);
    await page.getByText('As a table').click();
    assert.deepEqual(await axeFaults(page), []);
    await picture('drilled');
    await list.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: /Country: DE/ }).click();
  });

  test('a line that braked shows why, and goes on with a reason', async () => {
    await seed(600, 1_000_000, [1, 0], 8);
    await page.reload();
    // New settings are looked at with them at once; the worker comes by now and then.
    const settings = page.getByRole('region', { name: 'When lines slow or pause' });
    await settings.getByLabel('Counts at least').fill('20');
    await settings.getByRole('button', { name: 'Save for all lines' }).click();
    await settings.getByText('Every line was looked at', { exact: false }).waitFor();
    const brakes = page.getByRole('region', { name: 'Brakes' });
    await brakes.getByText('paused', { exact: true }).first().waitFor();
    await brakes.getByText('A pause does not end by itself', { exact: false }).first().waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await picture('paused');
    await brakes
      .getByLabel(/^Why .* may go on$/)
      .first()
      .fill('The template was mended.');
    await brakes.getByRole('button', { name: 'Go on slowly' }).first().click();
    await brakes.getByText('slowed', { exact: true }).first().waitFor();
    await brakes.getByText('The template was mended.', { exact: false }).first().waitFor();
  });

  test('floors of the brakes are set, refused with the fix, and switched off', async () => {
    const settings = page.getByRole('region', { name: 'When lines slow or pause' });
    const grants = settings.getByRole('group', { name: 'Yes to requests' });
    await grants.getByLabel('Slows below, %').fill('10');
    await settings.getByRole('button', { name: 'Save for all lines' }).click();
    await settings.getByText('pauses only below the floor that slows', { exact: false }).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    await picture('brakes-refused');
    assert.ok(complaints.pop()?.includes('400'), 'the refusal is all that the browser says');
    await grants.getByLabel('Slows below, %').fill('45,5');
    await settings.getByLabel('Calls that are picked up').uncheck();
    await settings.getByRole('button', { name: 'Save for all lines' }).click();
    await settings.getByText('Every line was looked at', { exact: false }).waitFor();
    const { server, sandbox } = product;
    const headers = { authorization: `Bearer ${sandbox?.apiKey}` };
    const read = async (): Promise<BrakesView['settings']> => {
      const answer = await fetch(`${server.url}/v1/brakes`, { headers });
      return ((await answer.json()) as BrakesView).settings;
    };
    const { grant_rate, answer_rate, minSample } = await read();
    assert.deepEqual([grant_rate, answer_rate, minSample], [{ slow: 0.455, pause: 0.2 }, null, 20]);
    await settings.getByLabel('Lines slow and pause by themselves').uncheck();
    await settings.getByText('stays paused until somebody', { exact: false }).waitFor();
    await settings.getByRole('button', { name: 'Save for all lines' }).click();
    await page.getByText('The brakes are switched off', { exact: false }).waitFor();
    assert.equal((await read()).enabled, false);
    await picture('brakes-off');
    await settings.getByLabel('Lines slow and pause by themselves').check();
    await settings.getByRole('button', { name: 'Save for all lines' }).click();
    await settings.getByText('Every line was looked at', { exact: false }).waitFor();
  });

  test('on a narrow dark screen nothing is cut off', async () => {
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 400, height: 900 });
    await page.getByRole('heading', { name: 'Permission grant rate', exact: true }).waitFor();
    await assertNothingCutOff(page);
    assert.deepEqual(await axeFaults(page), []);
    await picture('narrow-dark');
    await page.setViewportSize({ width: 1400, height: 900 });
    await picture('wide-dark');
  });

  test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
  });
});
