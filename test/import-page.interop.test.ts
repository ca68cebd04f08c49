import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import { chromium, type Browser, type Page } from 'playwright-core';

import { buildPage } from './built-page.ts';
import { assertNothingCutOff, axeFaults } from './page-look.ts';
import { needsProgram, programPath } from './peers.ts';
import { openLiveProduct, type LiveProduct } from './product-peers.ts';

/** Files of contacts in a real Chromium: chosen, mapped, tried, imported, failed rows saved. */
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'];
const STEP_MS = 20_000;
/** A folder for pictures, for whoever wants to look at them. */
const PICTURES = process.env['ASKFIRST_PICTURES'];

const FILE = [
  'Mobile;Client;Sprache;Order no.',
  '+442070000101;Ada;de;1042',
  '+442070000102;Bo;en_GB;1043',
  '02079460123;Cy;;1044',
].join('\n');

suite('files of contacts in a browser', { skip: needsProgram('chromium', 'chromium') }, () => {
  let live: LiveProduct;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '44700-44799' });
    const executablePath = programPath('chromium') ?? '';
    browser = await chromium.launch({ executablePath, args: FLAGS });
    page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.setDefaultTimeout(STEP_MS);
    page.on('console', (said) => {
      if (said.type() === 'error') complaints.push(said.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    const { server, sandbox } = live.product;
    await page.goto(`${server.url ?? ''}/#key=${sandbox?.apiKey ?? ''}`);
    await page.getByText('Live: changes show at once.').waitFor();
  });
  after(async () => {
    await browser?.close();
    await live?.close();
  });

  const picture = async (name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  };
  const choose = (name: string, text: string): Promise<void> =>
    page.getByLabel('CSV file').setInputFiles({
      name,
      mimeType: 'text/csv',
      buffer: Buffer.from(text),
    });

  test('without a file the page says what to do, and axe has no fault', async () => {
    await page.goto(`${live.product.server.url ?? ''}/#imports`);
    await page.getByText('No file yet.', { exact: false }).waitFor();
    const send = page.getByRole('button', { name: 'Try the file' });
    assert.equal(await send.isDisabled(), true);
    assert.deepEqual(await axeFaults(page), []);
    await picture('imports-empty');
  });

  test('columns are found or told, with samples, and a trial changes nobody', async () => {
    await choose('spring.csv', FILE);
    await page.getByText('+442070000101, +442070000102, 02079460123').waitFor();
    await page.getByText('left out below: Client, Order no.', { exact: false }).waitFor();
    await page.getByLabel('Name', { exact: true }).selectOption({ label: 'Client' });
    await page.getByText('Ada, Bo, Cy').waitFor();
    await page.getByLabel('Tag for these people').fill('spring-2026');
    await page.getByRole('button', { name: 'Try the file' }).click();
    const tried = '3 rows: 2 would be created, 0 would be updated, 0 unchanged, 1 failed';
    await page.getByText(tried, { exact: false }).waitFor();
    const contacts = await live.api.get<{ items: object[] }>('/v1/contacts');
    assert.equal(contacts.items.length, 0);
    assert.deepEqual(await axeFaults(page), []);
    await picture('imports-tried');
  });

  test('the import creates them, and the failed row is a file with reason and fix', async () => {
    await page.getByLabel('Try only: change nobody').uncheck();
    await page.getByRole('button', { name: 'Import the file' }).click();
    const done = '3 rows: 2 created, 0 updated, 0 unchanged, 1 failed';
    await page.getByText(done, { exact: false }).waitFor();
    const { items } = await live.api.get<{ items: Array<{ name: string }> }>('/v1/contacts');
    assert.deepEqual(items.map(({ name }) => name).toSorted(), ['Ada', 'Bo']);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Failed rows as CSV' }).first().click(),
    ]);
    assert.equal(file.suggestedFilename(), 'failed-rows.csv');
    const chunks: Buffer[] = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    assert.match(text, /^line,field,given,reason,fix\r\n4,number,\*+23,/);
    assert.match(text, /begins with 0/);
  });

  test('a dropped file counts as chosen, and one without rows is told', async () => {
    const dropped = await page.evaluateHandle(
      `(() => {
        const all = new DataTransfer();
        all.items.add(new File(['phone\\n'], 'none.csv'));
        return all;
      })()`,
    );
    await page.getByLabel('CSV file').dispatchEvent('drop', { dataTransfer: dropped });
    await page.getByText('none.csv, 1 kB').waitFor();
    await page.getByRole('button', { name: 'Import the file' }).click();
    await page.getByText('The file has no row that names anybody.', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Copy as curl' }).first().click();
  });

  test('on a narrow dark screen nothing is cut off', async () => {
    await page.setViewportSize({ width: 400, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await assertNothingCutOff(page);
    assert.deepEqual(await axeFaults(page), []);
    await picture('imports-narrow');
    assert.deepEqual(complaints, []);
  });
});
