// Sends one task to every customer of an imported file, through the browser, and reports what the page says.
// node whole-file.mjs http://127.0.0.1:3000 http://127.0.0.1:4010/hook KEY
import { chromium } from '@playwright/test';

const [base, hook, key] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
page.setDefaultTimeout(30_000);
const go = async (path) => { await page.goto(base + path); await page.locator('html[data-hydrated]').waitFor(); };

await page.goto(`${base}/sign-in`);
await page.getByLabel('E-mail').fill('admin@example.com');
await page.getByLabel('Password').fill('reachwire-demo');
await page.getByRole('button', { name: 'Sign in' }).click();
await page.waitForURL((url) => url.pathname === '/');

await go('/audiences/new?kind=rules');
await page.getByLabel('Audience Name').fill('Spend > 200');
await page.getByLabel('Tag of condition 1').selectOption('spend');
await page.getByLabel('Comparison of condition 1').selectOption({ label: '>' });
await page.getByLabel('Value of condition 1', { exact: true }).fill('200');
await page.getByRole('button', { name: 'Create Audience' }).click();
await page.getByRole('heading', { level: 1, name: 'Spend > 200' }).waitFor();
await go('/audiences/new?kind=all');
await page.getByLabel('Audience Name').fill('Everyone');
await page.getByRole('button', { name: 'Create Audience' }).click();
await page.getByRole('heading', { level: 1, name: 'Everyone' }).waitFor();

await go('/webhooks/new');
await page.getByLabel('Webhook Name').fill('Coupons');
await page.locator('input[name="input[key]"]').fill(key);
await page.getByLabel('Request URL').fill(hook);
await page.getByLabel('ONEID', { exact: true }).check();
await page.getByLabel('Parameter Name').fill('text');
await page.getByLabel('Display Name').fill('Text');
await page.getByLabel('Parameter Type').selectOption({ label: 'Text' });
await page.getByLabel('Enable receipt settings').check();
await page.getByLabel('Status code').fill('200');
await page.getByLabel('Status value').fill('Success');
await page.getByRole('button', { name: 'OK', exact: true }).click();
await page.getByRole('heading', { level: 1, name: 'Coupons' }).waitFor();

await go('/tasks/new');
await page.getByLabel('Name', { exact: true }).fill('Everyone');
await page.getByLabel('Receiving crowd').selectOption({ label: await page.getByLabel('Receiving crowd').locator('option', { hasText: 'Everyone' }).textContent() });
await page.getByLabel('Select Webhook').selectOption({ label: 'Coupons' });
await page.getByRole('textbox', { name: 'Text', exact: true }).fill('You ordered ');
const insert = async (tag) => {
  await page.getByRole('button', { name: 'Insert variable' }).click();
  const dialog = page.getByRole('dialog', { name: 'Insert variable' });
  await dialog.getByLabel('Tag', { exact: true }).selectOption(tag);
  await dialog.getByRole('button', { name: 'Insert', exact: true }).click();
};
await insert('orders');
await page.getByRole('textbox', { name: 'Text', exact: true }).press('End');
await page.getByRole('textbox', { name: 'Text', exact: true }).pressSequentially(' times for ');
await insert('spend');
const dryRun = page.getByRole('complementary', { name: 'Before it is sent' });
await dryRun.getByText('nothing was sent').waitFor();
console.log('dry run:', (await dryRun.locator('.note').first().innerText()).replace(/\s+/g, ' '));
const started = Date.now();
await page.getByRole('button', { name: 'Submit Sending Task' }).click();
await page.waitForURL(/\/tasks\/[0-9a-f]{32}$/);
await page.locator('.badge', { hasText: 'Finished' }).first().waitFor({ timeout: 600_000 });
console.log(`submitted to Finished on the page: ${((Date.now() - started) / 1000).toFixed(1)} s`);
const total = (await page.locator('.tiles').first().innerText()).replace(/\s+/g, ' ');
console.log('tiles:', total);
const accepted = Number(total.match(/Accepted ([\d,]+)/)[1].replaceAll(',', ''));
await page.waitForFunction((wanted) => {
  const step = [...document.querySelectorAll('li')].find((li) => li.textContent.includes('Receipt: Success'));
  return step && Number(step.querySelector('b').textContent.replaceAll(',', '')) === wanted;
}, accepted, { timeout: 600_000 });
console.log(`all receipts on the page: ${((Date.now() - started) / 1000).toFixed(1)} s`);
console.log('task:', page.url().split('/').pop());
await browser.close();
